"""Models: one per spec, loaded late, shared by all; items in common batches; nothing that is no score passes."""

from __future__ import annotations

import math
import os
import pickle
import sys
import threading
import time
import types
from pathlib import Path

import pytest

from guards.errors import ConfigError, MissingExtra
from guards.models import ModelSpec, handle_of, preload
from guards.models.batching import Batcher


def lengths(items):
    return [[min(1.0, len(item) / 100), 0.0] for item in items]


def spec_of(function=lengths, **options):
    return ModelSpec("classification", function, **{"labels": ("long", "other"), **options})


# -- specs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"task": "poetry"}, "no task"),
        ({"model": ""}, "names no model"),
        ({"model": None}, "names no model"),
        ({"dtype": "int4"}, "no dtype"),
        ({"max_tokens": 0}, "from 1 on"),
        ({"threads": True}, "from 1 on"),
        ({"labels": None}, "need names"),
    ],
)
def test_a_spec_that_names_nothing(options, words):
    """What no model can be is an error where it is written."""
    with pytest.raises(ConfigError, match=words):
        ModelSpec(**{"task": "classification", "model": lengths, "labels": ("a",), **options})


def test_equal_specs_share_one_model():
    """A path and its text are one spec; another device is another; specs can be pickled and hashed."""
    assert ModelSpec("embedding", Path("/m")) == ModelSpec("embedding", "/m")
    assert handle_of(spec_of()) is handle_of(spec_of())
    assert handle_of(spec_of()) is not handle_of(spec_of(device="cuda"))
    assert pickle.loads(pickle.dumps(spec_of())) == spec_of()
    assert ModelSpec("embedding", "m", revision="v1").name == "m@v1"


# -- handles -----------------------------------------------------------------------------------------------------------


def test_rows_come_in_order_and_are_remembered():
    """Equal items are run once, within one call and over calls; a pair is not its texts joined."""
    ran = []

    def model(items):
        ran.extend(items)
        return [[0.5, len(str(item)) / 100] for item in items]

    handle = handle_of(ModelSpec("pairs", model, labels=("a", "b")))
    first = handle([("ab", "c"), ("a", "bc"), ("ab", "c")])
    assert first[0] == first[2]
    assert sorted(ran) == [("a", "bc"), ("ab", "c")]
    assert handle([("a", "bc")]) == [first[1]]
    assert len(ran) == 2


def test_nothing_is_loaded_before_it_is_asked_for():
    """A handle costs nothing; `preload` asks the model once and tells what is wrong with it."""

    def broken(items):
        raise OSError("no such file")

    handle = handle_of(spec_of(broken))
    with pytest.raises(OSError, match="no such file"):
        preload([spec_of(broken)])
    with pytest.raises(OSError, match="no such file"):
        handle(["x"])


@pytest.mark.parametrize(
    "row", [[math.nan, 0.0], [1.5, 0.0], [-0.1, 0.0], [0.5], [0.5, 0.1, 0.4], [], ["x", "y"], [math.inf, 0.0]]
)
def test_what_is_no_score_is_an_error(row):
    """A model that gives anything but a score per label fails, and is not remembered."""
    handle = handle_of(spec_of(lambda items: [row for _ in items]))
    for _ in range(2):
        with pytest.raises((ValueError, TypeError)):
            handle(["x"])


def test_a_result_too_few_is_an_error():
    """Rows cannot be told apart where their number is wrong."""
    with pytest.raises(ValueError, match="gave 1 results for 2 items"):
        handle_of(spec_of(lambda items: [[0.1, 0.9]]))(["x", "y"])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_loads_its_own():
    """After a fork the child asks its own model, though the parent's was at work and its locks were held."""
    begun, go_on = threading.Event(), threading.Event()

    def model(items):
        if "wait" in items:
            begun.set()
            go_on.wait(20)
        return lengths(items)

    handle = handle_of(spec_of(model))
    thread = threading.Thread(target=handle, args=(["wait"],))
    thread.start()
    begun.wait(20)
    child = os.fork()
    if child == 0:
        os._exit(0 if handle_of(spec_of(model))(["x" * 50]) == [(0.5, 0.0)] else 1)
    status = os.waitpid(child, 0)[1]
    go_on.set()
    thread.join()
    assert os.waitstatus_to_exitcode(status) == 0


# -- batches -----------------------------------------------------------------------------------------------------------


def test_batches_hold_items_of_like_length():
    """No batch is heavier than it may be, unless it is one item; every result finds its place."""
    seen = []

    def run(items):
        seen.append(list(items))
        return [item * 2 for item in items]

    items = [300, 1, 2, 290, 3, 5000, 280]
    assert Batcher(run, lambda item: item, most=3, most_weight=900)(items) == [item * 2 for item in items]
    assert all(len(batch) == 1 or len(batch) * max(batch) <= 900 for batch in seen)
    assert max(map(len, seen)) == 3
    assert Batcher(run, lambda item: item)([]) == []


def test_many_callers_share_batches():
    """What comes while a batch runs goes together into the next; every caller gets its own results."""
    sizes, started = [], threading.Event()

    def run(items):
        sizes.append(len(items))
        started.set()
        time.sleep(0.02)
        return [item + 1 for item in items]

    batcher = Batcher(run, lambda item: 1)
    results = {}

    def ask(number):
        results[number] = [batcher([number * 100 + turn])[0] for turn in range(5)]

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert results == {number: [number * 100 + turn + 1 for turn in range(5)] for number in range(16)}
    assert sum(sizes) == 80
    assert len(sizes) <= 20


def test_one_caller_s_item_is_not_the_others_fault():
    """A batch that fails is run caller by caller: only whose item it was hears of it."""
    gate = threading.Event()

    def run(items):
        gate.wait(20)
        if "bad" in items:
            raise ValueError("bad item")
        return [item.upper() for item in items]

    batcher = Batcher(run, len)
    said = {}

    def ask(item):
        try:
            said[item] = batcher([item])
        except ValueError as fault:
            said[item] = str(fault)

    threads = [threading.Thread(target=ask, args=(item,)) for item in ("first", "a", "bad", "b")]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    gate.set()
    for thread in threads:
        thread.join(20)
    assert said == {"first": ["FIRST"], "a": ["A"], "b": ["B"], "bad": "bad item"}


def test_a_leader_that_is_interrupted_leaves_the_others_served():
    """An interrupt while a batch runs comes out of its own caller alone; what others brought is run again."""
    calls = []
    gate = threading.Event()

    def run(items):
        calls.append(list(items))
        if len(calls) == 2:
            raise KeyboardInterrupt
        gate.wait(20)
        return [item * 2 for item in items]

    batcher = Batcher(run, lambda item: 1)
    said = {}

    def ask(item):
        try:
            said[item] = batcher([item])
        except KeyboardInterrupt:
            said[item] = "interrupted"

    threads = [threading.Thread(target=ask, args=(item,)) for item in (1, 2, 3, 4)]
    for thread in threads:
        thread.start()
    time.sleep(0.05)
    gate.set()
    for thread in threads:
        thread.join(20)
    assert "interrupted" in said.values()
    assert sum(value == "interrupted" for value in said.values()) == 1
    assert all(value == [item * 2] for item, value in said.items() if value != "interrupted")
    assert batcher([7]) == [14]


@pytest.mark.parametrize("absent", ["torch", "transformers"])
def test_a_missing_extra_says_how_to_get_it(monkeypatch, absent):
    """Without torch or transformers a model that must be loaded is an error with the line for pip."""
    monkeypatch.setitem(sys.modules, "torch", types.ModuleType("torch") if absent != "torch" else None)
    monkeypatch.setitem(sys.modules, absent, None)
    with pytest.raises(MissingExtra, match=r"output-guards\[models\]"):
        handle_of(ModelSpec("classification", "some/model", revision=absent))(["x"])
