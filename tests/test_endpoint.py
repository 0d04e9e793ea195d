"""Models behind an HTTP endpoint: a real server on loopback, what it is asked, and every way in which it can be wrong."""

from __future__ import annotations

import asyncio
import json
import math
import pickle
import socket
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from forked import needs_fork, true_in_a_child
from server import Drip, Server

pytest.importorskip("httpx2", reason="the extra `endpoint` is not installed")

from guards import check, validate  # noqa: E402
from guards.contracts import Text  # noqa: E402
from guards.errors import ConfigError, MissingExtra  # noqa: E402
from guards.models import Endpoint, ModelSpec, _http, handle_of  # noqa: E402
from guards.models.backend import AsyncBackend, backend_of  # noqa: E402
from guards.wire import patience  # noqa: E402

KEY = "sk-very-secret"


class _Http(ThreadingHTTPServer):
    request_queue_size = 128


class Scorer:
    """A server that answers by a function of (path, question), which gives a status, an answer and headers."""

    def __init__(self, answer):
        self.asked = []
        """(path, question, headers), in order."""
        self.lines = 0
        """Connections that were opened."""
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                outer.lines += 1
                super().setup()

            def do_POST(self):
                question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                outer.asked.append((self.path, question, dict(self.headers)))
                given = answer(self.path, question)
                status, body, headers = (*given, {})[:3] if isinstance(given, tuple) else (200, given, {})
                if body is None:  # the line breaks
                    self.close_connection = True
                    return
                data = body if isinstance(body, bytes) else json.dumps(body).encode()
                self.send_response(status)
                for name, value in ({"Content-Length": str(len(data))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(data)
                self.close_connection = headers.get("X-Then") == "close"

            def log_message(self, *arguments):
                pass

        self._http = _Http(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._http.block_on_close = False
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self):
        threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *exception):
        self._http.shutdown()
        self._http.server_close()


@pytest.fixture(autouse=True)
def no_waiting(monkeypatch):
    monkeypatch.setattr(patience, "_FIRST_WAIT", 0)


def embeddings(path, question):
    data = [{"index": n, "embedding": [3 * len(text), 4 * len(text)]} for n, text in enumerate(question["input"])]
    return {"object": "list", "data": data[::-1], "model": question.get("model")}


def scores(path, question):
    rows = [[0.25, 0.75] if isinstance(item, str) else [0.5, 0.5] for item in question["items"]]
    return {"labels": ["toxic", "fine"], "rows": rows}


def predictions(path, question):
    names = ["LABEL_10", "LABEL_2", "LABEL_1"]
    return [
        [{"label": name, "score": (n + len(texts)) / 10} for n, name in enumerate(names)]
        for texts in question["inputs"]
    ]


# -- what is asked, and what comes of it -------------------------------------------------------------------------------


def test_embeddings():
    """Texts go in the form of OpenAI's interface; vectors come back in order, by their index, of length 1."""
    with Scorer(embeddings) as server:
        spec = ModelSpec("embedding", Endpoint(f"{server.url}/v1/", model="mini", most=2))
        assert spec.name == f"{server.url}/v1 (mini)"
        handle = handle_of(spec)
        rows = handle(["a", "bb", "c\ud800"])
        assert handle.labels == ()
        assert rows == [pytest.approx((0.6, 0.8))] * 3
        assert {path for path, _, _ in server.asked} == {"/v1/embeddings"}
        assert sorted(question["input"] for _, question, _ in server.asked) == [["a", "bb"], ["c\ufffd"]]
        assert all(question["model"] == "mini" for _, question, _ in server.asked)
        assert server.lines == 1


def test_scores():
    """Texts and pairs go as they are; the labels are learned from an answer, or named by the spec for their places."""
    with Scorer(scores) as server:
        one = handle_of(ModelSpec("classification", server.url))
        assert one(["a"]) == [(0.25, 0.75)]
        assert one.labels == ("toxic", "fine")
        assert server.asked == [("/score", {"items": ["a"]}, server.asked[0][2])]
        two = handle_of(ModelSpec("pairs", server.url))
        assert two.labels == ("toxic", "fine")  # it has to ask for them
        assert two([("a", "b")]) == [(0.5, 0.5)]
        assert server.asked[-1][1] == {"items": [["a", "b"]]}
        named = handle_of(ModelSpec("pairs", server.url, labels=("yes", "no"), max_tokens=7))
        assert (named.labels, named.limit, named.spans("a b.")) == (("yes", "no"), 7, [(0, 1), (2, 3), (3, 4)])


def test_a_server_that_names_no_labels():
    """Then the spec has to."""
    with Scorer(lambda path, question: {"rows": [[1]] * len(question["items"])}) as server:
        assert handle_of(ModelSpec("classification", server.url, labels=("bad",)))(["a"]) == [(1.0,)]
        with pytest.raises(ValueError, match="nor does the spec name them"):
            handle_of(ModelSpec("classification", server.url))(["a"])


def test_predictions():
    """An address that ends in /predict is asked in its own form; the labels get an order that lasts, numbers by value."""
    with Scorer(predictions) as server:
        handle = handle_of(ModelSpec("pairs", f"{server.url}/predict"))
        assert handle([("a", "b")]) == [(0.4, 0.3, 0.2)]
        assert handle.labels == ("LABEL_1", "LABEL_2", "LABEL_10")
        assert server.asked == [("/predict", {"inputs": [["a", "b"]], "truncate": True}, server.asked[0][2])]


# -- the line ----------------------------------------------------------------------------------------------------------


def test_the_key_goes_to_the_server_and_nowhere_else(monkeypatch):
    """It is read from the environment, and stands in no text, record or error, though the server repeats it."""
    monkeypatch.setenv("SCORER_KEY", KEY)
    with Scorer(lambda path, question: (401, {"error": f"{KEY} is not known"})) as server:
        spec = ModelSpec("classification", Endpoint(server.url, key_env="SCORER_KEY"))
        with pytest.raises(ConnectionError, match="401 Unauthorized") as caught:
            handle_of(spec)(["a"])
        assert server.asked[0][2]["Authorization"] == f"Bearer {KEY}"
        shown = [repr(spec), spec.name, str(caught.value), repr(caught.value), pickle.dumps(spec).decode("latin-1")]
        assert not any(KEY in text for text in shown)
        assert len(server.asked) == 1


@pytest.mark.parametrize("value", [None, " ", "a\nb", "é"])
def test_a_key_that_is_none(monkeypatch, value):
    """A variable that is not set, or holds what no header can carry, is an error that names it and not its content."""
    monkeypatch.delenv("SCORER_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("SCORER_KEY", value)
    spec = ModelSpec("classification", Endpoint("http://127.0.0.1:9", key_env="SCORER_KEY"))
    with pytest.raises(
        ConfigError, match="^key_env=: the environment variable SCORER_KEY holds no key; set SCORER_KEY$"
    ):
        handle_of(spec)(["a"])


def after(*faults, then=scores):
    """A server that first answers so."""
    left = list(faults)
    return lambda path, question: left.pop(0) if left else then(path, question)


BREAK = (0, None)


@pytest.mark.parametrize("fault", [(429, {}), (500, {}), (503, {}), (503, b"", {"Retry-After": "0"}), (529, {}), BREAK])
def test_what_passes_is_tried_again(fault):
    """Too many requests, a server that is away for a moment or a line that breaks: three times, and no more."""
    with Scorer(after(*[fault] * 3)) as server:
        assert handle_of(ModelSpec("classification", server.url))(["a"]) == [(0.25, 0.75)]
    with Scorer(after(*[fault] * 40)) as server:
        with pytest.raises(ConnectionError):
            handle_of(ModelSpec("classification", server.url))(["a"])
        assert len(server.asked) == 4


@pytest.mark.parametrize("status", [301, 400, 401, 404, 413, 422, 501, 505])
def test_what_stays_is_not(status):
    """Any other status is an error with the server's first words, after one question; a redirection is not followed."""
    with Scorer(lambda path, question: (status, {"error": "x" * 500}, {"Location": "/else"})) as server:
        with pytest.raises(ConnectionError, match=f"refused the question: {status} ") as caught:
            handle_of(ModelSpec("classification", server.url))(["a"])
        assert len(server.asked) == 1
        assert len(str(caught.value)) < 200


def test_a_server_that_closes_its_lines():
    """A kept line that the server has closed is opened again at once, and does not count as a fault."""
    with Scorer(lambda path, question: (200, scores(path, question), {"X-Then": "close"})) as server:
        handle = handle_of(ModelSpec("classification", server.url))
        assert [handle([text]) for text in "abc"] == [[(0.25, 0.75)]] * 3
        assert (server.lines, len(server.asked)) == (3, 3)


def test_all_tries_end_with_one_time_out():
    """The time-out is for all tries and waits together: a wait that goes beyond it is not begun."""
    with Scorer(lambda path, question: (503, {}, {"Retry-After": "60"})) as server:
        began = time.monotonic()
        with pytest.raises(ConnectionError, match="503 Service Unavailable"):
            handle_of(ModelSpec("classification", Endpoint(server.url, timeout=5)))(["a"])
        assert time.monotonic() - began < 3
        assert len(server.asked) == 1


def test_an_answer_that_drips():
    """An answer that comes a byte at a time, each within the time-out, ends with it all the same; in an event loop
    its headers do too."""
    with Server([Drip("body"), Drip("body"), Drip("headers")]) as server:
        backend = backend_of(ModelSpec("classification", Endpoint(server.url, timeout=0.4)))
        began = time.monotonic()
        with pytest.raises(ConnectionError, match=r"did not answer within 0.4 s$"):
            backend.run(["a"])
        for _ in range(2):
            with pytest.raises(ConnectionError, match=r"did not answer within 0.4 s$"):
                asyncio.run(backend.arun(["a"]))
        assert time.monotonic() - began < 5


def test_nobody_waits_while_another_is_waiting_to_ask_again():
    """While one question waits for a server that asked for it, others are put and answered."""
    told = threading.Event()

    def answer(path, question):
        if question["items"] == ["slow"] and not told.is_set():
            told.set()
            return 503, {}, {"Retry-After": "1"}
        return scores(path, question)

    with Scorer(answer) as server:
        backend = backend_of(ModelSpec("classification", server.url))
        ended = []
        slow = threading.Thread(target=lambda: ended.append(backend.run(["slow"])))
        slow.start()
        assert told.wait(10)
        assert backend.run(["quick"]) == [(0.25, 0.75)]
        assert not ended
        slow.join()
        assert ended == [[(0.25, 0.75)]]


def test_connections_are_pooled():
    """One after another there is one connection; as many as there are questions at once, when there are some."""
    together = threading.Barrier(4)

    def answer(path, question):
        if question["items"] == ["together"]:
            together.wait(10)
        return scores(path, question)

    with Scorer(answer) as server:
        backend = backend_of(ModelSpec("classification", server.url))
        for _ in range(5):
            backend.run(["a"])
        assert server.lines == 1
        for _ in range(2):
            threads = [threading.Thread(target=backend.run, args=(["together"],)) for _ in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        assert server.lines == 4


def test_nothing_of_the_environment(monkeypatch, tmp_path):
    """No proxy, no password file and no cookie goes into a question."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login me password secret", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with Scorer(lambda path, question: (200, scores(path, question), {"Set-Cookie": "a=b; Path=/"})) as server:
        backend = backend_of(ModelSpec("classification", server.url))
        for _ in range(2):
            backend.run(["a"])
            asyncio.run(backend.arun(["a"]))
        assert len(server.asked) == 4
        assert not any({"Cookie", "cookie", "Authorization"} & set(headers) for _, _, headers in server.asked)


@needs_fork
def test_a_child_has_connections_of_its_own():
    """A forked child asks over a line of its own, and the parent's goes on as if nothing had been."""
    with Scorer(scores) as server:
        backend = backend_of(ModelSpec("classification", server.url))
        backend.run(["a"])
        assert true_in_a_child(lambda: backend.run(["b"]) == asyncio.run(backend.arun(["b"])) == [(0.25, 0.75)])
        backend.run(["c"])
        assert server.lines == 3


def test_without_httpx(monkeypatch):
    """Where the library is not installed, loading the model says what brings it."""
    monkeypatch.setitem(sys.modules, "httpx2", None)
    with pytest.raises(MissingExtra, match=r"pip install 'output-guards\[endpoint\]'"):
        backend_of(ModelSpec("classification", "http://127.0.0.1:9"))


# -- in an event loop --------------------------------------------------------------------------------------------------


def test_many_tasks_at_once():
    """In an event loop the questions of many tasks wait for the server side by side, and no thread is begun for them."""
    together = threading.Barrier(20)

    def answer(path, question):
        together.wait(10)
        return {"labels": ["a"], "rows": [[float(question["items"][0])]]}

    async def all_of_them(backend):
        answers = await asyncio.gather(*(backend.arun([f"0.{number}"]) for number in range(20)))
        assert {thread.name for thread in threading.enumerate()} <= before | serving()
        return answers

    def serving():
        return {thread.name for thread in threading.enumerate() if "process_request_thread" in thread.name}

    with Scorer(answer) as server:
        before = {thread.name for thread in threading.enumerate()}
        backend = backend_of(ModelSpec("classification", server.url))
        assert isinstance(backend, AsyncBackend)
        assert server.asked == []
        assert asyncio.run(all_of_them(backend)) == [[(float(f"0.{number}"),)] for number in range(20)]


def test_one_event_loop_after_another():
    """Each loop has connections of its own, which it pools, and which are closed when it ends."""

    async def thrice(backend):
        return [await backend.arun([text]) for text in "abc"]

    with Scorer(scores) as server:
        backend = backend_of(ModelSpec("classification", server.url))
        for lines in (1, 2):
            assert asyncio.run(thrice(backend)) == [[(0.25, 0.75)]] * 3
            assert server.lines == lines
            assert backend._line._of_loops == {}


@pytest.mark.parametrize("fault", [(503, {}), BREAK])
def test_what_passes_is_tried_again_in_an_event_loop(fault):
    """As in a thread: three times, and no more; what stays is an error after one question."""
    with Scorer(after(*[fault] * 3)) as server:
        assert asyncio.run(backend_of(ModelSpec("classification", server.url)).arun(["a"])) == [(0.25, 0.75)]
        assert len(server.asked) == 4
    with Scorer(lambda path, question: (401, {"error": "who?"})) as server:
        with pytest.raises(ConnectionError, match="401 Unauthorized"):
            asyncio.run(backend_of(ModelSpec("classification", server.url)).arun(["a"]))
        assert len(server.asked) == 1


def test_a_task_that_is_cancelled():
    """Who cancels a question is not asked to wait for its answer, and the next one is put over a line of its own."""
    going, free = threading.Event(), threading.Event()

    def answer(path, question):
        if question["items"] == ["slow"]:
            going.set()
            free.wait(10)
        return scores(path, question)

    async def cancelled(backend):
        task = asyncio.create_task(backend.arun(["slow"]))
        await asyncio.to_thread(going.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await backend.arun(["quick"])

    with Scorer(answer) as server:
        try:
            assert asyncio.run(cancelled(backend_of(ModelSpec("classification", server.url)))) == [(0.25, 0.75)]
        finally:
            free.set()


def test_nothing_is_left_open():
    """A program that asks from a thread and from two event loops ends without a connection left open."""
    program = """
import asyncio, gc, sys
from guards.models import ModelSpec
from guards.models.backend import backend_of
backend = backend_of(ModelSpec("classification", sys.argv[1]))
backend.run(["a"])
for _ in range(2):
    asyncio.run(backend.arun(["a"]))
del backend
gc.collect()
kept = backend_of(ModelSpec("classification", sys.argv[1]))
kept.run(["a"])
"""
    with Scorer(scores) as server:
        done = subprocess.run(
            [sys.executable, "-W", "always::ResourceWarning", "-c", program, server.url],
            capture_output=True,
            text=True,
            check=False,
        )
        assert (done.returncode, done.stderr) == (0, "")
        assert server.lines == 4


# -- what cannot be asked ----------------------------------------------------------------------------------------------


def test_nobody_is_there():
    """A port where nothing listens, and a server that never answers, are errors that name the address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(ConnectionError, match=f"^{url} cannot be asked: ConnectError"):
            handle_of(ModelSpec("classification", url))(["a"])
        listening.listen()
        with pytest.raises(ConnectionError, match=f"^{url} did not answer within 0.05 s$"):
            handle_of(ModelSpec("classification", Endpoint(url, timeout=0.05)))(["a"])


def test_https_is_spoken():
    """With an https address nothing is said to a server that cannot prove who it is."""
    with Scorer(scores) as server:
        with pytest.raises(ConnectionError, match=r"ConnectError: .*SSL"):
            handle_of(ModelSpec("classification", server.url.replace("http:", "https:")))(["a"])
        assert server.asked == []
    context = backend_of(ModelSpec("classification", "https://127.0.0.1:9"))._line._options["verify"]
    assert (context.check_hostname, context.verify_mode.name) == (True, "CERT_REQUIRED")


# -- answers that are none ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("task", "path", "answer"),
    [
        ("embedding", "", b"{"),
        ("embedding", "", {}),
        ("embedding", "", []),
        ("embedding", "", {"data": [{"index": 1, "embedding": [1]}]}),
        ("embedding", "", {"data": []}),
        ("embedding", "", {"data": [{"index": 0, "embedding": "AAAA"}]}),
        ("embedding", "", {"data": [{"index": 0, "embedding": [0, 0]}]}),
        ("embedding", "", {"data": [{"index": 0, "embedding": [1, None]}]}),
        ("embedding", "", b'{"data": [{"index": 0, "embedding": [1, NaN]}]}'),
        ("classification", "", {"labels": ["a"]}),
        ("classification", "", {"labels": "ab", "rows": [[0.1, 0.9]]}),
        ("classification", "", {"labels": [1, 2], "rows": [[0.1, 0.9]]}),
        ("classification", "", {"labels": ["a", "b"], "rows": [[0.1]]}),
        ("classification", "", {"labels": ["a", "b"], "rows": []}),
        ("classification", "", {"labels": ["a", "b"], "rows": [[0.1, "0.9"]]}),
        ("classification", "", {"labels": ["a", "b"], "rows": [[True, False]]}),
        ("classification", "", {"labels": ["a", "b"], "rows": [[1.1, 0]]}),
        ("classification", "", {"labels": ["a", "b"], "rows": 3}),
        ("classification", "", "rows"),
        ("classification", "/predict", []),
        ("classification", "/predict", {"error": "x"}),
        ("classification", "/predict", [[{"label": "a"}]]),
        ("classification", "/predict", [[{"label": 1, "score": 1}]]),
        ("classification", "/predict", [[]]),
        ("classification", "/predict", [[{"label": "a", "score": "1"}]]),
    ],
)
def test_answers_that_are_none(task, path, answer):
    """What is not the shape, the number or the kind of number that was asked for never becomes a score."""
    with Scorer(lambda path, question: answer) as server:
        with pytest.raises(ValueError, match=server.url):
            handle_of(ModelSpec(task, server.url + path))(["a"])


def test_labels_that_differ():
    """Items with other labels than the others, more than the spec names, or another model from one day to the next."""
    unlike = [[{"label": "a", "score": 0.5}], [{"label": "a", "score": 0.5}, {"label": "b", "score": 0.5}]]
    with Scorer(lambda path, question: unlike) as server:
        with pytest.raises(ValueError, match="other labels for one item"):
            handle_of(ModelSpec("classification", f"{server.url}/predict"))(["a", "b"])
    with Scorer(after({"labels": ["fine", "toxic"], "rows": [[1, 0]]})) as server:
        handle = handle_of(ModelSpec("classification", server.url))
        handle(["a"])
        with pytest.raises(ValueError, match="another model is served now"):
            handle(["b"])
        with pytest.raises(ValueError, match="2 labels where the spec names 1"):
            handle_of(ModelSpec("classification", server.url, labels=("a",)))(["a"])


def test_vectors_of_another_width():
    """Vectors of one model are of one width."""
    wide = {"data": [{"index": 0, "embedding": [1, 2, 3]}]}
    with Scorer(after(wide, then=embeddings)) as server:
        handle = handle_of(ModelSpec("embedding", server.url))
        handle(["a"])
        with pytest.raises(ValueError, match="vectors of 2 numbers after some of 3"):
            handle(["b"])


def test_an_answer_without_end(monkeypatch):
    """More than a model could say is not read to the end."""
    monkeypatch.setattr(_http, "_MOST_BYTES", 20)
    with Scorer(scores) as server, pytest.raises(ValueError, match="more than 20 bytes"):
        handle_of(ModelSpec("classification", server.url))(["a"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"url": "ftp://host"}, "no address"),
        ({"url": "http://"}, "no address"),
        ({"url": "http://host:x"}, "no address"),
        ({"url": "http://host:99999"}, "no address"),
        ({"url": "http://[::1"}, "no address"),
        ({"url": "http://ho st"}, "no address"),
        ({"url": f"http://me:{KEY}@host"}, "more than host and path"),
        ({"url": f"http://host/?key={KEY}"}, "more than host and path"),
        ({"timeout": 0}, "no time"),
        ({"timeout": math.nan}, "no time"),
        ({"most": 0}, "from 1 on"),
        ({"most": True}, "from 1 on"),
    ],
)
def test_an_endpoint_that_cannot_be_asked(options, words):
    """Said where it is written, without repeating what may be a secret."""
    with pytest.raises(ConfigError, match=words) as caught:
        Endpoint(**{"url": "http://host", **options})
    assert KEY not in str(caught.value)


def test_a_fault_of_the_server_is_a_guard_that_failed():
    """A guard whose model cannot be asked does not pass the answer: `guard.failed`, with what happened."""
    with Scorer(lambda path, question: (500, {"error": "out of memory"})) as server:
        spec = ModelSpec("classification", server.url)

        @check
        def harmless(value, context):
            return None if handle_of(spec)([value])[0][0] < 0.5 else "is toxic"

        outcome = validate("hello", Text(), guards=[harmless])
    assert not outcome.ok
    assert [finding.code for finding in outcome.findings] == ["guard.failed"]
    assert "500 Internal Server Error" in outcome.findings[0].message
