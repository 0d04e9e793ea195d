"""How long the property tests try: `HYPOTHESIS_PROFILE=quick` for a second run over the same code."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from hypothesis import settings

# Shared helpers (`models`, `server`) are imported by name, wherever the suite lies.
sys.path.insert(0, str(Path(__file__).parent))

# No deadline for a single example: the suite runs on as many workers as there are cores, and a busy machine is no bug.
settings.register_profile("thorough", deadline=None)
settings.register_profile("quick", deadline=None, max_examples=15)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "thorough"))
