"""Many checks in step: what they ask of a model is asked at once, so that it runs in full batches of like length."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from guards.checks.base import Guard, Judged, judged
from guards.checks.learned.model_guard import Rows, Steps, steps_of
from guards.context import Context
from guards.models import ModelSpec, Row, handle_of
from guards.models.items import weight

__all__ = ["judge_all", "noted"]


def judge_all(guard: Guard, runs: Mapping[int, tuple[Any, Context]]) -> dict[int, Judged]:
    """What a guard that is neither async nor asks a client gives on each value with its context, by their numbers.

    Raises the first fault there is, with a note of the number.
    """
    waiting = {number: steps_of(guard, value, context) for number, (value, context) in runs.items()}
    given: dict[int, list[Row] | None] = dict.fromkeys(waiting)
    done: dict[int, Judged] = {}
    while given:
        asked: dict[int, Rows] = {}
        for number, rows in given.items():
            with noted(number):
                step = _step(waiting[number], rows)
                if isinstance(step, Rows):
                    asked[number] = step
                else:
                    done[number] = judged(step.value, guard)
        given = {number: rows for spec in {rows.spec for rows in asked.values()} for number, rows in _ask(spec, asked)}
    return done


@contextmanager
def noted(number: int) -> Iterator[None]:
    """Faults come out as they are, with a note of which value it was."""
    try:
        yield
    except Exception as fault:
        fault.add_note(f"guards: score_many, values[{number}]")
        raise


def _step(steps: Steps, rows: list[Row] | None) -> Rows | StopIteration:
    try:
        return steps.send(rows)  # type: ignore[arg-type]  # None begins a generator
    except StopIteration as stop:
        return stop


def _ask(spec: ModelSpec, asked: Mapping[int, Rows]) -> Iterator[tuple[int, list[Row]]]:
    """The rows for each check that asks this model. Sorted, so that a batch holds what is of like length."""
    questions = {number: rows.items for number, rows in asked.items() if rows.spec == spec}
    # Not a set, whose order differs from run to run, and with it the batches and the last digits of scores.
    items = sorted(dict.fromkeys(item for of_one in questions.values() for item in of_one), key=weight)
    handle = handle_of(spec)
    try:
        rows = dict(zip(items, handle(items), strict=True))
    except Exception:  # noqa: BLE001  # asked again one by one: the one whose items they are raises it, named
        rows = {}
    for number, of_one in questions.items():
        with noted(number):
            yield number, [rows[item] for item in of_one] if rows else handle(of_one)
