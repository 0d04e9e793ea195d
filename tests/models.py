"""The small contract that most engine tests share."""

from __future__ import annotations

from pydantic import BaseModel, Field


class Ticket(BaseModel):
    """A support ticket."""

    title: str
    priority: int = Field(ge=1, le=5)
    tags: list[str] = []
    note: str | None = None


GOOD = '{"title": "Printer", "priority": 2}'
BAD = '{"priority": 9}'
WORSE = '{"title": 3, "priority": 0}'
