"""Ids of calls: unique over threads, processes and machines, and cheap."""

from __future__ import annotations

import os
from itertools import count
from typing import Final

__all__ = ["Id", "new_id"]


class _Process:
    """What the ids of this process begin with; another after a fork."""

    def __init__(self) -> None:
        self.renew()
        os.register_at_fork(after_in_child=self.renew)

    def renew(self) -> None:
        self.prefix = os.urandom(12).hex()
        self.counted = count(int.from_bytes(os.urandom(3)))


_PROCESS: Final = _Process()


class Id:
    """An id that is written out when somebody asks for it: most are never seen."""

    __slots__ = ("_number", "_prefix")

    def __init__(self) -> None:
        self._prefix = _PROCESS.prefix
        self._number = next(_PROCESS.counted)

    def __str__(self) -> str:
        return f"{self._prefix}{self._number & 0xFFFFFFFF:08x}"


def new_id() -> str:
    """32 hexadecimal digits, as OpenTelemetry has them for a trace: 96 random bits of the process, then a number."""
    return str(Id())
