"""Models behind an HTTP endpoint: a real server on loopback, what it is asked, and every way in which it can be wrong."""

from __future__ import annotations

import json
import math
import pickle
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from guards import check, validate
from guards.contracts import Text
from guards.errors import ConfigError
from guards.models import Endpoint, ModelSpec, _http, handle_of
from guards.models.backend import backend_of

KEY = "sk-very-secret"


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

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
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
    monkeypatch.setattr(_http, "_FIRST_WAIT", 0)


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


@pytest.mark.parametrize("fault", [(429, {}), (503, {}), (503, b"", {"Retry-After": "0"}), (502, {}), BREAK])
def test_what_passes_is_tried_again(fault):
    """Too many requests, a server that is away for a moment or a line that breaks: three times, and no more."""
    with Scorer(after(*[fault] * 3)) as server:
        assert handle_of(ModelSpec("classification", server.url))(["a"]) == [(0.25, 0.75)]
    with Scorer(after(*[fault] * 40)) as server:
        with pytest.raises(ConnectionError):
            handle_of(ModelSpec("classification", server.url))(["a"])
        assert len(server.asked) == 4


@pytest.mark.parametrize("status", [301, 400, 401, 404, 413, 422, 500])
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


def test_a_wait_that_the_server_asks_for():
    """Seconds of Retry-After come before the own waiting; a date, nonsense or an hour do not."""
    assert [_http._seconds(value) for value in ("2", "0", "soon", "3600", None)] == [2, 0, None, None, None]


def test_nobody_is_there():
    """A port where nothing listens, and a server that never answers, are errors that name the address."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{listening.getsockname()[1]}"
        with pytest.raises(ConnectionError, match=f"^{url} cannot be asked: ConnectionRefusedError"):
            handle_of(ModelSpec("classification", url))(["a"])
        listening.listen()
        with pytest.raises(ConnectionError, match=f"^{url} did not answer within 0.05 s$"):
            handle_of(ModelSpec("classification", Endpoint(url, timeout=0.05)))(["a"])


def test_https_is_spoken():
    """With an https address nothing is said to a server that cannot prove who it is."""
    with Scorer(scores) as server:
        with pytest.raises(ConnectionError, match="SSLError"):
            handle_of(ModelSpec("classification", server.url.replace("http:", "https:")))(["a"])
        assert server.asked == []
    context = backend_of(ModelSpec("classification", "https://127.0.0.1:9"))._line._connection()._context
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
