"""For any script of answers and any policy, the sync driver, the async driver and the caller's own loop agree."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st
from models import BAD, GOOD, WORSE, Ticket

from guards import (
    Budget,
    Fallback,
    Filter,
    Finding,
    Fix,
    Guarded,
    Noop,
    Raise,
    Reask,
    Reflect,
    Refrain,
    Rejected,
    Reply,
    check,
)
from guards.testing import ScriptedModel

ANSWERS = [
    GOOD,
    BAD,
    WORSE,
    "no",
    '{"title": "x", "priority": 1, "tags": ["bad", "b"]}',
    f"<reflection>hm</reflection>{GOOD}",
    Reply('{"title": "', finish_reason="length"),
    Reply(GOOD, {"input_tokens": 60, "output_tokens": 1}),
    Reply("no", finish_reason="refusal"),
]


@check
def no_bad_tags(value, context):
    return [Finding("test.tag", "bad tag", f"/tags/{n}", fix="good") for n, t in enumerate(value.tags) if t == "bad"]


@check(cost=1, on_fail=Fix().then(Reask()))
async def short(value, context):
    await asyncio.sleep(0)
    return Finding("test.long", "too long", "/title", fix=value.title[:4]) if len(value.title) > 4 else None


policies = st.lists(
    st.sampled_from(
        [
            Reask(),
            Reask(times=2, history="minimal"),
            Reflect(),
            Fix(),
            Filter(),
            Noop(),
            Refrain(),
            Raise(),
            Fallback("instead"),
        ]
    ),
    min_size=1,
    max_size=4,
).map(lambda chain: _chained(chain))


def _chained(chain):
    """Up to the first that always acts, behind which nothing may stand."""
    first, *others = chain
    return first.then(_chained(others)) if others and not first.always_acts else first


def picture(outcome):
    """Everything of an outcome but its clock and id."""
    record = outcome.to_dict()
    for own in ("seconds", "time", "id"):
        record.pop(own)
    for attempt in record["attempts"]:
        attempt.pop("seconds")
    return record


def by_hand(ticket, answers):
    """The caller's own loop over the same answers."""
    script = iter(answers)
    loop = ticket.attempts("task")
    try:
        for attempt in loop:
            with attempt:
                attempt.offer(next(script))
    except Rejected:
        pass
    return loop.outcome


async def by_hand_async(ticket, answers):
    script = iter(answers)
    loop = ticket.attempts("task")
    try:
        async for attempt in loop:
            async with attempt:
                attempt.offer(next(script))
    except Rejected:
        pass
    return loop.outcome


@given(
    st.lists(st.sampled_from(ANSWERS), min_size=9, max_size=9),
    policies,
    st.integers(1, 5),
    st.lists(st.sampled_from([no_bad_tags, short]), max_size=2, unique=True),
    st.sampled_from(["strict", "careful", "eager"]),
)
def test_all_shapes_give_the_same_outcome(answers, policy, attempts, guards, reading):
    """Sync, async, the loop and the async loop reach the same record, within the budget, and never pass silently."""
    ticket = Guarded(Ticket, on_fail=policy, budget=Budget(attempts=attempts), guards=guards, reading=reading)
    outcome = ticket.run(ScriptedModel(answers), "task")
    expected = picture(outcome)
    assert picture(asyncio.run(ticket.arun(ScriptedModel(answers).acall, "task"))) == expected
    assert picture(by_hand(ticket, answers)) == expected
    assert picture(asyncio.run(by_hand_async(ticket, answers))) == expected
    assert 1 <= len(outcome.attempts) <= attempts
    if outcome.ok:
        assert isinstance(outcome.value, Ticket)
        assert not any(f.blocks for f in outcome.findings)
        assert "bad" not in outcome.value.tags or no_bad_tags not in guards
    else:
        assert any(f.blocks for f in outcome.findings)
        assert outcome.value is None or outcome.delivered_by in ("noop", "fallback")
