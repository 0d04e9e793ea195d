"""A forked child of the tests' process."""

from __future__ import annotations

import os
import signal
import traceback
from collections.abc import Callable

import pytest

__all__ = ["needs_fork", "true_in_a_child"]

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def true_in_a_child(tell: Callable[[], object]) -> bool:
    """Whether something is true in a child. One that raises says so and ends; one that hangs is ended by the system:
    it must neither go on as a second runner of the tests nor hold the pipes of the first one open."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            signal.alarm(60)
            status = 0 if tell() else 1
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
