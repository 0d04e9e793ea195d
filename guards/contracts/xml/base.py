"""What contracts have in common whose answer is XML: places that are XPaths, views without guards, parts by their
elements."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from guards.contracts.base import Contract, Format, no_place
from guards.reading.document import Document
from guards.reading.reading import Limits

if TYPE_CHECKING:
    from guards.contracts.live import Live, Watched
    from guards.contracts.parts import Parted
    from guards.reading.xml_names import Names

__all__ = ["XmlContract"]

T = TypeVar("T")


class XmlContract(Contract[T]):
    """A contract of an answer in XML."""

    format: ClassVar[Format] = "xml"

    @property
    @abstractmethod
    def names(self) -> Names:
        """The shape of the answer."""

    def check_place(self, path: str, where: str) -> None:
        if path.startswith("$"):
            raise no_place(path, self.format, where, "an XPath, like //reply")
        self._check_path(path, where)

    @abstractmethod
    def _check_path(self, path: str, where: str) -> None:
        """`ConfigError` for a path that no answer can have."""

    def live(
        self,
        call: str,
        limits: Limits = Limits(),
        watched: Sequence[Watched] = (),
        context: Mapping[str, Any] | None = None,
    ) -> Live:
        from guards.contracts.xml.live import XmlLive  # only streams have views

        return XmlLive(self.names.schema, call)

    def parts(self, document: Document) -> Parted | None:
        from guards.contracts.xml.parts import XmlParts  # most calls ask for the whole

        return XmlParts(self.names.schema, document)
