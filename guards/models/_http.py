"""Questions and answers in JSON over kept connections. What they say is their asker's affair.

Only the standard library speaks here. No proxy of the environment is used, no redirection followed (the key would go
along), and certificates are checked. Transient faults are tried again by tenacity, as the calls of the clients are.
"""

from __future__ import annotations

import http.client
import json
import os
import ssl
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from guards.errors import ConfigError
from guards.models.endpoint import Endpoint

if TYPE_CHECKING:
    from tenacity import RetryCallState

__all__ = ["Line"]

_TRIES: Final = 4
_FIRST_WAIT: Final = 0.25
_LONGEST_WAIT: Final = 5.0
_LONGEST_ASKED: Final = 30.0
"""Seconds that a server may ask to be left alone for; one that asks for more has the policy's own waiting."""
_TRANSIENT: Final = frozenset({408, 429, 502, 503, 504})
_MOST_BYTES: Final = 256 * 2**20
_SHOWN: Final = 80
"""Characters of a server's words in an error: they may quote what it was sent."""


class _Refused(ConnectionError):
    """An answer with another status than 2xx."""

    def __init__(self, message: str, status: int, wait: float | None) -> None:
        super().__init__(message)
        self.status = status
        self.wait = wait


class Line:
    """To one server: as many connections as there were questions at once, each opened again whenever it broke."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Raises ConfigError where the key that it names is not there."""
        self._endpoint = endpoint
        self._path = urlsplit(endpoint.url).path
        self._key = _key(endpoint.key_env)
        self._idle: list[http.client.HTTPConnection] = []

    def _connection(self) -> http.client.HTTPConnection:
        """One that is idle, or a new one, which opens with its first question."""
        with suppress(IndexError):
            return self._idle.pop()
        endpoint = self._endpoint
        parts = urlsplit(endpoint.url)
        host, port = str(parts.hostname), parts.port
        if parts.scheme == "https":
            context = ssl.create_default_context()
            return http.client.HTTPSConnection(host, port, timeout=endpoint.timeout, context=context)
        return http.client.HTTPConnection(host, port, timeout=endpoint.timeout)

    def post(self, path: str, question: dict[str, Any]) -> Any:
        """The answer to a question at a path under the base address.

        Raises ConnectionError for a server that cannot be reached, is too slow or refuses, and ValueError for an
        answer that is no JSON. Neither holds the key.
        """
        from tenacity import Retrying, retry_if_exception, stop_after_attempt

        body = json.dumps(question, allow_nan=False).encode()
        retrying = Retrying(
            stop=stop_after_attempt(_TRIES), wait=_wait, retry=retry_if_exception(_is_transient), reraise=True
        )
        connection = self._connection()
        try:
            answer: bytes = retrying(self._once, connection, self._path + path, body)
        except TimeoutError as fault:
            raise ConnectionError(f"{self._endpoint.url} did not answer within {self._endpoint.timeout:g} s") from fault
        except _Refused:
            raise
        except (OSError, http.client.HTTPException) as fault:
            raise ConnectionError(f"{self._endpoint.url} cannot be asked: {type(fault).__name__}: {fault}") from fault
        finally:
            self._idle.append(connection)
        try:
            return json.loads(answer)
        except ValueError as fault:
            raise ValueError(f"{self._endpoint.url} gave an answer that is no JSON") from fault

    def _once(self, connection: http.client.HTTPConnection, path: str, body: bytes) -> bytes:
        kept = connection.sock is not None
        try:
            return self._exchange(connection, path, body)
        except ConnectionError as fault:
            if not kept or isinstance(fault, _Refused):
                raise
            # The server had closed the line that was kept, which is no fault of its.
            return self._exchange(connection, path, body)

    def _exchange(self, connection: http.client.HTTPConnection, path: str, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json", "Accept": "application/json"}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            answer = response.read(_MOST_BYTES + 1)
        except BaseException:
            connection.close()  # whatever comes on this line later belongs to a question that is given up
            raise
        if len(answer) > _MOST_BYTES:
            connection.close()
            raise ValueError(f"{self._endpoint.url} gave an answer of more than {_MOST_BYTES} bytes")
        if not 200 <= response.status < 300:
            raise self._refusal(response, answer)
        return answer

    def _refusal(self, response: http.client.HTTPResponse, answer: bytes) -> _Refused:
        said = " ".join(answer[:2000].decode("utf-8", "replace").split())
        if self._key is not None:
            said = said.replace(self._key, "(the key)")
        words = f"{response.status} {response.reason}: {said[:_SHOWN]}".rstrip(" :")
        asked = _seconds(response.headers.get("Retry-After"))
        return _Refused(f"{self._endpoint.url} refused the question: {words}", response.status, asked)


def _key(variable: str | None) -> str | None:
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key or not key.isascii() or not key.isprintable():
        raise ConfigError(f"the environment variable {variable} holds no key", where="key_env=", hint=f"set {variable}")
    return key


def _is_transient(fault: BaseException) -> bool:
    """Gone at the next try perhaps. A server that was too slow is not asked again: the next answer would be as slow."""
    if isinstance(fault, _Refused):
        return fault.status in _TRANSIENT
    return isinstance(fault, ConnectionError | http.client.IncompleteRead)


def _wait(state: RetryCallState) -> float:
    """What the server asks for; else longer each time, with jitter."""
    from tenacity import wait_random_exponential

    fault = state.outcome.exception() if state.outcome else None
    asked = fault.wait if isinstance(fault, _Refused) else None
    return asked if asked is not None else wait_random_exponential(multiplier=_FIRST_WAIT, max=_LONGEST_WAIT)(state)


def _seconds(value: str | None) -> float | None:
    """Of a Retry-After that is a number (RFC 9110, 10.2.3). A date is left to the own waiting."""
    if value is None or not value.strip().isdecimal():
        return None
    seconds = float(value)
    return seconds if seconds <= _LONGEST_ASKED else None
