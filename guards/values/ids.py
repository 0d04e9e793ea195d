"""Ids of calls: unique over threads, processes and machines, and cheap."""

from __future__ import annotations

import os
from itertools import count
from typing import Final

__all__ = ["new_id"]


class _Process:
    """What the ids of this process begin with; another after a fork."""

    def __init__(self) -> None:
        self.renew()
        os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        self.prefix = os.urandom(12).hex()
        self.counted = count(int.from_bytes(os.urandom(3)))


_PROCESS: Final = _Process()


def new_id() -> str:
    """32 hexadecimal digits, as OpenTelemetry has them for a trace: 96 random bits of the process, then a number."""
    return f"{_PROCESS.prefix}{next(_PROCESS.counted) & 0xFFFFFFFF:08x}"
