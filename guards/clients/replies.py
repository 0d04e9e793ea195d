"""Whatever a client gave, whole or in pieces, as a `Reply`."""

from __future__ import annotations

from typing import Any

from guards.clients.incoming import Incoming, gives_pieces
from guards.clients.whole import whole_of
from guards.effects import NoAnswer
from guards.messages import Reply

__all__ = ["answer_of", "reply_of"]


def reply_of(raw: Any) -> Reply:
    """Text, a `Reply`, an SDK's response or stream, or an iterator of text or of an SDK's chunks as a `Reply`;
    `ConfigError` for anything else."""
    try:
        return answer_of(raw)
    except NoAnswer as signal:
        return signal.reply


def answer_of(raw: Any) -> Reply:
    """As `reply_of`; raises `NoAnswer` where it asks for a tool."""
    if isinstance(raw, Incoming):
        return _drained(raw)
    return _drained(Incoming(raw)) if gives_pieces(raw) else whole_of(raw)


def _drained(incoming: Incoming) -> Reply:
    """An answer on its way, read to its end."""
    while incoming.next() is not None:
        pass
    return incoming.reply
