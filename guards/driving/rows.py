"""Loaded models are asked for rows: by a thread that waits for them, or by an event loop that lends threads for the
batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeAlias

from guards.driving.jobs import begun, caught, in_time, within
from guards.effects import Load, Rows
from guards.models import handle_of
from guards.models.items import weight

if TYPE_CHECKING:
    from guards.models import Handle, Item, ModelSpec, Row

__all__ = ["load", "load_async", "rows", "rows_async", "rows_of_many"]

Answer: TypeAlias = "list[Row] | BaseException"

# -- sync ------------------------------------------------------------------------------------------------------------


def load(effect: Load) -> Handle:
    """The handle of a model that is in memory by then."""
    handle = handle_of(effect.spec)
    if handle.loaded:
        return handle
    return in_time(handle.load, effect.owner, effect.deadline)  # type: ignore[no-any-return]


def rows(effect: Rows) -> list[Row]:
    """One row per item."""
    return in_time(partial(handle_of(effect.spec), effect.items), effect.owner, effect.deadline)  # type: ignore[no-any-return]


def rows_of_many(asked: Mapping[int, Rows]) -> Iterator[tuple[int, Answer]]:
    """The rows of many questions, or the fault, by their numbers: one question to each model, models side by side."""
    of_model: dict[ModelSpec, dict[int, Rows]] = {}
    for number, effect in asked.items():
        of_model.setdefault(effect.spec, {})[number] = effect
    bounded = any(effect.deadline is not None for effect in asked.values())
    if len(of_model) == 1 and not bounded:
        (questions,) = of_model.values()
        yield from _asked(questions)
        return
    from guards.driving.workers import checks

    running = [(qs, begun(checks, partial(_all_asked, qs), next(iter(qs.values())).owner)) for qs in of_model.values()]
    for questions, one in running:
        # Each waits until its own time is up; who has the most of it last, since to leave is to leave for all.
        for number in sorted(questions, key=lambda number: _end(questions[number])):
            answers = one._replace(ends=questions[number].deadline).entry()
            yield number, answers[number] if isinstance(answers, dict) else answers


def _end(effect: Rows) -> float:
    return float("inf") if effect.deadline is None else effect.deadline


def _all_asked(questions: Mapping[int, Rows]) -> dict[int, Answer]:
    return dict(_asked(questions))


def _asked(questions: Mapping[int, Rows]) -> Iterator[tuple[int, Answer]]:
    """The rows for each question to one model. Sorted, so that a batch holds what is of like length."""
    # Not a set, whose order differs from run to run, and with it the batches and the last digits of scores.
    items = sorted(dict.fromkeys(item for effect in questions.values() for item in effect.items), key=weight)
    handle = handle_of(next(iter(questions.values())).spec)
    found = caught(partial(handle, items))
    if isinstance(found, Exception):  # asked again one by one: the one whose items they are has it
        yield from ((number, caught(partial(handle, effect.items))) for number, effect in questions.items())
        return
    known = dict(zip(items, found, strict=True))
    yield from ((number, [known[item] for item in effect.items]) for number, effect in questions.items())


# -- async -----------------------------------------------------------------------------------------------------------


async def load_async(effect: Load) -> Handle:
    """As `load`."""
    handle = handle_of(effect.spec)
    if not handle.loaded:
        await within(partial(_loaded, handle), effect.deadline)
    return handle


async def rows_async(effect: Rows) -> list[Row]:
    """As `rows`."""
    result: list[Row] = await within(partial(_rows, handle_of(effect.spec), effect.items), effect.deadline)
    return result


async def _rows(handle: Handle, items: Sequence[Item]) -> list[Row]:
    if not handle.loaded:
        await _loaded(handle)
    return await handle.ask(items, _lent_to(handle))


async def _loaded(handle: Handle) -> None:
    """One thread loads it, however many wait for that."""
    import asyncio

    from guards.driving.workers import loads

    await asyncio.wrap_future(loads.submit(handle.load, handle).future)


def _lent_to(handle: Handle) -> Callable[[Callable[[], None]], Any]:
    from guards.driving.workers import batches

    return partial(batches.submit, owner=handle)
