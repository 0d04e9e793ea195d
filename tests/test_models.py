"""Models: one per spec, loaded late, shared by all; items in common batches; nothing that is no score passes."""

from __future__ import annotations

import gc
import math
import pickle
import sys
import threading
import time
import types
import weakref
from pathlib import Path

import pytest
from forked import needs_fork, true_in_a_child

from guards import check, validate
from guards.contracts import Text
from guards.errors import ConfigError, MissingExtra
from guards.models import Endpoint, ModelSpec, handle_of, handles, nli_positions, nli_scores, position, preload
from guards.models.backend import backend_of
from guards.models.batching import Batcher
from guards.wire import patience


def lengths(items):
    return [[min(1.0, len(item) / 100), 0.0] for item in items]


class Unhashable:
    __hash__ = None

    def __call__(self, items):
        return lengths(items)


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
        ({"labels": "ab"}, "no list of different names"),
        ({"labels": ()}, "no list of different names"),
        ({"labels": ("a", "a")}, "no list of different names"),
        ({"labels": ("a", 1)}, "no list of different names"),
        ({"device": "gpu"}, "no device"),
        ({"device": None}, "no device"),
        ({"model": "https://"}, "no address"),
        ({"model": Unhashable()}, "cannot be hashed"),
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
    assert ModelSpec("embedding", "http://host/v1/") == ModelSpec("embedding", Endpoint("http://host/v1"))
    assert ModelSpec("embedding", "http://host/v1/").name == "http://host/v1"


def test_what_a_guard_is_given_as_its_model():
    """A spec of its task, what may stand in one, or nothing; labels are those of a function alone."""
    assert ModelSpec.of(None, "pairs", "m", ("a",)) == ModelSpec("pairs", "m")
    assert ModelSpec.of(lengths, "pairs", "m", ("a",)) == ModelSpec("pairs", lengths, ("a",))
    endpoint = Endpoint("http://host")
    assert ModelSpec.of(endpoint, "pairs", "m", ("a",)) == ModelSpec("pairs", endpoint)
    given = ModelSpec("pairs", "other")
    assert ModelSpec.of(given, "pairs", "m") is given
    with pytest.raises(ConfigError, match="the spec is for 'pairs'"):
        ModelSpec.of(given, "embedding", "m")


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


@pytest.mark.parametrize("row", ["1", b"\x00\x01", {0: 0.1, 1: 0.2}, {0, 1}, ["0.5", "0.5"]])
def test_what_only_turns_into_numbers_is_an_error(row):
    """Digits of a text and keys of a mapping are no scores, though they can be made numbers of."""
    with pytest.raises(TypeError, match="where a list of numbers was due"):
        handle_of(spec_of(lambda items: [row for _ in items]))(["x"])


def test_a_result_too_few_is_an_error():
    """Rows cannot be told apart where their number is wrong."""
    with pytest.raises(ValueError, match="gave 1 results for 2 items"):
        handle_of(spec_of(lambda items: [[0.1, 0.9]]))(["x", "y"])


def test_a_function_may_give_a_number():
    """Where there is one label, a row of one number is the number; what a text's tokens are is its words."""
    handle = handle_of(ModelSpec("classification", lambda items: [0.5 for _ in items], labels=("bad",), max_tokens=9))
    assert handle(["x"]) == [(0.5,)]
    assert (handle.labels, handle.limit, handle.spans("no, not")) == (("bad",), 9, [(0, 2), (2, 3), (4, 7)])


def test_functions_of_a_moment_are_let_go():
    """One made for each request does not stay for ever; one that is asked again and again keeps its handle and rows."""
    lasting, gone = handle_of(spec_of()), []
    for number in range(200):
        function = lambda items: lengths(items)
        handle_of(spec_of(function))([str(number)])
        gone.append(weakref.ref(function))
        assert handle_of(spec_of()) is lasting
    del function
    gc.collect()
    assert sum(function() is not None for function in gone) < 70


def test_no_more_is_remembered_than_has_room(monkeypatch):
    """Rows go when there are too many of them, or too many numbers in them, the oldest first."""
    monkeypatch.setattr(handles, "_MOST_NUMBERS", 6)
    ran = []

    def model(items):
        ran.extend(items)
        return lengths(items)

    handle = handle_of(spec_of(model))
    for text in "abcdda":
        handle([text])
    assert ran == ["a", "b", "c", "d", "a"]


# -- labels ------------------------------------------------------------------------------------------------------------


def test_a_label_by_its_name():
    """Case and joints do not count; of several names for the same the first that there is."""
    labels = ("Not_Toxic", "TOXIC", "severe-toxic")
    assert position(labels, "toxic", "forbid=") == 1
    assert position(labels, "severe toxic", "forbid=") == 2
    assert position(labels, ("harmful", "not toxic"), "forbid=") == 0


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        (("a", "b"), "forbid=: the model has no label 'toxic' or 'bad'; it has 'a', 'b'"),
        ((), "forbid=: the model has no label 'toxic' or 'bad'; it names none"),
        (("toxic", "Toxic"), "forbid=: the model has the label 'toxic' more than once: 'toxic', 'Toxic'; name them"),
        (("LABEL_0", "LABEL_1"), "its labels say nothing ('LABEL_0', 'LABEL_1'): name them in their order: ModelSpec("),
        (tuple(f"l{n}" for n in range(99)), "'l19' and 79 more"),
    ],
)
def test_a_label_that_is_not_there(labels, words):
    """The error lists what the model has, and says what to do about names that say nothing."""
    with pytest.raises(ConfigError) as caught:
        position(labels, ("toxic", "bad"), "forbid=")
    assert words in str(caught.value)


def test_the_labels_of_an_nli_model():
    """By name, in whatever order; a model of two labels never tells a contradiction."""
    three = nli_positions(("CONTRADICTION", "neutral", "Entailment"))
    assert nli_scores((0.1, 0.2, 0.7), three) == (0.7, 0.2, 0.1)
    two = nli_positions(("not_entailment", "entailment"))
    assert nli_scores((0.25, 0.75), two) == (0.75, 0.25, 0.0)
    for labels in (("LABEL_0", "LABEL_1", "LABEL_2"), ("yes", "no"), ("a",), ("entailment", "neutral", "other")):
        with pytest.raises(ConfigError, match="^model=: "):
            nli_positions(labels)


# -- faults ------------------------------------------------------------------------------------------------------------


def broken(items):
    raise RuntimeError("the model broke")


@pytest.mark.parametrize(
    "model",
    [
        "/no/such/folder",
        "/no/such/model.onnx",
        "embedded:no-such-model",
        Endpoint("http://127.0.0.1:9", key_env="NO_SUCH_VARIABLE"),
        Endpoint("http://127.0.0.1:9"),
        broken,
    ],
    ids=["folder", "onnx", "embedded", "endpoint without its key", "endpoint", "function"],
)
def test_every_back_end_s_fault_is_a_guard_that_failed(model, monkeypatch):
    """What cannot be loaded or run passes no answer: `guard.failed`, whatever the back end, and wherever it broke."""
    monkeypatch.setattr(patience, "_FIRST_WAIT", 0)
    spec = ModelSpec("classification", model, labels=("bad",))
    if not callable(model) and not (isinstance(model, Endpoint) and model.key_env is None):
        with pytest.raises(ConfigError):
            backend_of(spec)

    @check
    def harmless(value, context):
        return None if handle_of(spec)([value])[0][0] < 0.5 else "is bad"

    outcome = validate("hello", Text(), guards=[harmless])
    assert (outcome.ok, [finding.code for finding in outcome.findings]) == (False, ["guard.failed"])


@needs_fork
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
    try:
        assert true_in_a_child(lambda: handle_of(spec_of(model))(["x" * 50]) == [(0.5, 0.0)])
    finally:
        go_on.set()
        thread.join()


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
    """Without torch or transformers a model that must be loaded is an error with the line for pip, by which model it is."""
    monkeypatch.setitem(sys.modules, "torch", types.ModuleType("torch") if absent != "torch" else None)
    monkeypatch.setitem(sys.modules, absent, None)
    with pytest.raises(MissingExtra, match=r"output-guards\[models\]"):
        handle_of(ModelSpec("classification", "some/model", revision=absent))(["x"])
    with pytest.raises(MissingExtra, match=r"output-guards\[embedded\]"):
        handle_of(ModelSpec("classification", "embedded:toxicity", revision=absent))(["x"])
