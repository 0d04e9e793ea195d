"""Fits a mended XML document to the schema's shape: names, places, order and the spelling of values.

Every change is recorded with its place. Nothing required is filled in; what no part of the schema knows is left out
with a record of its text. Whether the result is right is for the contract.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from typing import Any, Final

from lxml import etree

from guards.findings import Finding
from guards.reading.numbers import as_whole
from guards.reading.spelling import boolean, folded, number, number_in, one_of_many, pick, pick_in
from guards.reading.xml_names import Names, is_leaf, may_repeat, names_item
from guards.reading.xml_node import BLANK, Node
from guards.reading.xml_prolog import Unreadable
from guards.reading.xml_shape import XSI, Attribute, Element, Shape, SimpleType, children_of, typed
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
            if node.shape is root.shape and (folded(node.name) not in names.roots or names.may_be_root(node)):
                renamed = Repair("xml.root", "the root had another name", f"/{name}", node.name, name)
                found.append((node, root, (renamed,)))
        loose = [node for node in top.nodes if names.child(root.shape, folded(node.name)) is not None]
        if loose and not found:
            missing = Repair("xml.root", "the root was missing", f"/{name}", None, name)
            found.append((_around(root, loose), root, (missing,)))
    if not found and len(top.nodes) == 1 and len(names.schema.roots) == 1:
        # A list under another name, whose items have other names too.
        (root,), node = names.schema.roots.values(), top.nodes[0]
        if _listed(node, root.shape) is not None:
            found.append((node, root, (Repair("xml.root", "the root had another name", f"/{root.name}", node.name),)))
    return found


def _around(element: Element, parts: list[Node]) -> Node:
    """An element that was not written, around others."""
    return Node(element.name, element.shape, parts=list(parts), spaces={"": element.namespace or ""})


def _only_elements(node: Node) -> list[Node]:
    """The elements inside of one that holds nothing else, all of one name; else none. Marks may stand between items."""
    nodes = node.nodes
    same = len({folded(inner.name) for inner in nodes}) == 1
    marks = _SEPARATORS if same and names_item(nodes[0].name, node.name) else BLANK
    return nodes if same and not node.text.strip(marks) else []


_SEPARATORS: Final = BLANK + ",;|-*•·"


def _listed(node: Node, shape: Shape) -> Element | None:
    """The item of a list, where an element holds nothing but items that go by another name."""
    uses = list(children_of(shape.content))
    if len(uses) != 1 or not shape.children[shape.key(uses[0].name, uses[0].namespace)][1] or shape.attributes:
        return None
    inner = _only_elements(node)
    return uses[0] if inner and _an_item(inner, node.name, uses[0]) else None


def _an_item(inner: list[Node], around: str, element: Element) -> bool:
    """Whether elements of one name, alone inside of another, are the items of a list of such elements.

    One text in one element of an unknown name may be anything.
    """
    name = inner[0].name
    text = is_leaf(element.shape) and (element.shape.text or SimpleType()).kind == "text"
    named = names_item(name, around) or name == around or one_of_many(name, element.name)
    return named or not text or len(inner) > 1


def _under_roots(node: Node, names: Names) -> Iterator[tuple[Node, str]]:
    """The outermost elements with the name of a root."""
    own = {folded(name): name for name in names.schema.roots}
    for child in node.nodes:
        name = own.get(folded(child.name))
        if name is not None and not names.may_be_root(child):
            continue
        if name is not None and child.shape is names.schema.roots[name].shape:
            yield child, name
        elif child.shape is None:
            yield from _under_roots(child, names)


def _wrappers(node: Node) -> Iterator[Node]:
    for child in node.nodes:
        yield child
        if child.shape is None:
            yield from _wrappers(child)


def fit_xml(
    node: Node,
    root: Element,
    names: Names,
    *,
    eager: bool,
    keep: bool = False,
    sort: bool = False,
    unwrap: bool = False,
) -> tuple[Any, tuple[Repair, ...], frozenset[str]]:
    """The node as an lxml element of the schema's names, and which of the ways would make another one.

    `keep` leaves in what the schema does not know, `sort` puts children in the schema's order, `unwrap` takes an
    element for one around items where the schema does not say what items hold.

    Raises `Unreadable` where the end of the answer cut off something that the schema requires.
    """
    fitter = _Fitter(names, node, eager=eager, keep=keep, sort=sort, unwrap=unwrap)
    made = fitter.element(node, root, f"/{root.name}")
    return made, tuple(fitter.repairs), frozenset(fitter.ways)


class _Fitter:
    def __init__(self, names: Names, root: Node, *, eager: bool, keep: bool, sort: bool, unwrap: bool) -> None:
        self.names = names
        self.root = root
        self.ways: set[str] = set()
        self.repairs: list[Repair] = []
        self._eager = eager
        self._keep = keep
        self._sort = sort
        self._unwrap = unwrap
        self._renamed: set[tuple[str | None, str | None]] = set()

    def note(self, code: str, message: str, path: str, before: Any = None, after: Any = None) -> None:
        self.repairs.append(Repair(code, message, path, before, after))

    def element(self, node: Node, declared: Element, path: str) -> Any:
        """The element; None where it was cut off and may be left out."""
        found = path.count("/") == 1 and folded(node.name) != folded(declared.name)  # a root, recorded there
        if node.name and node.name != declared.name and not found:
            self.note("xml.name", "another spelling of an element's name", path, node.name, declared.name)
        self._namespace(node, declared.namespace, path)
        shape = self.names.chosen(node) or declared.shape
        prefixes = {**self.names.prefixes, **_prefixes(node)}
        made = etree.Element(_qualified(declared.namespace, declared.name), nsmap=prefixes)
        if shape is not declared.shape:
            declared = replace(declared, shape=shape)
        if not is_leaf(shape) and _is_half(node, shape):
            if declared.least > 0 or path.count("/") == 1:
                raise _cut(path)
            self.note("xml.truncated", "what the end of the answer cut off was left out", path, node.source)
            return None
        node = self._told(node, shape, path)
        children = list(node.parts)
        for name, value in node.attributes:
            self._attribute(made, name, value, node, declared, children, path)
        if shape.free:
            self._fill(made, node, path)
        elif is_leaf(shape):
            if not self._leaf(made, node, declared, path):
                return None
        else:
            self._children(made, children, shape, path)
        return made

    # Namespaces.

    def _namespace(self, node: Node, wanted: str | None, path: str) -> None:
        """A record of the namespace or prefix that the element had in the place of the schema's, once for each."""
        if node.unbound:
            self.note("xml.prefix", "a prefix that is declared nowhere was left out", path, node.prefix)
        if node.space != wanted and (node.space, wanted) not in self._renamed:
            self._renamed.add((node.space, wanted))
            self.note("xml.namespace", "the namespace was missing, or another", path, node.space, wanted)

    def _meant(self, node: Node, declared: Iterable[Element]) -> Element | None:
        """The one among elements of a name that is meant, by its namespace."""
        same = list(declared)
        exact = next((element for element in same if element.namespace == node.space and not node.unbound), None)
        return exact or (None if self.names.foreign(node, self.root) else next(iter(same), None))

    # Attributes.

    def _attribute(
        self, made: Any, name: str, value: str, node: Node, declared: Element, children: list[Node | str], path: str
    ) -> None:
        prefix, _, local = name.rpartition(":")
        shape = declared.shape
        if "xmlns" in (prefix, name):
            return
        space = self._space(prefix, node, f"{path}/@{local}")
        if space == XSI:
            if local == "type" and declared.shape is self.names.chosen(node):
                value = self._type_name(made, value, declared.shape)
            self._put(made, f"{{{XSI}}}{local}", value, path)
            return
        foreign = space is not None and space not in (*self.names.spaces, self.root.space)
        known = _one(shape.attributes.values(), local, space, foreign=foreign)
        where = f"{path}/@{local}"
        if known is not None:
            where = f"{path}/@{known.name}"
            if known.name != local:
                self.note("xml.name", "another spelling of an attribute's name", where, local)
            if known.namespace != space:
                self.note("xml.namespace", "the namespace was missing, or another", where, space, known.namespace)
            self._put(made, _qualified(known.namespace, known.name), self._spelled(value, known.type, where), where)
        elif (
            not foreign
            and self.names.child(shape, folded(local)) is not None
            and not (shape.any_attribute and _has(node, local))
        ):
            if _has(node, local, but=value):
                words = f"{local} is given as an attribute and as an element, with different values"
                raise Unreadable(Finding("xml.ambiguous", words, f"{path}/{local}"))
            if _has(node, local):
                self.note("xml.attribute", "an attribute that said what an element says counts once", where, value)
                return
            self.note("xml.attribute", "an attribute stood for an element", f"{path}/{local}", value)
            children.append(Node(local, parts=[value], spaces=node.spaces, prefix=node.prefix))
        elif shape.any_attribute or shape.free or (is_leaf(shape) and not node.parts and prefix != "xml"):
            # In an element without text it may be what the element says: it is not left out.
            self._put(made, _qualified(space, local), value, where)
        else:
            self.note("xml.extra", "an attribute that the schema does not know was left out", where, value)

    def _type_name(self, made: Any, value: str, shape: Shape) -> str:
        """The name of a type with a prefix that holds in what is made: a default namespace does not."""
        space = self.names.space_of(shape)
        own = next((own for own, of in self.names.prefixes.items() if of == space and made.nsmap[own] == of), None)
        return value if own is None else f"{own}:{value.strip(BLANK).rpartition(':')[2]}"

    def _space(self, prefix: str, node: Node, path: str) -> str | None:
        """The namespace of an attribute; a prefix that is declared nowhere has none, save XML Schema's own."""
        space = node.spaces.get(prefix) if prefix else None
        if prefix and not space:
            self.note("xml.prefix", "a prefix that is declared nowhere was left out, or declared", path, prefix)
            return XSI if prefix == "xsi" else None
        return space

    def _put(self, made: Any, name: str, value: str, path: str) -> None:
        """An attribute set, unless it is there with another value."""
        there = made.get(name)
        if there is not None and there != value:
            raise Unreadable(Finding("xml.ambiguous", "an attribute is given twice with different values", path))
        if there is not None:
            self.note("xml.attribute", "an attribute that was given twice counts once", path, value)
        made.set(name, value)

    # Leaves.

    def _told(self, node: Node, shape: Shape, path: str) -> Node:
        """The element, with its text where that stood in an attribute `value`."""
        if len(node.attributes) != 1 or node.parts or not is_leaf(shape) or folded(node.attributes[0][0]) != "value":
            return node
        if _one(shape.attributes.values(), "value", None, foreign=False) is not None:
            return node
        ((name, text),) = node.attributes
        self.note("xml.attribute", "an attribute stood for the text of an element", path, f"{name}={text}")
        return replace(node, attributes=[], parts=[text])

    def _leaf(self, made: Any, node: Node, declared: Element, path: str) -> bool:
        text, kind = node.text, declared.shape.text or SimpleType()
        inner = node.nodes
        if inner and not text.strip(BLANK):
            # Elements alone are no text. One around a number can be nothing else.
            if kind.kind == "text" or len(inner) > 1 or inner[0].nodes or not inner[0].text.strip(BLANK):
                self._fill(made, node, path)
                return True
            self.note("xml.unwrapped", "an element around the value was taken off", path, inner[0].name)
            text = inner[0].text
        elif inner and names_item(inner[0].name, declared.name):
            self._fill(made, node, path)  # items and words: neither a list nor a text
            return True
        elif inner:
            self.note("xml.less_than", "markup inside of a text was taken as text", path)
            text = "".join(part if isinstance(part, str) else part.source for part in node.parts)
        if node.cut:
            if declared.least > 0 or (declared.most == 1 and kind.enumeration):
                raise _cut(path)
            if declared.most > 1 or not text.strip(BLANK) or not _is_prose(kind):
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
        declared: dict[str, list[Element]] = {}
        for use in children_of(shape.content):
            declared.setdefault(folded(use.name), []).append(use)
        there = {folded(part.name) for part in parts if isinstance(part, Node)}
        listed = _listed(Node("", parts=parts), shape) if there and not there & declared.keys() else None
        placed: list[tuple[Any, Element | None]] = []
        counts: dict[str, int] = {}

        def meant(node: Node) -> Element | None:
            found = self._meant(node, declared.get(folded(node.name), ()))
            return found or self._meant(node, [listed] if listed else self._items_of(node, shape))

        def place(node: Node, element: Element) -> None:
            for item in self._items(node, element, shape, f"{path}/{element.name}"):
                counts[element.name] = counts.get(element.name, 0) + 1
                where = f"{path}/{element.name}"
                if _repeats(element, shape) and counts[element.name] > 1:
                    where += f"[{counts[element.name]}]"
                child = self.element(item, element, where)
                if child is not None:
                    placed.append((child, element))

        last = max((index for index, part in enumerate(parts) if isinstance(part, Node)), default=-1)
        for index, part in enumerate(parts):
            if isinstance(part, str):
                self._text_between(made, part, shape, placed, path, there, last=index > last)
            elif (element := meant(part)) is not None:
                place(part, element)
            else:
                self._strange(made, part, shape, declared, there, meant, place, placed, path)
        self._sorted(placed, shape, path)
        for child, _ in placed:
            made.append(child)

    def _items_of(self, node: Node, shape: Shape) -> list[Element]:
        """The list whose item an element is by its name."""
        found = [
            element
            for element in children_of(shape.content)
            if _repeats(element, shape)
            and (one_of_many(node.name, element.name) or one_of_many(element.name, node.name))
        ]
        return found if len(found) == 1 else []

    def _items(self, node: Node, element: Element, shape: Shape, path: str) -> list[Node]:
        """The items that an element holds that stands around them; else the element itself."""
        inner = _only_elements(node)
        item = element.shape
        if not inner or not _repeats(element, shape) or not _an_item(inner, node.name, element):
            return [node]
        if _one(item.attributes.values(), inner[0].name, None, foreign=False) is not None:
            return [node]  # an element that stands for an attribute of the item
        if len(inner) == 1 and not inner[0].parts and not inner[0].attributes:
            return [node]  # an empty text, or nothing
        if not is_leaf(item):
            opened = item.free or item.mixed or bool(item.wildcards)
            if opened:
                self.ways.add("unwrap")
            if (opened and not self._unwrap) or self.names.child(item, folded(inner[0].name)) is not None:
                return [node]
        self.note("xml.unwrapped", "an element around the items of a list was taken off", path, node.name)
        if marks := node.text.strip(BLANK):
            self.note("xml.text", "text between elements was left out", path, marks)
        for name, value in node.attributes:
            if name.partition(":")[0] != "xmlns":
                self.note(
                    "xml.extra", "an attribute that the schema does not know was left out", path, f"{name}={value}"
                )
        self._namespace(node, element.namespace, path)
        named = folded(element.name)
        for found in inner:
            if folded(found.name) not in (named, "item") and not one_of_many(found.name, element.name):
                self.note("xml.name", "another spelling of an element's name", path, found.name, element.name)
        return [replace(found, name=element.name) for found in inner]

    def _strange(  # one place, and all that is known of it
        self,
        made: Any,
        node: Node,
        shape: Shape,
        declared: dict[str, list[Element]],
        there: set[str],
        meant: Callable[[Node], Element | None],
        place: Callable[[Node, Element], None],
        placed: list[tuple[Any, Element | None]],
        path: str,
    ) -> None:
        """A child that the schema does not know in this place."""
        foreign = self.names.foreign(node, self.root)
        if foreign:
            kept = (bool(shape.wildcards) and not node.unbound) or (shape.mixed and _says(node))
            self._left_out(node, placed, path, kept=kept)
            return
        attribute = _one(shape.attributes.values(), node.name, None, foreign=False)
        if (
            attribute is not None
            and not node.nodes
            and made.get(_qualified(attribute.namespace, attribute.name)) is None
        ):
            self.note("xml.attribute", "an element stood for an attribute", f"{path}/@{attribute.name}", node.text)
            made.set(
                _qualified(attribute.namespace, attribute.name),
                self._spelled(node.text.strip(BLANK), attribute.type, f"{path}/@{attribute.name}"),
            )
            return
        inner = node.nodes
        elements = [meant(child) for child in inner]
        if inner and not node.text.strip(BLANK) and None not in elements:
            self.note("xml.unwrapped", "an element around others was taken off", path, node.name)
            for child, element in zip(inner, elements, strict=True):
                assert element is not None
                place(child, element)
            return
        around = [
            element
            for name, (element, *_) in declared.items()
            if name not in there and self.names.child(element.shape, folded(node.name)) is not None
        ]
        if len(around) == 1:
            outer = around[0]
            if placed and placed[-1][1] is outer and outer.most == 1:
                # The next of those that the one before was put around of.
                more = self.element(_around(outer, [node]), outer, f"{path}/{outer.name}")
                for child in more:
                    placed[-1][0].append(child)
                return
            self.note("xml.wrapped", "the element that the schema puts around was missing", f"{path}/{outer.name}")
            place(_around(outer, [node]), outer)
            return
        a_list = len(declared) == 1 and any(many for _, many in shape.children.values())
        # What a wildcard takes is judged. One that the schema has elsewhere is not left out, since then the document
        # was understood wrongly, and neither is what may be an item of a list, or a part of a sentence.
        kept = shape.takes(node.space) or a_list or self.names.knows(node.name) or (shape.mixed and _says(node))
        self._left_out(node, placed, path, kept=kept)

    def _left_out(self, node: Node, placed: list[tuple[Any, Element | None]], path: str, *, kept: bool) -> None:
        if not kept:
            self.ways.add("keep")
        if kept or self._keep:
            placed.append((self._copy(node, path), None))
            return
        words = "an element that the schema does not know was left out"
        self.note("xml.extra", words, f"{path}/{node.name}", node.source)

    def _text_between(
        self,
        made: Any,
        text: str,
        shape: Shape,
        placed: list[tuple[Any, Element | None]],
        path: str,
        there: set[str],
        *,
        last: bool,
    ) -> None:
        if shape.mixed:
            if placed:
                placed[-1][0].tail = (placed[-1][0].tail or "") + text
            else:
                made.text = (made.text or "") + text
        elif text.strip(BLANK) and not there:
            made.text = text  # all that the element holds: it would be lost
        elif (tag := next((tag for tag in _TAG.findall(text) if self.names.knows(tag)), None)) is not None:
            words = f"a tag of <{tag}> stands between elements as text: what it holds would be lost"
            raise Unreadable(Finding("xml.syntax", words, path))
        elif (name := self._missed(_behind_end(text, path) if last else text, shape, there)) is not None:
            words = f"{name!r} stands between elements as text: what it says would be lost"
            raise Unreadable(Finding("xml.syntax", words, path))
        elif text.strip(BLANK):
            self.note("xml.text", "text between elements was left out", path, text.strip(BLANK))

    def _missed(self, text: str, shape: Shape, there: set[str]) -> str | None:
        """A name in the text between elements that may be that of one of them, in another form."""
        for name in _MEMBER.findall(text):
            plain = folded(name)
            if self.names.knows(name) and (plain not in there or may_repeat(shape, plain)):
                return str(name)
        return None

    def _sorted(self, placed: list[tuple[Any, Element | None]], shape: Shape, path: str) -> None:
        order = {id(element): index for index, element in enumerate(children_of(shape.content))}
        wanted = sorted(placed, key=lambda entry: order.get(id(entry[1]), len(order)))
        if [id(child) for child, _ in wanted] == [id(child) for child, _ in placed]:
            return
        self.ways.add("sort")
        if self._sort:
            self.note("xml.order", "the elements were put in the order of the schema", path)
            placed[:] = wanted

    def _copy(self, node: Node, path: str) -> Any:
        """An element that the schema says nothing about, as it was written."""
        path = f"{path}/{node.name}"
        if node.unbound:
            self.note("xml.prefix", "a prefix that is declared nowhere was left out", path, node.prefix)
        made = etree.Element(_qualified(node.space, node.name), nsmap=_prefixes(node))
        for name, value in node.attributes:
            prefix, _, local = name.rpartition(":")
            if "xmlns" in (prefix, name):
                continue
            space = self._space(prefix, node, f"{path}/@{local}")
            self._put(made, _qualified(space, local), value, f"{path}/@{local}")
        self._fill(made, node, path)
        return made

    def _fill(self, made: Any, node: Node, path: str) -> None:
        """What an element holds, as it was written."""
        if node.cut:
            raise _cut(path)
        last = None
        for part in node.parts:
            if not isinstance(part, str):
                last = self._copy(part, path)
                made.append(last)
            elif last is None:
                made.text = (made.text or "") + part
            else:
                last.tail = (last.tail or "") + part


def _behind_end(text: str, path: str) -> str:
    """What stands behind what is left of the closing tag of the element at a path; all where nothing is left of it."""
    found = _HALF_END.match(text)
    own = found is not None and folded(found[1]) == folded(path.rpartition("/")[2].partition("[")[0])
    return text[found.end() :] if found is not None and own else text


def _cut(path: str) -> Unreadable:
    return Unreadable(Finding("xml.truncated", "the answer ends inside of an element", path))


_HALF_END: Final = re.compile(r"\s*+<?\s?[\\/]+\s?([\w.\-]+)\s?>")
# A name with something to say behind it, as a label or a key, or in half a tag.
_MEMBER: Final = re.compile(r"(?<![\w.\-])([^\W\d][\w.\-]*+)[\"'`*]*+(?:\s?[:=]\s*+\S|>)")
_TAG: Final = re.compile(r"<\s*+/?\s*+(?:[^\W\d][\w.\-]*+:)?([^\W\d][\w.\-]*+)")


def _says(node: Node) -> bool:
    """Whether words stand in an element, or in one inside of it."""
    return bool(node.text.strip(BLANK)) or any(map(_says, node.nodes))


def _is_half(node: Node, shape: Shape) -> bool:
    """Whether the end of the answer cut off an element of which nothing tells what else it would have held."""
    if not (shape.free or shape.mixed or shape.wildcards):
        return node.cut and not (node.nodes or node.attributes)
    while not node.cut and node.parts and isinstance(node.parts[-1], Node):
        node = node.parts[-1]
    return node.cut


def _is_prose(kind: SimpleType) -> bool:
    """Whether half of a text is as good a value as the whole: not of a date, an option or a number."""
    bound = kind.enumeration or kind.patterns or kind.members or kind.variety != "atomic"
    return kind.base in _PROSE and not bound


_PROSE: Final = frozenset({"string", "normalizedString", "token"})


def _repeats(element: Element, shape: Shape) -> bool:
    return shape.children[shape.key(element.name, element.namespace)][1]


def _one(attributes: Iterable[Attribute], name: str, space: str | None, *, foreign: bool) -> Attribute | None:
    """The attribute of that name and namespace; else, of an attribute of the document's own, however it is spelled."""
    known = list(attributes)
    exact = [one for one in known if (one.name, one.namespace) == (name, space)]
    if exact or foreign:
        return exact[0] if exact else None
    found = [one for one in known if one.name == name] or [one for one in known if folded(one.name) == folded(name)]
    return found[0] if len(found) == 1 else None


def _has(node: Node, name: str, but: str | None = None) -> bool:
    """Whether an element holds one of that folded name, of another text than `but`."""
    named = (child for child in node.nodes if folded(child.name) == folded(name))
    return any(but is None or bool(child.nodes) or child.text.strip(BLANK) != but.strip(BLANK) for child in named)


def _qualified(namespace: str | None, name: str) -> str:
    return f"{{{namespace}}}{name}" if namespace else name


def _prefixes(node: Node) -> dict[str, str]:
    """The prefixes that an element declares, for names in its values. Never a default namespace: an element without one
    would be written into it."""
    return {prefix: space for prefix, space in node.spaces.items() if prefix not in ("", "xml") and space}
