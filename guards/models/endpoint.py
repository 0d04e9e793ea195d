"""Where a model is served over HTTP, as a value: it opens no line, and holds the name of a key, never the key."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from guards.errors import ConfigError

__all__ = ["Endpoint"]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A server that answers for a model, so that many processes can share one GPU. See docs/models.md for what it is
    asked.

    Args:
        url: the base address, http or https: `/embeddings` or `/score` is added. One that ends in `/predict` is asked
            as text-embeddings-inference is.
        model: the name under which the server knows the model; None where it serves one only.
        key_env: the environment variable with the key, which is sent as a bearer token; read when the model is loaded.
        timeout: seconds for an answer, all tries and the waits between them together.
        most: the most items of one request.

    Raises ConfigError for an address that cannot be asked, or that holds what is to be kept secret.
    """

    url: str
    model: str | None = None
    key_env: str | None = None
    timeout: float = 30.0
    most: int = 32

    def __post_init__(self) -> None:
        for name in ("url", "model", "key_env"):
            given = getattr(self, name)
            if not (isinstance(given, str) and given) and (given is not None or name == "url"):
                raise ConfigError(f"must be text, not {given!r}", where=f"{name}=")
        try:
            parts = urlsplit(self.url)
            fits = parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
        except ValueError:
            fits = False
        if not fits or not self.url.isascii() or any(letter <= " " for letter in self.url):
            raise ConfigError("this is no address of a server", where="url=", hint="write it like http://host:8080/v1")
        if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
            raise ConfigError(
                "the address holds more than host and path: it is shown in errors and records, so no key belongs there",
                where="url=",
                hint='put the key in an environment variable and name it: key_env="..."',
            )
        timeout = self.timeout
        if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0:
            raise ConfigError(f"{self.timeout!r} is no time in seconds", where="timeout=", hint="give a number above 0")
        if isinstance(self.most, bool) or not isinstance(self.most, int) or self.most < 1:
            raise ConfigError(f"{self.most!r} is no number from 1 on", where="most=")
        object.__setattr__(self, "url", self.url.rstrip("/"))
