"""Fits a mended XML document to the schema's shape: names, places, order and the spelling of values.

Every change is recorded with its place. Nothing required is filled in; what no part of the schema knows is left out
with a record of its text. Whether the result is right is for the contract.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from lxml import etree

from guards.contracts.xml_shape import XSI, Attribute, Element, Shape, SimpleType, children_of, typed
from guards.findings import Finding
from guards.reading.numbers import as_whole
from guards.reading.spelling import boolean, folded, number, number_in, pick, pick_in
from guards.reading.xml_mender import Names, Node, is_leaf
from guards.reading.xml_prolog import Unreadable
from guards.records import Repair

__all__ = ["documents", "fit_xml"]


def documents(top: Node, names: Names) -> list[tuple[Node, Element, tuple[Repair, ...]]]:
    """What may be the answer among all that a text holds, each with the root that it would be."""
    found: list[tuple[Node, Element, tuple[Repair, ...]]] = []
    found += [(node, names.schema.roots[name], ()) for node, name in _under_roots(top, names)]
    if found:
        return found
    for name, root in names.schema.roots.items():
        # Under another name: what it holds is what the root holds.
        for node in _wrappers(top):
            if node.shape is root.shape:
                renamed = Repair("xml.root", "the root had another name", f"/{name}", node.name, name)
                found.append((node, root, (renamed,)))
        loose = [node for node in top.nodes if names.child(root.shape, folded(node.name)) is not None]
        if loose and not found:
            missing = Repair("xml.root", "the root was missing", f"/{name}", None, name)
            found.append((Node(name, root.shape, parts=list(loose)), root, (missing,)))
    return found


def _under_roots(node: Node, names: Names) -> Iterator[tuple[Node, str]]:
    """The outermost elements with the name of a root."""
    own = {folded(name): name for name in names.schema.roots}
    for child in node.nodes:
        name = own.get(folded(child.name))
        if name is not None and child.shape is names.schema.roots[name].shape:
            yield child, name
        elif child.shape is None:
            yield from _under_roots(child, names)


def _wrappers(node: Node) -> Iterator[Node]:
    for child in node.nodes:
        yield child
        if child.shape is None:
            yield from _wrappers(child)


def fit_xml(node: Node, root: Element, names: Names, *, eager: bool, sort: bool) -> tuple[Any, tuple[Repair, ...]]:
    """The node as an lxml element of the schema's names. `sort` puts children in the schema's order.

    Raises `Unreadable` where the end of the answer cut off something that the schema requires.
    """
    fitter = _Fitter(names, eager=eager, sort=sort)
    made = fitter.element(node, root, f"/{root.name}")
    return made, tuple(fitter.repairs)


class _Fitter:
    def __init__(self, names: Names, *, eager: bool, sort: bool) -> None:
        self.names = names
        self.repairs: list[Repair] = []
        self._eager = eager
        self._sort = sort

    def note(self, code: str, message: str, path: str, before: Any = None, after: Any = None) -> None:
        self.repairs.append(Repair(code, message, path, before, after))

    def element(self, node: Node, declared: Element, path: str) -> Any:
        """The element; None where it was cut off and may be left out."""
        if node.name != declared.name and node.name and path.count("/") > 1:
            self.note("xml.name", "another spelling of an element's name", path, node.name, declared.name)
        if path.count("/") == 1 and declared.namespace and not any(v == declared.namespace for _, v in node.attributes):
            self.note("xml.namespace", "the namespace was missing, or another", path, None, declared.namespace)
        if node.prefix and declared.namespace is None:
            self.note("xml.prefix", "a prefix that the schema does not have was left out", path, node.prefix)
        made = etree.Element(_qualified(declared.namespace, declared.name))
        shape = declared.shape
        children = list(node.parts)
        for name, value in node.attributes:
            self._attribute(made, name, value, node, shape, children, path)
        if shape.free:
            return self._copied(node, made)
        if is_leaf(shape):
            if not self._leaf(made, node, declared, path):
                return None
        else:
            self._children(made, children, shape, path)
        return made

    # Attributes.

    def _attribute(
        self, made: Any, name: str, value: str, node: Node, shape: Shape, children: list[Node | str], path: str
    ) -> None:
        prefix, _, local = name.rpartition(":")
        if "xmlns" in (prefix, name):
            return
        if prefix == "xsi":
            if local in ("nil", "type"):
                made.set(f"{{{XSI}}}{local}", value)
            return
        declared = _one(shape.attributes, local)
        if declared is not None:
            if declared.name != local:
                self.note("xml.name", "another spelling of an attribute's name", f"{path}/@{declared.name}", local)
            made.set(
                _qualified(declared.namespace, declared.name),
                self._spelled(value, declared.type, f"{path}/@{declared.name}"),
            )
        elif self.names.child(shape, folded(local)) is not None and not _has(node, local):
            self.note("xml.attribute", "an attribute stood for an element", f"{path}/{local}", value)
            children.append(Node(local, parts=[value]))
        elif shape.any_attribute or shape.free:
            made.set(local, value)
        else:
            self.note("xml.extra", "an attribute that the schema does not know was left out", f"{path}/@{local}", value)

    # Leaves.

    def _leaf(self, made: Any, node: Node, declared: Element, path: str) -> bool:
        text, kind = node.text, declared.shape.text or SimpleType()
        inner = node.nodes
        if inner and not text.strip() and len(inner) == 1 and not inner[0].nodes:
            self.note("xml.unwrapped", "an element around the text was taken off", path, inner[0].name)
            text = inner[0].text
        elif inner:
            self.note("xml.less_than", "markup inside of a text was taken as text", path)
            text = "".join(part if isinstance(part, str) else _written(part) for part in node.parts)
        if node.cut:
            if declared.least > 0 or kind.enumeration:
                raise Unreadable(Finding("xml.truncated", "the answer ends inside of an element", path))
            if kind.kind != "text":
                self.note("xml.truncated", "a value that the end of the answer cut off was left out", path, text)
                return False
        made.text = self._spelled(text, kind, path)
        return True

    def _spelled(self, text: str, kind: SimpleType, path: str) -> str:
        """The text as the type wants it written."""
        if kind.enumeration:
            chosen = pick(text, kind.enumeration) or (pick_in(text, kind.enumeration) if self._eager else None)
            if chosen is not None and chosen != text:
                guessed = pick(text, kind.enumeration) is None
                self._value("value.guess" if guessed else "value.option", path, text, chosen)
                return chosen
            return text
        fits = typed(text, kind) is not text and text.isascii()  # other blanks than XML's are none to a schema
        if kind.variety != "atomic" or kind.kind == "text" or fits:
            return text
        if kind.kind == "boolean":
            truth = boolean(text, eager=self._eager)
            if truth is not None:
                self._value("value.boolean", path, text, truth)
                return str(truth).lower()
            return text
        value = number(text)
        guessed = value is None and self._eager
        if guessed:
            value = number_in(text)
        if value is not None and kind.kind == "integer":
            value = as_whole(value)
        if value is None:
            return text
        self._value("value.guess" if guessed else "value.number", path, text, value)
        return str(value)

    def _value(self, code: str, path: str, before: str, after: Any) -> None:
        words = {
            "value.option": "another spelling of an option",
            "value.boolean": "another way of writing true or false",
            "value.number": "another way of writing a number",
            "value.guess": "a value out of a longer text",
        }
        self.note(code, words[code], path, before, after)

    # Children.

    def _children(self, made: Any, parts: list[Node | str], shape: Shape, path: str) -> None:
        declared = {folded(element.name): element for element in reversed(list(children_of(shape.content)))}
        there = {folded(part.name) for part in parts if isinstance(part, Node)}
        placed: list[tuple[Any, Element | None]] = []
        counts: dict[str, int] = {}

        def place(node: Node, element: Element) -> None:
            counts[element.name] = counts.get(element.name, 0) + 1
            where = f"{path}/{element.name}"
            if shape.children[element.name][1] and counts[element.name] > 1:
                where += f"[{counts[element.name]}]"
            child = self.element(node, element, where)
            if child is not None:
                placed.append((child, element))

        for known, group in groupby(parts, key=lambda part: isinstance(part, Node) and folded(part.name) in declared):
            members = list(group)
            if known:
                for node in members:
                    assert isinstance(node, Node)
                    place(node, declared[folded(node.name)])
                continue
            for part in members:
                if isinstance(part, str):
                    self._text_between(made, part, shape, placed, path)
                    continue
                self._strange(made, part, shape, declared, there, place, placed, path)
        if self._sort:
            self._sorted(placed, shape, path)
        for child, _ in placed:
            made.append(child)

    def _strange(  # one place, and all that is known of it
        self,
        made: Any,
        node: Node,
        shape: Shape,
        declared: dict[str, Element],
        there: set[str],
        place: Any,
        placed: list[tuple[Any, Element | None]],
        path: str,
    ) -> None:
        """A child that the schema does not know in this place."""
        attribute = _one(shape.attributes, node.name)
        if (
            attribute is not None
            and not node.nodes
            and made.get(_qualified(attribute.namespace, attribute.name)) is None
        ):
            self.note("xml.attribute", "an element stood for an attribute", f"{path}/@{attribute.name}", node.text)
            made.set(
                _qualified(attribute.namespace, attribute.name),
                self._spelled(node.text.strip(), attribute.type, f"{path}/@{attribute.name}"),
            )
            return
        inner = node.nodes
        if inner and not node.text.strip() and all(folded(child.name) in declared for child in inner):
            self.note("xml.unwrapped", "an element around others was taken off", path, node.name)
            for child in inner:
                place(child, declared[folded(child.name)])
            return
        around = [
            element
            for name, element in declared.items()
            if name not in there and self.names.child(element.shape, folded(node.name)) is not None
        ]
        if len(around) == 1:
            outer = around[0]
            if placed and placed[-1][1] is outer and outer.most == 1:
                # The next of those that the one before was put around of.
                again = Node(outer.name, outer.shape, parts=[node])
                more = self.element(again, outer, f"{path}/{outer.name}")
                for child in more:
                    placed[-1][0].append(child)
                return
            self.note("xml.wrapped", "the element that the schema puts around was missing", f"{path}/{outer.name}")
            place(Node(outer.name, outer.shape, parts=[node]), outer)
            return
        a_list = len(declared) == 1 and shape.children[next(iter(declared.values())).name][1]
        if shape.wildcard is not None or a_list or folded(node.name) in self.names.everywhere:
            # One that the schema has elsewhere is not left out, since then the document was understood wrongly, and
            # neither is what may be an item of a list.
            placed.append((self._copied(node, etree.Element(node.name)), None))
            return
        self.note(
            "xml.extra", "an element that the schema does not know was left out", f"{path}/{node.name}", _written(node)
        )

    def _text_between(
        self, made: Any, text: str, shape: Shape, placed: list[tuple[Any, Element | None]], path: str
    ) -> None:
        if shape.mixed:
            if placed:
                placed[-1][0].tail = (placed[-1][0].tail or "") + text
            else:
                made.text = (made.text or "") + text
        elif text.strip():
            self.note("xml.text", "text between elements was left out", path, text.strip())

    def _sorted(self, placed: list[tuple[Any, Element | None]], shape: Shape, path: str) -> None:
        order = {id(element): index for index, element in enumerate(children_of(shape.content))}
        wanted = sorted(placed, key=lambda entry: order.get(id(entry[1]), len(order)))
        if [id(child) for child, _ in wanted] != [id(child) for child, _ in placed]:
            self.note("xml.order", "the elements were put in the order of the schema", path)
            placed[:] = wanted

    def _copied(self, node: Node, made: Any) -> Any:
        """An element that the schema says nothing about, as it was written."""
        last = None
        for part in node.parts:
            if isinstance(part, str):
                if last is None:
                    made.text = (made.text or "") + part
                else:
                    last.tail = (last.tail or "") + part
            else:
                last = etree.SubElement(made, part.name)
                for name, value in part.attributes:
                    if ":" not in name and name != "xmlns":
                        last.set(name, value)
                self._copied(part, last)
        return made


def _one(attributes: dict[str, Attribute], name: str) -> Attribute | None:
    """The attribute of that name, however it is spelled."""
    if name in attributes:
        return attributes[name]
    found = [attribute for known, attribute in attributes.items() if folded(known) == folded(name)]
    return found[0] if len(found) == 1 else None


def _has(node: Node, name: str) -> bool:
    return any(folded(child.name) == folded(name) for child in node.nodes)


def _qualified(namespace: str | None, name: str) -> str:
    return f"{{{namespace}}}{name}" if namespace else name


def _written(node: Node) -> str:
    """An element as text, as it was written more or less."""
    attributes = "".join(f' {name}="{value}"' for name, value in node.attributes)
    inner = "".join(part if isinstance(part, str) else _written(part) for part in node.parts)
    return f"<{node.name}{attributes}>{inner}</{node.name}>"
