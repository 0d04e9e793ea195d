"""How long a server's faults are waited out: one policy for language models and for models of guards."""

from __future__ import annotations

import time
from email.utils import formatdate

import pytest
from tenacity import Retrying

from guards.clients import server_faults
from guards.wire import patience
from guards.wire.patience import passes, policy, wait_asked


def test_which_statuses_pass():
    """Time-outs, conflicts, too many requests and what is wrong with the server itself, but for what no retry changes;
    and a status in a body says the same as one of the answer."""
    assert [status for status in range(600) if passes(status)] == [
        408,
        409,
        429,
        500,
        *(status for status in range(502, 600) if status != 505),
    ]
    assert all(server_faults.passing(status) is passes(status) for status in range(1000))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "2"}, 2),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after": "2", "retry-after-ms": "300"}, 0.3),
        ({"retry-after": "121", "retry-after-ms": "x"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "9" * 5000}, None),
        ({"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}, 0),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 -2359"}, None),
        ({"retry-after": "Wed, 99 Oct 2015 07:28:00 GMT"}, None),
    ],
)
def test_what_a_server_asks_for(headers, seconds):
    """A number of seconds or milliseconds, or a date; nonsense and more than two minutes are left to the policy."""
    assert wait_asked(headers) == seconds


def test_a_date_to_come():
    """A date is the seconds until then."""
    assert 27 < (wait_asked({"retry-after": formatdate(time.time() + 30, usegmt=True)}) or 0) <= 30


def test_the_policy(monkeypatch):
    """Four tries; what the server asks for comes before the policy's own waiting, and the fault itself comes out."""
    waited, asked, tried = [], iter([7.0, None, 9.0, None]), []

    def fails():
        tried.append(len(tried))
        raise OSError(len(tried))

    with pytest.raises(OSError, match="^4$"):
        Retrying(**policy(lambda fault: True, lambda fault: next(asked)), sleep=waited.append)(fails)
    assert (len(tried), waited[0], waited[2]) == (4, 7.0, 9.0)
    assert 0 <= waited[1] <= patience._LONGEST_WAIT


def test_what_does_not_pass_is_tried_once():
    """A fault that stays is raised at once."""
    tried = []

    def fails():
        tried.append(1)
        raise OSError

    with pytest.raises(OSError):
        Retrying(**policy(lambda fault: False, lambda fault: None), sleep=tried.append)(fails)
    assert tried == [1]
