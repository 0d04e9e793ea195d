"""Questions and answers in JSON over pooled connections, by httpx2. What they say is their asker's affair.

No proxy of the environment is used, no redirection followed (the key would go along), and certificates are checked.
Faults that pass are waited out as those of the clients are, but all tries and waits together end with one time-out.
"""

from __future__ import annotations

import asyncio
import json
import os
import ssl
import time
import weakref
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from guards.errors import ConfigError, MissingExtra
from guards.models.endpoint import Endpoint
from guards.wire.patience import passes, policy, wait_asked

if TYPE_CHECKING:
    import httpx2

__all__ = ["Line"]

_MOST_BYTES: Final = 256 * 2**20
_SHOWN: Final = 80
"""Characters of a server's words in an error: they may quote what it was sent."""
_DAY: Final = 86_400.0
"""Seconds; what a socket takes for a time-out has an end."""


class _Refused(ConnectionError):
    """An answer with another status than 2xx."""

    def __init__(self, message: str, status: int, wait: float | None) -> None:
        super().__init__(message)
        self.status = status
        self.wait = wait


class Line:
    """To one server, for any number of threads and event loops at once. A forked child has connections of its own."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Opens nothing yet. Raises MissingExtra without httpx2, ConfigError where the endpoint's key is not there."""
        try:
            import httpx2
        except ImportError as fault:
            raise MissingExtra("httpx2", "endpoint", where=f"model={endpoint.url}") from fault
        self._endpoint = endpoint
        self._key = _key(endpoint.key_env)
        self._httpx = httpx2
        self._renew()

    def _renew(self) -> None:
        secure = self._endpoint.url.startswith("https:")
        # The second one trusts nobody; where nothing is encrypted, nobody's certificates have to be read.
        context = ssl.create_default_context() if secure else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=()))
        self._options: dict[str, Any] = {"trust_env": False, "verify": context, "cookies": no_cookies}
        self._process = os.getpid()
        self._client = self._httpx.Client(**self._options)
        self._of_loops: dict[asyncio.AbstractEventLoop, _Kept] = {}
        weakref.finalize(self, _close, self._client, self._process)

    def post(self, path: str, question: dict[str, Any]) -> Any:
        """The answer to a question at a path under the base address.

        Raises ConnectionError for a server that cannot be reached, is too slow or refuses, and ValueError for an
        answer that is no JSON. Neither holds the key. The time-out is looked at with each piece of the answer's body;
        headers that come a byte at a time end with the 100 kB that httpx2 reads of them.
        """
        from tenacity import Retrying

        self._check_process()
        asking = self._asking(path, question)
        with self._told():
            return self._read(Retrying(**asking.retrying, sleep=time.sleep)(self._once, asking))

    async def apost(self, path: str, question: dict[str, Any]) -> Any:
        """As `post`; the time-out is kept to the moment. Each event loop's connections are closed when it ends."""
        from tenacity import AsyncRetrying

        self._check_process()
        asking = self._asking(path, question)
        with self._told():
            async with asyncio.timeout(self._endpoint.timeout):
                client = await self._of_this_loop()
                once = partial(self._once_async, client, asking)
                return self._read(await AsyncRetrying(**asking.retrying, sleep=asyncio.sleep)(once))

    def _check_process(self) -> None:
        if self._process != os.getpid():
            # Kept, since to let go of them is to close them, and they may hold a lock of a thread that is not here.
            _PARENTS.append((self._client, self._of_loops))
            self._renew()

    def _asking(self, path: str, question: dict[str, Any]) -> _Asking:
        headers = {"Content-Type": "application/json", "Accept": "application/json", "Accept-Encoding": "identity"}
        if self._key is not None:
            headers["Authorization"] = f"Bearer {self._key}"
        request = {
            "method": "POST",
            "url": self._endpoint.url + path,
            "content": json.dumps(question, allow_nan=False).encode(),
            "headers": headers,
        }
        return _Asking(request, self._endpoint, self._transient)

    def _once(self, asking: _Asking) -> bytes:
        answer = bytearray()
        with self._client.stream(**asking.request, timeout=asking.left()) as response:
            for piece in response.iter_raw():
                answer += piece
                asking.check(answer)
        return self._accepted(response, answer)

    async def _once_async(self, client: httpx2.AsyncClient, asking: _Asking) -> bytes:
        answer = bytearray()
        async with client.stream(**asking.request, timeout=asking.left()) as response:
            async for piece in response.aiter_raw():
                answer += piece
                asking.check(answer)
        return self._accepted(response, answer)

    async def _of_this_loop(self) -> httpx2.AsyncClient:
        loop = asyncio.get_running_loop()
        if loop not in self._of_loops:
            client = self._httpx.AsyncClient(**self._options)
            self._of_loops[loop] = kept = _Kept(client, _until_end(loop, client, self._of_loops))
            await anext(kept.until_end)
        return self._of_loops[loop].client

    def _accepted(self, response: httpx2.Response, answer: bytearray) -> bytes:
        if response.is_success:
            return bytes(answer)
        said = " ".join(answer[:2000].decode("utf-8", "replace").split())
        words = f"{response.status_code} {response.reason_phrase}: {self._without_key(said)[:_SHOWN]}".rstrip(" :")
        message = f"{self._endpoint.url} refused the question: {words}"
        raise _Refused(message, response.status_code, wait_asked(response.headers))

    def _read(self, answer: bytes) -> Any:
        try:
            return json.loads(answer)
        except ValueError as fault:
            raise ValueError(f"{self._endpoint.url} gave an answer that is no JSON") from fault

    def _transient(self, fault: BaseException) -> bool:
        """Gone at the next try perhaps. A server that was too slow is not asked again: there is no time left."""
        if isinstance(fault, _Refused):
            return passes(fault.status)
        return isinstance(fault, self._httpx.TransportError) and not isinstance(fault, self._httpx.TimeoutException)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """The transport's faults as ours. Theirs hold the request, and with it the key: they do not go along."""
        try:
            yield
        except (TimeoutError, self._httpx.TimeoutException):
            url, seconds = self._endpoint.url, self._endpoint.timeout
            raise ConnectionError(f"{url} did not answer within {seconds:g} s") from None
        except (self._httpx.HTTPError, self._httpx.InvalidURL) as fault:
            words = self._without_key(f"{type(fault).__name__}: {fault}")
            raise ConnectionError(f"{self._endpoint.url} cannot be asked: {words}") from None

    def _without_key(self, words: str) -> str:
        return words if self._key is None else words.replace(self._key, "(the key)")


class _Kept(NamedTuple):
    """The client of an event loop, and the generator that closes it."""

    client: httpx2.AsyncClient
    until_end: AsyncGenerator[None, None]


async def _until_end(
    loop: asyncio.AbstractEventLoop, client: httpx2.AsyncClient, of_loops: dict[asyncio.AbstractEventLoop, _Kept]
) -> AsyncGenerator[None, None]:
    """An event loop that ends closes the generators that were begun in it: by this one, its connections too."""
    try:
        yield
    finally:
        of_loops.pop(loop, None)
        await client.aclose()


class _Asking:
    """One question, through all its tries."""

    def __init__(self, request: dict[str, Any], endpoint: Endpoint, transient: Callable[[BaseException], bool]) -> None:
        from tenacity import stop_before_delay

        self.request = request
        self._endpoint = endpoint
        self._until = time.monotonic() + endpoint.timeout
        patience = policy(transient, _asked)
        self.retrying = {**patience, "stop": patience["stop"] | stop_before_delay(endpoint.timeout)}

    def left(self) -> float:
        """Seconds; raises TimeoutError where there are none."""
        left = self._until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return min(left, _DAY)

    def check(self, answer: bytearray) -> None:
        """Whether what has come of the answer is still wanted."""
        if len(answer) > _MOST_BYTES:
            raise ValueError(f"{self._endpoint.url} gave an answer of more than {_MOST_BYTES} bytes")
        self.left()


_PARENTS: Final[list[object]] = []
"""What a forked child has of its parent's connections."""


def _close(client: httpx2.Client, process: int) -> None:
    if process == os.getpid():
        client.close()


def _asked(fault: BaseException) -> float | None:
    return fault.wait if isinstance(fault, _Refused) else None


def _key(variable: str | None) -> str | None:
    if variable is None:
        return None
    key = os.environ.get(variable, "").strip()
    if not key or not key.isascii() or not key.isprintable():
        raise ConfigError(f"the environment variable {variable} holds no key", where="key_env=", hint=f"set {variable}")
    return key
