"""An answer that comes in pieces: an iterator of text, or the stream of an SDK, as pieces of text and a `Reply`."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from guards.clients.done import Done
from guards.clients.sdks import SDKS, module_of
from guards.clients.server_faults import BROKEN, broken, check_pieces, cut_off, in_words, is_json
from guards.clients.whole import whole_of
from guards.effects import NoAnswer
from guards.errors import ConfigError
from guards.messages import Reply

__all__ = ["Chunks", "Incoming", "SdkChunks", "gives_pieces"]


class Chunks(Protocol):
    """How an SDK's chunks are read: the text of each, and at the end the whole as a `Reply`."""

    def text(self, chunk: Any) -> str:
        """What this chunk adds to the answer's text."""
        ...

    def reply(self) -> Reply:
        """The whole answer, with its usage and why it ended."""
        ...

    def ended(self, *, done: bool) -> bool:
        """Whether the answer came to its end; `done`: the stream's last line said so."""
        ...


class SdkChunks(Chunks, Protocol):
    """As `Chunks`, of an SDK's stream that may have to be told again with another text."""

    repeats: bool
    """Whether the last chunks hold the whole text once more."""

    @property
    def holds(self) -> bool:
        """Whether something has come beside the text that only the whole can be judged with (a call, say)."""
        ...

    def saying(self, chunk: Any, text: str, *, last: bool) -> Any:
        """A copy of a chunk that adds text, with this part of it in its place; `last`: the part that ends it."""
        ...

    def spelled(self, raw: Any, seen: Sequence[Any]) -> list[Any]:
        """A whole response as the chunks of a stream; `seen` are those that came, which begin and end alike."""
        ...

    def cleared(self, chunk: Any) -> Any:
        """A chunk less what can be read in it and is no part of the whole; `GONE` where all of it is none."""
        ...

    def agrees(self, response: Any, text: str | None, seen: Sequence[Any]) -> bool:
        """Whether the chunks that came say nothing else than the response that is delivered, whose text this is; None
        where it holds none."""
        ...

    def behind(self, chunks: list[Any]) -> list[Any]:
        """What of a whole response, `spelled`, follows its last text."""
        ...


class Incoming:
    """One answer on its way. `next` / `anext` give a piece of its text, None at the end; then `reply` is whole.

    Made of what a client gave: text, a `Reply` or an SDK's response are one piece. Raises `ConfigError` for anything
    that is no answer.
    """

    def __init__(self, raw: Any, chunks: Chunks | None = None, *, is_async: bool | None = None) -> None:
        self._raw = raw
        self._chunks = chunks
        self._whole: Reply | None = None
        self._signal: NoAnswer | None = None
        self.severable = chunks is not None or _is_stream(raw)
        self._ahead: list[str | None] = []
        """Pieces that were read before anybody asked for one."""
        # Some streams are both; whoever asked for one knows which it is.
        self.is_async = hasattr(raw, "__aiter__") if is_async is None else is_async
        self._done = Done(raw)
        if chunks is not None and not hasattr(raw, "__aiter__" if self.is_async else "__iter__"):
            raise ConfigError(
                f"the client gave {type(raw).__name__}, which is no stream",
                where="client",
                hint="leave out what asks for a raw response",
            )
        if self.is_async:
            self._pieces: Any = raw.__aiter__()
        elif chunks is not None or gives_pieces(raw):
            self._pieces = iter(raw)
        else:
            try:
                self._whole = whole_of(raw)
                self._pieces = iter((self._whole.text,))
            except NoAnswer as signal:
                self._signal = signal
                self._whole, self._pieces = signal.reply, iter(())

    def begin(self, seconds: float | None) -> None:
        """Read up to the first text, for so many seconds at most: what fails before it can still be tried again."""
        until = None if seconds is None else time.monotonic() + seconds
        try:
            if is_json(self._raw):
                check_pieces(self._raw.response.read())
            while not self._ahead and (until is None or time.monotonic() < until):
                self._keep(self.next())
        except BaseException:
            self.close()
            raise

    async def abegin(self, seconds: float | None) -> None:
        """As `begin`."""
        until = None if seconds is None else time.monotonic() + seconds
        try:
            if is_json(self._raw):
                check_pieces(await self._raw.response.aread())
            while not self._ahead and (until is None or time.monotonic() < until):
                self._keep(await self.anext())
        except BaseException:
            await self.aclose()
            raise

    def _keep(self, piece: str | None) -> None:
        if piece != "":
            self._ahead.append(piece)

    def next(self) -> str | None:
        """The next piece; raises what the stream raises."""
        if self._ahead:
            return self._ahead.pop()
        try:
            return self._read(next(self._pieces))
        except StopIteration:
            self._check_end()
            return None
        except BROKEN as fault:
            raise broken(fault) from fault
        except Exception as fault:
            _add_words(fault)
            raise

    async def anext(self) -> str | None:
        """As `next`."""
        if self._ahead:
            return self._ahead.pop()
        try:
            return self._read(await anext(self._pieces))
        except StopAsyncIteration:
            self._check_end()
            return None
        except BROKEN as fault:
            raise broken(fault) from fault
        except Exception as fault:
            _add_words(fault)
            raise

    @property
    def reply(self) -> Reply:
        """What came, as a whole; of a stream that was left early what there was. Raises `NoAnswer` as the client's
        `read` does."""
        if self._signal is not None:
            raise self._signal
        if self._whole is not None:
            return self._whole
        return self._chunks.reply() if self._chunks is not None else Reply("")

    def close(self) -> None:
        """Leave the stream."""
        close = getattr(self._raw, "close", None)
        if close is not None and not self.is_async:
            close()

    async def aclose(self) -> None:
        """As `close`."""
        close = getattr(self._raw, "aclose", None) or getattr(self._raw, "close", None)
        if close is not None:
            done = close()
            if inspect.isawaitable(done):
                await done

    def _check_end(self) -> None:
        """Raises `ServerFault` for a stream that merely stopped: what came of it is no answer."""
        if self._whole is not None:
            return
        if not (self._chunks.ended(done=self._done.seen) if self._chunks is not None else not _is_stream(self._raw)):
            raise cut_off()

    def _read(self, chunk: Any) -> str:
        if self._whole is not None:
            return str(chunk)
        if self._chunks is None:
            self._chunks = _chunks_for(chunk)
        return self._chunks.text(chunk)


class _Text:
    """Plain pieces of text."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def text(self, chunk: Any) -> str:
        if not isinstance(chunk, str):
            raise ConfigError(
                f"the client gave an iterator of {type(chunk).__name__}, not text",
                where="client",
                hint="yield pieces of text, or the chunks of an SDK as they are",
            )
        self._pieces.append(chunk)
        return chunk

    def reply(self) -> Reply:
        return Reply("".join(self._pieces))

    def ended(self, *, done: bool) -> bool:
        return True  # text of the caller's own ends where it ends


def _add_words(fault: Exception) -> None:
    """The SDKs keep to themselves what a server said in a stream that did not say it in their form."""
    words = in_words(getattr(fault, "body", None))[:300]
    if words and words not in str(fault):
        fault.add_note(f"guards: the server said: {words}")


def gives_pieces(raw: Any) -> bool:
    """Whether it is to be read piece by piece: an iterator, or an SDK's own stream."""
    return not isinstance(raw, str | Reply) and (isinstance(raw, Iterator) or _is_stream(raw))


def _is_stream(raw: Any) -> bool:
    """Whether it is an SDK's own stream. Its responses may be iterable as well (over their fields), and are none."""
    kind = type(raw)
    return kind.__name__.endswith("Stream") and kind.__module__.partition(".")[0] in SDKS and hasattr(raw, "__iter__")


def _chunks_for(chunk: Any) -> Chunks:
    if isinstance(chunk, str):
        return _Text()
    root = type(chunk).__module__.partition(".")[0]
    if root in SDKS:
        chunks: Chunks = module_of("openai" if root == "litellm" else root).chunks_for(chunk)
        return chunks
    return _Text()
