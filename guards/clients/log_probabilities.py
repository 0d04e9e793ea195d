"""Log probabilities of an answer: those of the tokens that spell the delivered text, and nothing else.

Others tell of a text that nobody judged: one that was changed, a thinking part, words that the server took out. The
tokens that might have stood in their place (`top_logprobs`) come along where the request asks for them.
"""

from __future__ import annotations

from typing import Any, Final

from guards.clients.beside import GONE, Delivery, Rule, gone, members, number, says, text
from guards.clients.members import listed, member, members_of

__all__ = ["in_chat", "in_completion", "in_part"]


def in_chat(value: Any, at: Delivery) -> Any:
    """Of a choice in a chat: the tokens of its content, or of its refusal."""
    if not says(value):
        return value
    lists = [name for name in ("content", "refusal") if member(value, name)]
    if len(lists) != 1:
        return GONE
    return members({lists[0]: in_part}, rest=gone)(value, at) if _tells(member(value, lists[0]), at) else GONE


def in_part(value: Any, at: Delivery) -> Any:
    """Of a part of a response: a list of tokens."""
    return _TOKEN(value, at) if not says(value) or _tells(value, at) else GONE


def in_completion(value: Any, at: Delivery) -> Any:
    """Of an old completion: one list of the tokens, others of what is said of each."""
    if not says(value):
        return value
    tokens = member(value, "tokens")
    spelled = isinstance(tokens, list) and all(isinstance(token, str) for token in tokens)
    return _LISTS(value, at) if spelled and _is_said("".join(tokens), at) else GONE


def _tells(tokens: Any, at: Delivery) -> bool:
    """Whether each is a token, and they spell the delivered text; one may be half a character: then its bytes count."""
    if not isinstance(tokens, list) or len(listed(tokens)) != len(tokens) or not all(map(_is_token, tokens)):
        return False
    if _is_said("".join(member(token, "token") for token in tokens), at):
        return True
    held = [member(token, "bytes") for token in tokens]
    return None not in held and _is_said(bytes(byte for one in held for byte in one).decode(errors="replace"), at)


def _is_said(words: str, at: Delivery) -> bool:
    """White space at the ends aside."""
    return at.as_it_came and at.said is not None and words.strip() == at.said.strip()


def _is_token(token: Any) -> bool:
    """Whether its bytes, where it has any, are those of its text; half a character is shown by escapes or a sign."""
    said, held = member(token, "token"), member(token, "bytes")
    if held is None:
        return isinstance(said, str)
    if not isinstance(held, list) or not all(type(byte) is int and 0 <= byte < 256 for byte in held):
        return False
    raw = bytes(held)
    escaped = "".join(f"\\x{byte:02x}" for byte in raw)
    shown = (raw.decode(errors="replace"), raw.decode(errors="backslashreplace"), escaped, f"bytes:{escaped}")
    return said in shown


def _alternatives(value: Any, at: Delivery) -> Any:
    """Tokens that no guard sees, of which there are several lists: objects, or the number of each by the token."""
    if not at.wanted("top_logprobs", "logprobs") or not isinstance(value, list):
        return gone(value, at)
    return [_ALTERNATIVE(one, at) if _is_token(one) else _numbers(one) for one in value if _shows(one)]


def _shows(one: Any) -> bool:
    return one is None or members_of(one) is not None


def _numbers(one: Any) -> Any:
    held = members_of(one)
    return None if held is None else {token: p for token, p in held.items() if isinstance(p, int | float)}


def _numbers_only(value: Any, at: Delivery) -> Any:
    plain = isinstance(value, list) and all(one is None or isinstance(one, int | float) for one in value)
    return value if plain else gone(value, at)


_ALTERNATIVE: Final[Rule] = members({"token": text, "bytes": _numbers_only, "logprob": number}, rest=gone)
_TOKEN: Final[Rule] = members(
    {"token": text, "bytes": _numbers_only, "logprob": number, "top_logprobs": _alternatives}, rest=gone
)
_LISTS: Final[Rule] = members(
    {
        "tokens": lambda value, _: value,
        "token_logprobs": _numbers_only,
        "text_offset": _numbers_only,
        "top_logprobs": _alternatives,
    },
    rest=gone,
)
