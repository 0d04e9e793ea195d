"""An XML document as it was read: plain data beside its tree, and how a place in the data is written as an XPath.

Places go by the keys of the data: local names, or `{namespace}name` where a name alone would be taken for another
one's. In an XPath an index stands only where an element has siblings of its name:
`/order/line[2]/total`, `/order/@id`, `/order/note/text()`.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, ClassVar, Final

from lxml import etree

from guards.errors import ConfigError
from guards.reading.document import Document, Place

__all__ = [
    "XmlDocument",
    "attributes_of",
    "child_elements",
    "compile_xpath",
    "element_at",
    "element_path",
    "elements_of",
    "local_name",
    "qualified_key",
    "root_of",
    "select_nodes",
    "source_of",
    "without_namespaces",
]

TEXT: Final = "#text"
_XSI: Final = "http://www.w3.org/2001/XMLSchema-instance"
_BEFORE: Final = etree.XPath("count(preceding-sibling::*[local-name() = $name])")
_ATTRIBUTES: Final = etree.XPath("@*", smart_strings=False)
_FEW: Final = 20
_BEHIND: Final = etree.XPath("boolean(following-sibling::*[local-name() = $name])")
_STEP: Final = re.compile(r"/(?:(text\(\))|(@)?([^/@\[\]()]+)(?:\[([1-9][0-9]{0,8})\])?)")


class XmlDocument(Document):
    """A parsed document. `root` is the tree, `data` its value by the contract's rule.

    `replace` and `remove` change a copy of the tree; `data` follows by the simple changes it can follow, and the
    contract's `recheck` gives the value anew.
    """

    __slots__ = ("root",)
    format: ClassVar[str] = "xml"

    def __init__(self, data: Any, root: Any) -> None:
        super().__init__(data)
        self.root = root

    def __reduce__(self) -> tuple[Any, ...]:
        # lxml's elements do not pickle; their source does.
        return _rebuilt, (type(self), self.data, source_of(self.root))

    def source(self) -> str:
        return source_of(self.root)

    def path(self, place: Place) -> str:
        if place and isinstance(place[-1], str) and isinstance(_look(self.data, place), list):
            return f"{self.path(place[:-1])}/{_local(place[-1])}"  # the list as a whole, not its first item
        element, rest = _walk(self.root, self.data, place)
        path = element_path(element)
        index: int | None = None
        for at, part in enumerate(rest):
            if isinstance(part, int):
                index = part
            elif part == TEXT:
                path += "/text()"
            else:
                path += f"/{'@' * part.startswith('@')}{_local(part.lstrip('@'))}"
                following = rest[at + 1] if at + 1 < len(rest) else None
                index = following if isinstance(following, int) else None
                if index:
                    path += f"[{index + 1}]"
        return path

    def place(self, path: str) -> Place | None:
        steps = _steps(path)
        if not steps or steps[0] != (local_name(self.root), 0):
            return None
        place: list[str | int] = []
        element = self.root
        for name, position in steps[1:]:
            if element is None:
                return None
            if name == TEXT:
                found = _look(self.data, place)
                if isinstance(found, dict):
                    place.append(TEXT)  # of a plain leaf the text is the leaf itself
                element = None
            elif name.startswith("@"):
                holder = _look(self.data, place)
                full = _attribute(element, name[1:], holder)
                if full is None:
                    return None
                place.append(f"@{_key(full, holder, '@')}")
                element = None
            else:
                same = [child for child in child_elements(element) if local_name(child) == name]
                if position >= len(same):
                    return None
                element = same[position]
                key = _key(element.tag, _look(self.data, place))
                same = _named(element.getparent(), key, _look(self.data, place))
                place.append(key)
                if isinstance(_look(self.data, place), list):
                    place.append(same.index(element))
        return tuple(place) if _look(self.data, place) is not _NOWHERE else None

    def select(self, expression: str) -> list[Place]:
        places = (self.place(path) for path in select_nodes(self.root, expression))
        return list(dict.fromkeys(place for place in places if place is not None))

    def replace(self, place: Place, value: Any) -> XmlDocument | None:
        if _look(self.data, place) is _NOWHERE:
            return None
        root = copy.deepcopy(self.root)
        if not _put(root, self.data, place, value):
            return None
        return type(self)(_edited(self.data, place, value), root)

    def remove(self, place: Place) -> XmlDocument | None:
        if not place or _look(self.data, place) is _NOWHERE:
            return None
        root = copy.deepcopy(self.root)
        element, rest = _walk(root, self.data, place)
        holder = _look(self.data, place[:-1])
        if not rest:
            for gone in (
                [element] if isinstance(place[-1], int) else _named(element.getparent(), str(place[-1]), holder)
            ):
                _detach(gone)
        elif rest[0] == TEXT:
            _set_text(element, "")
        elif str(rest[0]).startswith("@"):
            _drop_attribute(element, str(rest[0])[1:], holder)
        else:
            return None
        return type(self)(_edited(self.data, place, _NOWHERE), root)


def root_of(source: str) -> Any:
    """The tree of a text that `source_of` wrote."""
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True)
    return etree.fromstring(source.encode("utf-8"), parser)


def source_of(root: Any) -> str:
    """A tree as text."""
    return str(etree.tostring(root, encoding="unicode", with_tail=False))


def local_name(element: Any) -> str:
    """An element's name without its namespace."""
    return str(element.tag.rpartition("}")[2])


def qualified_key(name: str, namespace: str | None) -> str:
    """The key of an element or attribute whose local name alone would be taken for another one's."""
    return f"{{{namespace or ''}}}{name}"


def child_elements(element: Any) -> list[Any]:
    """The elements directly inside, comments and the like left out."""
    return [child for child in element if isinstance(child.tag, str)]


def attributes_of(element: Any) -> list[tuple[str, str]]:
    """Its attributes by their full names."""
    names = element.attrib.keys()
    if len(names) <= _FEW:
        return list(element.attrib.items())
    # lxml looks each of the values up by its name, among all the others.
    return list(zip(names, _ATTRIBUTES(element), strict=True))


def element_path(element: Any) -> str:
    """The XPath of an element from the root: local names, an index where siblings share the name."""
    steps: list[str] = []
    while element is not None:
        name = local_name(element)
        # Counted inside libxml2: an element may have a hundred thousand siblings.
        before = int(_BEFORE(element, name=name))
        steps.append(f"{name}[{before + 1}]" if before or _BEHIND(element, name=name) else name)
        element = element.getparent()
    return "".join(f"/{step}" for step in reversed(steps))


def element_at(root: Any, path: str) -> Any | None:
    """The element that a path as `element_path` writes it names; None when there is none."""
    steps = _steps(path)
    if not steps or steps[0] != (local_name(root), 0):
        return None
    for name, position in steps[1:]:
        same = [child for child in child_elements(root) if local_name(child) == name]
        if position >= len(same):
            return None
        root = same[position]
    return root


def compile_xpath(expression: str) -> Any:
    """A compiled XPath 1.0, without extension functions and with nothing outside the document; `ConfigError` for text
    that is none, and for one that names no part of any document."""
    try:
        compiled = etree.XPath(expression, regexp=False)
        found = compiled(etree.Element("any"))  # whether it gives nodes does not depend on the document
    except (etree.XPathError, ValueError) as fault:
        raise _not_xpath(expression) from fault
    if not isinstance(found, list) or _NO_PART.search(expression):
        hint = "name elements, say //total; the whole answer is /*"
        raise ConfigError(f"{expression!r} names no part of an answer", where=".on()", hint=hint)
    return compiled


_NO_PART: Final = re.compile(r"(?:\A\s*/|(?:comment|processing-instruction)\([^()]*\))\s*\Z")
"""The document around the answer, and what is read over."""


def select_nodes(root: Any, expression: str) -> list[str]:
    """The paths of the nodes that an XPath names, in the document's order. A relative one starts at the root element.

    Names without prefix match any namespace.
    """
    query = compile_xpath(expression)
    try:
        found = query(without_namespaces(root))
    except etree.XPathError as fault:
        raise _not_xpath(expression) from fault
    return [path for node in found if (path := _node_path(node)) is not None]


def elements_of(nodes: Sequence[Any]) -> list[Any]:
    """The elements among what an XPath found; a text is that of its element."""
    found = (_element_of(node) if isinstance(node, str) else node for node in nodes)
    return [element for element in found if element is not None and isinstance(element.tag, str)]


def _element_of(text: Any) -> Any:
    owner = text.getparent()
    return None if text.is_attribute else owner.getparent() if owner is not None and text.is_tail else owner


def _not_xpath(expression: str) -> ConfigError:
    hint = "write it like /order/line/total or .//total"
    return ConfigError(f"{expression!r} is not an XPath (1.0)", where=".on()", hint=hint)


def _node_path(node: Any) -> str | None:
    if not isinstance(node, str):
        return element_path(node) if hasattr(node, "tag") and isinstance(node.tag, str) else None
    owner = node.getparent()  # type: ignore[attr-defined]  # lxml's string that knows its place
    if owner is None:
        return None
    if node.is_attribute:  # type: ignore[attr-defined]
        return f"{element_path(owner)}/@{etree.QName(node.attrname).localname}"  # type: ignore[attr-defined]
    return f"{element_path(owner.getparent() if node.is_tail else owner)}/text()"  # type: ignore[attr-defined]


def without_namespaces(root: Any) -> Any:
    """The tree with local names only; a copy where there are others."""
    if not any(isinstance(el.tag, str) and (el.tag.startswith("{") or _prefixed(el)) for el in root.iter()):
        return root
    bare = copy.deepcopy(root)
    for element in bare.iter():
        if isinstance(element.tag, str):
            element.tag = local_name(element)
            for name in [name for name in element.attrib if name.startswith("{")]:
                value = element.attrib.pop(name)
                local = str(etree.QName(name).localname)
                element.set(local, element.get(local, value))
    return bare


def _prefixed(element: Any) -> bool:
    return any(name.startswith("{") for name in element.attrib)


def _steps(path: str) -> list[tuple[str, int]] | None:
    """Names and positions (from 0) of a path; attributes as "@name", text as "#text"; None for another form."""
    steps: list[tuple[str, int]] = []
    at = 0
    while at < len(path):
        found = _STEP.match(path, at)
        if found is None:
            return None
        text, attribute, name, index = found.groups()
        steps.append((TEXT, 0) if text else (f"{attribute or ''}{name}", int(index or 1) - 1))
        at = found.end()
    return steps


def _local(key: str) -> str:
    return key.rpartition("}")[2]


def _key(full: str, holder: Any, mark: str = "") -> str:
    """The key of an element or attribute by its full name, in the data of the element that holds it."""
    name = etree.QName(full)
    key = qualified_key(name.localname, name.namespace)
    return key if isinstance(holder, dict) and f"{mark}{key}" in holder else str(name.localname)


def _named(parent: Any, key: str, holder: Any) -> list[Any]:
    """The elements of one key."""
    name = _local(key)
    same = [child for child in child_elements(parent) if local_name(child) == name]
    return same if len(same) == 1 and key == name else [child for child in same if _key(child.tag, holder) == key]


def _walk(element: Any, data: Any, place: Place) -> tuple[Any, Place]:
    """The element at a place of the data, or the last one on the way and what is left of the place."""
    at = 0
    while at < len(place):
        part = place[at]
        if isinstance(part, int) or part == TEXT or part.startswith("@"):
            break
        after = place[at + 1] if at + 1 < len(place) else None
        index = after if isinstance(after, int) else 0
        same = _named(element, part, data)
        if index >= len(same):
            break
        element = same[index]
        steps = 2 if isinstance(after, int) else 1
        data = _look(data, place[at : at + steps])
        at += steps
    return element, place[at:]


def _attribute(element: Any, key: str, holder: Any) -> str | None:
    """The full name of an attribute by its key or local name."""
    for full in element.attrib:
        known = etree.QName(full)
        if known.namespace != _XSI and key in (
            _key(full, holder, "@"),
            qualified_key(known.localname, known.namespace),
        ):
            return str(full)
    return None


def _drop_attribute(element: Any, key: str, holder: Any) -> None:
    full = _attribute(element, key, holder)
    if full is not None:
        del element.attrib[full]


def _put(root: Any, data: Any, place: Place, value: Any) -> bool:
    """Whether the value could be written at the place of the tree."""
    element, rest = _walk(root, data, place)
    holder = _look(data, place[:-1])
    if rest:
        name = str(rest[0])
        if len(rest) > 1 or not isinstance(value, str | int | float | Decimal):
            return False
        if name == TEXT:
            return _set_text(element, _written(value))
        full = _attribute(element, name[1:], holder) if name.startswith("@") else None
        if full is None:
            return False
        try:
            element.set(full, _written(value))
        except ValueError:
            return False
        return True
    if isinstance(value, list) and place and not isinstance(place[-1], int):
        return _put_list(element, _named(element.getparent(), str(place[-1]), holder), value)
    return _fill(element, value)


def _put_list(first: Any, old: list[Any], values: list[Any]) -> bool:
    """A repeated element written anew, item by item, where its first one stands."""
    parent = first.getparent()
    at = parent.index(first)
    fresh = []
    for number, value in enumerate(values):
        item = copy.deepcopy(old[number]) if number < len(old) else etree.Element(first.tag, nsmap=first.nsmap)
        if not _fill(item, value):
            return False
        fresh.append(item)
    for gone in old:
        _detach(gone)
    for item in reversed(fresh):
        parent.insert(at, item)
    return True


def _fill(element: Any, value: Any) -> bool:
    """Whether an element's content could be made from plain data by the value rule."""
    nil = f"{{{_XSI}}}nil"
    element.attrib.pop(nil, None)
    if value is None:
        for child in list(element):
            element.remove(child)
        element.text = None
        element.set(nil, "true")
        return True
    if not isinstance(value, dict):
        if isinstance(value, list):
            return False
        for child in list(element):
            element.remove(child)
        for full in [full for full in element.attrib if etree.QName(full).namespace != _XSI]:
            del element.attrib[full]  # with an attribute it would be a dict
        return _set_text(element, _written(value))
    children = child_elements(element)
    old = {_key(child.tag, value): child for child in reversed(children)}
    namespace = etree.QName(element).namespace
    kept_attributes = {full for full in element.attrib if etree.QName(full).namespace == _XSI}
    attributes = {_key(full, value, "@"): str(full) for full in element.attrib if full not in kept_attributes}
    for full in attributes.values():
        del element.attrib[full]
    # Children keep the order in which they stood, so that an order the schema asks for survives the edit.
    names = [_key(child.tag, value) for child in children]
    order = sorted((k for k in value if k[:1] not in "@#"), key=lambda k: names.index(k) if k in names else len(names))
    groups = {name: _named(element, name, value) for name in order}
    for child in list(element):
        element.remove(child)
    element.text = None
    try:
        for key, part in value.items():
            if key.startswith("@"):
                element.set(attributes.get(key[1:], key[1:]), _written(part))
            elif key == TEXT:
                element.text = _written(part)
        for key in order:
            parts = value[key] if isinstance(value[key], list) else [value[key]]
            for number, part in enumerate(parts):
                tag = old[key].tag if key in old else f"{{{namespace}}}{key}" if namespace and "}" not in key else key
                item = groups[key][number] if number < len(groups[key]) else etree.Element(tag)
                item.tail = None
                element.append(item)
                if not _fill(item, part):
                    return False
    except ValueError:
        return False  # a name or a text that XML cannot hold
    return True


def _set_text(element: Any, text: str) -> bool:
    try:
        element.text = text
    except ValueError:  # NUL and the like
        return False
    for child in element:
        child.tail = None
    return True


def _written(value: Any) -> str:
    """A leaf as XML Schema writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value in (float("inf"), float("-inf")):
        return "INF" if value > 0 else "-INF"
    return "NaN" if value != value else str(value)  # noqa: PLR0124


def _detach(element: Any) -> None:
    """An element out of its tree; the text behind it stays."""
    parent, tail = element.getparent(), element.tail
    if tail and tail.strip():
        before = element.getprevious()
        if before is None:
            parent.text = (parent.text or "") + tail
        else:
            before.tail = (before.tail or "") + tail
    parent.remove(element)


_NOWHERE: Final = object()


def _look(data: Any, place: Sequence[str | int]) -> Any:
    for part in place:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return _NOWHERE
    return data


def _edited(data: Any, place: Place, value: Any) -> Any:
    """A copy of the data with another value at the place, or with none."""
    if not place:
        return value
    data = copy.deepcopy(data)
    holder = _look(data, place[:-1])
    if value is not _NOWHERE:
        holder[place[-1]] = value
    else:
        del holder[place[-1]]
        # An empty list is no value of an XML document: what is absent is an absent key.
        if holder == [] and len(place) > 1:
            del _look(data, place[:-2])[place[-2]]
    return data


def _rebuilt(kind: type[XmlDocument], data: Any, source: str) -> XmlDocument:
    return kind(data, root_of(source))
