"""Models that guards ask: what names one, and the one that is loaded for it.

A guard holds a `ModelSpec`; the model is loaded when it is first asked something, once in a process, and shared by all
guards, threads and tasks, whose items run in common batches.
"""

from guards.models.endpoint import Endpoint
from guards.models.handles import Handle, Row, handle_of, preload
from guards.models.labels import nli_positions, nli_scores, position
from guards.models.spec import Item, ModelSpec, Task
from guards.models.weights import digest_of

__all__ = [
    "Endpoint",
    "Handle",
    "Item",
    "ModelSpec",
    "Row",
    "Task",
    "digest_of",
    "handle_of",
    "nli_positions",
    "nli_scores",
    "position",
    "preload",
]
