"""One form of guard: each kind in each shape, cascades of all pairs, and models that are asked without a thread."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from contextlib import nullcontext

import pytest
from forked import needs_fork, true_in_a_child

from guards import Finding, Guard, Guarded, Noop, avalidate, check, validate
from guards.checks import Cascade, Scored, score_many
from guards.checks.asking import AskingGuard
from guards.context import Context
from guards.contracts import JsonSchema, Text
from guards.contracts.compiled import compile_contract
from guards.driving.drivers import run_async, run_sync
from guards.driving.workers import batches, checks
from guards.effects import Compute, Job, Question, Rows, Together
from guards.errors import ConfigError, GuardFailed, Rejected
from guards.models import ModelSpec, handle_of
from guards.models.batching import Batcher
from guards.testing import ScriptedModel

VALUES = {"good": 0.9, "bad": 0.1}


def verdict(value):
    score = VALUES[value]
    return Scored(score, None if score >= 0.5 else "is bad")


def model(items):
    return [[VALUES[item]] for item in items]


@check(name="quick")
def quick(value):
    return verdict(value)


@check(name="dear", cost=2, timeout=20)
def dear(value):
    return verdict(value)


@check(name="later", cost=2)
async def later(value):
    await asyncio.sleep(0)
    return verdict(value)


class Asked(Guard):
    """By a loaded model."""

    def __init__(self, function=model, *, timeout=None):
        self.function = function
        super().__init__(timeout=timeout)

    @property
    def specs(self):
        return (ModelSpec("classification", self.function, labels=("fine",)),)

    def flow(self, value, context):
        ((score,),) = yield Rows(self.specs[0], [value])
        return Scored(score, None if score >= 0.5 else "is bad")


class Judging(AskingGuard):
    """By a client."""

    def flow(self, value, context):
        score = yield Question([{"role": "user", "content": value}], compile_contract(float))
        return Scored(score, None if score >= 0.5 else "is bad")


class Opinion:
    """A client that answers any number of questions by what is asked."""

    def __call__(self, messages):
        return str(VALUES[messages[-1]["content"]])


def kinds():
    return [quick, dear, later, Asked(), Judging(client=Opinion())]


NAMES = ["quick", "dear", "later", "asked", "judging"]
KINDS = pytest.mark.parametrize("guard", kinds(), ids=NAMES)


def says(value):
    return lambda messages: value


def asays(value):
    async def answer(messages):
        return value

    return answer


@KINDS
def test_each_kind_in_each_shape(guard):
    """A check, an async one, one by a model and one by a client give one verdict in every shape of use."""
    ticket = Guarded(Text(), guards=[guard])
    for value, ok in (("good", True), ("bad", False)):
        assert validate(value, Text(), guards=[guard]).ok is ok
        assert asyncio.run(avalidate(value, Text(), guards=[guard])).ok is ok
        assert ticket.run(says(value), "Say it").ok is ok
        assert asyncio.run(ticket.arun(asays(value), "Say it")).ok is ok
        stream = ticket.stream(says(value), "Say it")
        with nullcontext() if ok else pytest.raises(Rejected):
            list(stream)
        assert stream.outcome.ok is ok
    assert score_many(guard, ["bad", "good", "bad"]) == [0.1, 0.9, 0.1]


@pytest.mark.parametrize(
    ("cheap", "dearer"),
    list(itertools.product(kinds(), repeat=2)),
    ids=["-".join(pair) for pair in itertools.product(NAMES, repeat=2)],
)
def test_a_cascade_of_any_two(cheap, dearer):
    """Whatever the two are, the second decides within the band, in sync and async calls and in bulk."""
    guard = Cascade(cheap, dearer, band=(0.0, 1.0))
    assert [validate(value, Text(), guards=[guard]).ok for value in ("good", "bad")] == [True, False]
    assert not asyncio.run(avalidate("bad", Text(), guards=[guard])).ok
    low, high = score_many(guard, ["bad", "good"])
    assert low < 0.5 < high
    assert guard.stats.judged == 5
    assert guard.stats.went_on == 5


@pytest.mark.parametrize("drive", [run_sync, lambda flow: asyncio.run(run_async(flow))], ids=["sync", "async"])
def test_what_flows_ask_at_the_same_time_is_asked_together(drive):
    """Several flows put one question to their model, round by round, whatever jobs they have between."""
    asked = []

    def seen(items):
        asked.append(sorted(items))
        return [[0.9] for _ in items]

    spec = ModelSpec("classification", seen, labels=("fine",))
    handle_of(spec).load()

    def flow(name):
        yield Rows(spec, [f"{name} first"])
        yield Compute([Job(lambda: time.sleep(0.01), is_async=False)])
        return (yield Rows(spec, [f"{name} then"]))

    def both():
        return (yield Together([flow("a"), flow("b"), flow("c")]))

    assert drive(both()) == [[(0.9,)]] * 3
    if drive is run_sync:
        assert asked == [["a first", "b first", "c first"], ["a then", "b then", "c then"]]
    else:
        assert len(asked[0]) == 3


def test_one_guard_at_many_places_asks_once():
    """A guard that judges many places of an answer puts one question for all of them."""
    batches_seen = []

    def seen(items):
        batches_seen.append(len(items))
        return model(["good"] * len(items))

    outcome = validate('["a", "b", "c", "d"]', JsonSchema({"type": "array"}), guards=[Asked(seen).on("$[*]")])
    assert outcome.ok
    assert batches_seen == [4]


def test_one_item_s_fault_is_not_the_others():
    """Where a question for many fails, only the flow whose item it was has the fault."""

    def picky(items):
        if "b" in items:
            raise OSError("no such text")
        return [[0.9] for _ in items]

    outcome = validate('["a", "b"]', JsonSchema({"type": "array"}), guards=[Asked(picky).on("$[*]")])
    assert [(f.code, f.path) for f in outcome.findings] == [("guard.failed", "/1")]


class Held:
    """A model that answers when it is let go."""

    def __init__(self):
        self.gate = threading.Event()
        self.begun = threading.Event()
        self.asked = []

    def __call__(self, items):
        self.asked += items
        self.begun.set()
        assert self.gate.wait(20)
        return [[0.9] for _ in items]


async def _until(true):
    for _ in range(2000):
        if true():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never came about")


def test_calls_that_wait_for_a_model_hold_no_thread():
    """However many async calls wait for one model, one thread loads it, and one runs its batches."""
    held = Held()
    ticket = Guarded(Text(), guards=[Asked(held)])

    async def main():
        before = threading.active_count()
        calls = [asyncio.ensure_future(ticket.arun(asays(f"text {n}"), "Say it")) for n in range(100)]
        await _until(held.begun.is_set)
        assert threading.active_count() <= before + 2  # one that loads it, and one for its batches
        held.gate.set()
        return await asyncio.gather(*calls)

    assert all(outcome.ok for outcome in asyncio.run(main()))
    assert sorted(held.asked) == sorted(f"text {n}" for n in range(100))


def test_a_call_that_is_cancelled_leaves_nothing():
    """A cancelled call that waited for rows is asked nothing any more, and no thread is left behind."""
    held = Held()
    ticket = Guarded(Text(), guards=[Asked(held)])

    async def main():
        first = asyncio.ensure_future(ticket.arun(asays("first"), "Say it"))
        await _until(held.begun.is_set)
        second = asyncio.ensure_future(ticket.arun(asays("second"), "Say it"))
        await asyncio.sleep(0.05)
        for call in (first, second):
            call.cancel()
        assert await asyncio.gather(first, second, return_exceptions=True) == [_Cancelled(), _Cancelled()]
        held.gate.set()
        await asyncio.sleep(0.05)
        return await ticket.arun(asays("third"), "Say it")

    assert asyncio.run(main()).ok
    assert held.asked == ["first", "third"]
    assert (batches.left, checks.left) == (0, 0)


class _Cancelled:
    def __eq__(self, other):
        return isinstance(other, asyncio.CancelledError)

    __hash__ = None


def test_two_loops_at_once():
    """Event loops in several threads share a model, and each of their calls gets its own verdict."""
    ticket = Guarded(Text(), guards=[Asked(lambda items: [[0.9 if "good" in item else 0.1] for item in items])])
    said = {}

    async def main(name):
        given = [f"{name} {number} {'good' if number % 2 else 'bad'}" for number in range(50)]
        outcomes = await asyncio.gather(*(ticket.arun(asays(text), "Say it") for text in given))
        said[name] = [outcome.ok for outcome in outcomes]

    threads = [threading.Thread(target=lambda n=n: asyncio.run(main(n))) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert said == {name: [bool(number % 2) for number in range(50)] for name in range(4)}


def test_a_back_end_that_raises():
    """Async calls get the model's fault as a guard that failed, each the fault of its own item alone."""

    def picky(items):
        if "bad" in items:
            raise OSError("no such text")
        return [[0.9] for _ in items]

    ticket = Guarded(Text(), guards=[Asked(picky)])

    async def main():
        calls = (ticket.acall(asays(text), "Say it") for text in ("a", "bad", "b"))
        return await asyncio.gather(*calls, return_exceptions=True)

    first, fault, last = asyncio.run(main())
    assert (first, last) == ("a", "b")
    assert isinstance(fault, GuardFailed)
    assert "no such text" in str(fault)


@pytest.mark.parametrize("odd", [StopIteration("x"), SystemExit("x")], ids=["stop", "exit"])
def test_what_a_model_must_not_raise_ends_the_wait_all_the_same(odd):
    """An exception that no future takes, or that ends threads, is a fault of the guard under async, too."""

    def raising(items):
        raise odd

    ticket = Guarded(Text(), guards=[Asked(raising)])
    outcome = asyncio.run(asyncio.wait_for(ticket.arun(asays("a"), "Say it"), 20))
    assert outcome.reason == "guard.failed"


@pytest.mark.parametrize("shape", ["sync", "async"])
def test_a_model_that_hangs_ends_with_the_guard_s_time(shape):
    """A guard whose model does not answer in its time has failed; the call goes on."""
    held = Held()
    guard = Asked(held, timeout=0.1)
    begun = time.monotonic()
    if shape == "sync":
        outcome = validate("a", Text(), guards=[guard])
    else:
        outcome = asyncio.run(avalidate("a", Text(), guards=[guard]))
    assert time.monotonic() - begun < 10
    assert "ran out of time" in outcome.findings[0].message
    held.gate.set()


@needs_fork
def test_a_child_asks_anew():
    """After a fork in the middle of a batch the child's async calls have threads of their own."""
    held = Held()
    ticket = Guarded(Text(), guards=[Asked(held)])
    caller = threading.Thread(target=lambda: asyncio.run(ticket.arun(asays("a"), "Say it")))
    caller.start()
    assert held.begun.wait(20)

    def tell():
        held.gate.set()
        return asyncio.run(ticket.arun(asays("b"), "Say it")).ok

    try:
        assert true_in_a_child(tell)
    finally:
        held.gate.set()
        caller.join(20)


def test_several_batches_run_at_once_where_the_back_end_takes_them():
    """A back end that takes several batches is given them side by side, and no more of them."""
    now, most, lock = [0], [0], threading.Lock()

    def run(items):
        with lock:
            now[0] += 1
            most[0] = max(most[0], now[0])
        time.sleep(0.05)
        with lock:
            now[0] -= 1
        return items

    batcher = Batcher(run, lambda item: 1, most=2, at_once=3)
    futures = [batcher.later([number], batches.submit) for number in range(20)]
    batcher.go_on(batches.submit)
    assert [future.result(20) for future in futures] == [[number] for number in range(20)]
    assert most == [3]


def test_no_thread_to_be_had_is_a_fault():
    """Where no thread can be lent, who waits hears of it."""

    def start(run):
        raise RuntimeError("no more threads")

    batcher = Batcher(lambda items: items, lambda item: 1)
    future = batcher.later([1], start)
    batcher.go_on(start)
    with pytest.raises(RuntimeError, match="no more threads"):
        future.result(5)
    assert batcher([2]) == [2]


def test_who_waits_in_a_thread_leaves_the_rest_to_a_lent_one():
    """A caller in a thread that has its rows goes; what others brought meanwhile is run by a thread that they lend."""
    gate, begun = threading.Event(), threading.Event()

    def run(items):
        begun.set()
        assert gate.wait(20)
        return items

    batcher = Batcher(run, lambda item: 1)
    caller = threading.Thread(target=batcher, args=([1],))
    caller.start()
    assert begun.wait(20)
    future = batcher.later([2], batches.submit)
    batcher.go_on(batches.submit)
    gate.set()
    assert future.result(20) == [2]
    caller.join(20)


def test_a_bare_check_of_a_flow():
    """A guard of models can be checked by itself; one that asks a client says that it cannot."""
    assert Asked().check("good", Context()).score == 0.9
    with pytest.raises(ConfigError, match="asks a client"):
        Judging().check("good", Context())


def test_the_seconds_are_the_guard_s_own():
    """What hooks are told of a check is how long it ran, not how long others of its tier did."""
    from guards.events import GuardRan

    @check(name="slow", cost=1)
    def slow(value):
        time.sleep(0.3)

    @check(name="fast", cost=1)
    def fast(value):
        return None

    took = {}

    def hook(event):
        if isinstance(event, GuardRan):
            took[event.name] = event.seconds

    Guarded(Text(), guards=[slow, fast], hooks=[hook]).call(says("good"), "Say it")
    assert took["slow"] >= 0.3
    assert took["fast"] < 0.2


def test_handles_are_shared_by_both_doors():
    """Rows that were asked for in one way are remembered for the other."""
    seen = []

    def counted(items):
        seen.extend(items)
        return [[0.9] for _ in items]

    guard = Asked(counted)
    validate("a", Text(), guards=[guard])
    assert asyncio.run(avalidate("a", Text(), guards=[guard])).ok
    assert seen == ["a"]
    assert handle_of(guard.specs[0]).loaded


def test_a_sample_of_the_question_is_asked_by_a_flow():
    """A guard of one's own can put the call's question again."""
    from guards.effects import Sample

    class Same(AskingGuard):
        resamples = True

        def flow(self, value, context):
            other = yield Sample()
            return None if other.value == value else Finding("mine.differs", "differs")

    outcome = Guarded(Text(), guards=[Same()], on_fail=Noop()).run(ScriptedModel(["a", "b"]), "Say it")
    assert [finding.code for finding in outcome.findings] == ["mine.differs"]
