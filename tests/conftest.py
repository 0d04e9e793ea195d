"""How long the property tests try: `HYPOTHESIS_PROFILE=quick` for a second run over the same code."""

from __future__ import annotations

import os

from hypothesis import settings

# No deadline for a single example: the suite runs on as many workers as there are cores, and a busy machine is no bug.
settings.register_profile("thorough", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=15)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "thorough"))
