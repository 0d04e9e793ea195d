"""Is an SDK's fault one of the transport, gone at the next try perhaps, and how long did the server ask to wait?

The SDKs make their exceptions alike (a `status_code`, a `response` with headers, classes called `APIConnectionError`),
so they are told by that and by the module of a class; no SDK is imported to ask. What a server says in a body of
status 200 is `server_faults`'.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from guards.clients.server_faults import may_pass, passing
from guards.errors import ServerFault
from guards.wire.patience import wait_asked

__all__ = ["retry_after", "transient"]

_CONNECTION: Final = frozenset({"APIConnectionError", "APITimeoutError", "Timeout", "RetryableError"})
_SDKS: Final = frozenset({"openai", "anthropic", "litellm"})
_HTTP: Final = frozenset({"httpx", "httpx2", "httpcore", "httpcore2"})


def transient(fault: BaseException) -> bool:
    """Connection errors, time-outs, 408, 409, 429, 5xx (529 too), a body that breaks off, and the same said in a body
    of status 200 or in a stream.

    Not what stays wrong: 400, 401, 403, 404, 422, a quota that is used up, or a server that says so
    (`x-should-retry: false`).
    """
    if isinstance(fault, ServerFault):
        return fault.passing
    if isinstance(fault, json.JSONDecodeError):
        return True  # the SDKs let it through where a body that calls itself JSON is none
    status = getattr(fault, "status_code", None)
    said = _headers(fault).get("x-should-retry")
    if isinstance(said, str) and (word := said.strip().lower()) in ("true", "false"):
        return word == "true"
    if getattr(fault, "code", None) == "insufficient_quota":
        return False
    if _is_connection(fault):
        return True
    if not _of_sdk(fault):
        return False
    if isinstance(status, int) and status >= 400:
        return passing(status)
    # An error in the middle of a stream: the status was a good one.
    return may_pass(getattr(fault, "body", None))


def retry_after(fault: BaseException) -> float | None:
    """Seconds that the server asked to wait; None if it did not say."""
    return wait_asked(_headers(fault))


def _is_connection(fault: BaseException) -> bool:
    for kind in type(fault).__mro__:
        root = kind.__module__.partition(".")[0]
        if root in _SDKS and kind.__name__ in _CONNECTION:
            return True
        if root in _HTTP and kind.__name__ == "TransportError":
            return True
    return False


def _of_sdk(fault: BaseException) -> bool:
    kinds = type(fault).__mro__
    if any(kind.__name__ == "APIResponseValidationError" for kind in kinds):
        return False  # it carries the status of an answer that came, only of another shape
    return any(kind.__module__.partition(".")[0] in _SDKS for kind in kinds)


def _headers(fault: BaseException) -> Mapping[str, str]:
    headers: Any = getattr(getattr(fault, "response", None), "headers", None)
    return headers if hasattr(headers, "get") else {}
