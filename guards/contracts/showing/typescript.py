"""A JSON Schema as TypeScript types: the shortest form in which models know a shape.

Every definition becomes an `interface` or `type` of its own, the root the last one, called `Answer` unless it has a
title. What a type cannot say (bounds, lengths, formats, patterns) stands in a comment behind the line; descriptions
stand there first. The idea is TypeChat's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, Final
from urllib.parse import unquote

__all__ = ["typescript"]


def typescript(schema: dict[str, Any]) -> tuple[str, str]:
    """The name of the root's type, and the declarations of all types that it needs, its own last."""
    writer = _Writer(schema)
    return writer.root, writer.run()


_NAME: Final = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*")
_PLAIN: Final = {"string": "string", "number": "number", "integer": "integer", "boolean": "boolean", "null": "null"}


class _Writer:
    def __init__(self, schema: dict[str, Any]) -> None:
        self.schema = schema
        self.used_integer = False
        self.names: dict[str, str] = {}
        # A root that is only a reference (a recursive pydantic model) is that type; else it has its title's name.
        alone = str(schema.get("$ref", "")) if not schema.keys() - {"$ref", "$defs", "definitions", "$schema"} else ""
        if self.found(alone) is not None:
            self.root = _identifier(_last(alone)) or "Answer"
            self.names["#"] = self.names[alone] = self.root
        else:
            root = _identifier(str(schema.get("title") or ""))
            self.root = root if root and root not in _TAKEN else "Answer"
            self.names["#"] = self.root

    def run(self) -> str:
        start = next(reversed(self.names))
        root = self.declared(self.root, self.found(start) if start != "#" else self.schema)
        written = {"#", start}
        blocks: list[tuple[int, str]] = []
        order = _order(self.schema)
        while waiting := [pointer for pointer in self.names if pointer not in written]:
            for pointer in waiting:
                written.add(pointer)
                text = self.declared(self.names[pointer], self.found(pointer))
                blocks.append((order.get(pointer, len(order)), text))
        blocks.sort(key=lambda block: block[0])
        whole = ["type integer = number; // whole"] if self.used_integer else []
        return "\n".join([*whole, *(text for _, text in blocks), root])

    def named(self, pointer: str) -> str:
        """The name of the type that a reference leads to; "any" for one that leads out of the schema."""
        if pointer not in self.names:
            if self.found(pointer) is None:
                return "any"
            base = _identifier(_last(pointer)) or "Type"
            name, number = base, 2
            while name in self.names.values() or name in _TAKEN:
                name, number = f"{base}{number}", number + 1
            self.names[pointer] = name
        return self.names[pointer]

    def found(self, pointer: str) -> Any:
        """What stands at a JSON Pointer (`#/$defs/Item`); None for any other reference."""
        if not pointer.startswith("#/"):
            return None
        found: Any = self.schema
        for part in pointer[2:].split("/"):
            key = _unescaped(part)
            if isinstance(found, list) and key.isdecimal() and int(key) < len(found):
                found = found[int(key)]
            elif isinstance(found, dict) and key in found:
                found = found[key]
            else:
                return None
        return found

    def declared(self, name: str, schema: Any) -> str:
        """One declaration, its description above it."""
        above = "".join(
            f"// {line}\n" for line in _lines(schema.get("description") if isinstance(schema, dict) else "")
        )
        if self.is_interface(schema):
            return f"{above}interface {name} {self.members(schema, '')}"
        limits = _limits(schema) if isinstance(schema, dict) else []
        return f"{above}type {name} = {self.type(schema, '')};{_comment(limits)}"

    def is_interface(self, schema: Any) -> bool:
        return (
            isinstance(schema, dict)
            and schema.get("type", "object") == "object"
            and bool(schema.get("properties"))
            and not any(key in schema for key in ("anyOf", "oneOf", "allOf", "$ref", "enum", "const"))
        )

    def type(self, schema: Any, indent: str) -> str:
        """The schema as a type expression."""
        if not isinstance(schema, dict):
            return "never" if schema is False else "any"
        parts = list(dict.fromkeys(self.parts(schema, indent)))
        return " & ".join(_grouped(part, " | ") if len(parts) > 1 else part for part in parts) or "any"

    def parts(self, schema: dict[str, Any], indent: str) -> Iterator[str]:
        """What applies at once."""
        if "const" in schema:
            yield _literal(schema["const"])
            return
        if isinstance(schema.get("enum"), list):
            yield " | ".join(map(_literal, schema["enum"])) or "never"
            return
        if "$ref" in schema:
            yield self.named(str(schema["$ref"]))
        branches = False
        for keyword in ("anyOf", "oneOf"):
            if isinstance(schema.get(keyword), list):
                branches = True
                yield self.union(schema[keyword], indent)
        for part in schema.get("allOf", ()):
            yield self.type(part, indent)
        kinds = schema.get("type")
        named = [kinds] if isinstance(kinds, str) else [kind for kind in kinds or () if isinstance(kind, str)]
        if not named:
            named = [kind for kind, words in _SHAPE.items() if any(word in schema for word in words)]
        elif branches and not any(word in schema for words in _SHAPE.values() for word in words):
            return  # the type only repeats what the branches say
        if named:
            yield " | ".join(dict.fromkeys(self.kind(kind, schema, indent) for kind in named))

    def union(self, branches: list[Any], indent: str) -> str:
        kinds: list[str] = []
        for branch in branches:
            text = self.type(branch, indent)
            # The limits of a branch belong to it alone: a comment inside, since behind the line it would be of all.
            limits = [] if not isinstance(branch, dict) or "$ref" in branch else _limits(branch)
            kinds.append(f"{text} /* {', '.join(limits).replace('*/', '* /')} */" if limits else text)
        return " | ".join(dict.fromkeys(kinds)) or "never"

    def kind(self, kind: str, schema: dict[str, Any], indent: str) -> str:
        if kind == "object":
            return self.object(schema, indent)
        if kind == "array":
            return self.array(schema, indent)
        if kind == "integer":
            self.used_integer = True
        return _PLAIN.get(kind, "any")

    def object(self, schema: dict[str, Any], indent: str) -> str:
        if schema.get("properties"):
            return self.members(schema, indent)
        return f"Record<string, {self.others(schema, indent) or 'any'}>" if _open(schema) else "{}"

    def others(self, schema: dict[str, Any], indent: str) -> str:
        """The type of the members that are not declared by name."""
        rules = [*_mapping(schema.get("patternProperties")).values()]
        if isinstance(schema.get("additionalProperties"), dict):
            rules.append(schema["additionalProperties"])
        return " | ".join(dict.fromkeys(self.type(rule, indent) for rule in rules))

    def members(self, schema: dict[str, Any], indent: str) -> str:
        inner = indent + "  "
        required = schema["required"] if isinstance(schema.get("required"), list) else []
        lines = []
        for name, rule in schema["properties"].items():
            mark = "" if name in required else "?"
            lines.append(f"{inner}{_key(name)}{mark}: {self.type(rule, inner)};{_comment(_remarks(rule))}")
        lines += [f"{inner}{_key(name)}: any;" for name in required if name not in schema["properties"]]
        if others := self.others(schema, inner):
            lines.append(f"{inner}[key: string]: {others};")
        return "\n".join(["{", *lines, f"{indent}}}"])

    def array(self, schema: dict[str, Any], indent: str) -> str:
        prefix = schema.get("prefixItems", schema.get("items"))
        if isinstance(prefix, list):
            rest = schema.get("items" if "prefixItems" in schema else "additionalItems", True)
            parts = [self.type(part, indent) for part in prefix]
            closed = rest is False or schema.get("maxItems") == len(prefix)
            if not closed:
                parts.append(f"...{_grouped(self.type(rest, indent), ' | ', ' & ')}[]")
            return f"[{', '.join(parts)}]"
        return f"{_grouped(self.type(schema.get('items', True), indent), ' | ', ' & ')}[]"


_SHAPE: Final[dict[str, tuple[str, ...]]] = {
    "object": ("properties", "additionalProperties", "patternProperties"),
    "array": ("items", "prefixItems"),
}


def _open(schema: dict[str, Any]) -> bool:
    return schema.get("additionalProperties") is not False or bool(schema.get("patternProperties"))


_TAKEN: Final = frozenset({"integer", "string", "number", "boolean", "null", "any", "never", "Record"})


def _order(schema: dict[str, Any]) -> dict[str, int]:
    """Where each definition stands among the others."""
    pointers = [
        f"#/{keyword}/{name.replace('~', '~0').replace('/', '~1')}"
        for keyword in ("$defs", "definitions")
        for name in _mapping(schema.get(keyword))
    ]
    return {pointer: at for at, pointer in enumerate(pointers)}


def _last(pointer: str) -> str:
    return _unescaped(pointer.rsplit("/", 1)[-1])


def _unescaped(part: str) -> str:
    return unquote(part).replace("~1", "/").replace("~0", "~")


def _remarks(schema: Any) -> list[str]:
    """What the comment behind a member says: its description, then what its type cannot say."""
    if not isinstance(schema, dict):
        return []
    return [*_lines(schema.get("description"))[:1], *_limits(schema), *_default(schema)]


def _default(schema: dict[str, Any]) -> list[str]:
    if schema.get("default") in (None, "", [], {}):
        return []
    return [f"default {_literal(schema['default'])}"]


def _limits(schema: dict[str, Any]) -> list[str]:
    """What a type cannot say, in words."""
    said = []
    low, high = schema.get("minimum"), schema.get("maximum")
    above, below = schema.get("exclusiveMinimum"), schema.get("exclusiveMaximum")
    if above is True:  # draft 4
        low, above = None, low
    if below is True:
        high, below = None, high
    said += _range(low, high, "")
    said += [f"more than {above}"] if _is_number(above) else []
    said += [f"less than {below}"] if _is_number(below) else []
    said += [f"a multiple of {schema['multipleOf']}"] if _is_number(schema.get("multipleOf")) else []
    said += _range(schema.get("minLength"), schema.get("maxLength"), "character")
    said += _range(schema.get("minItems"), schema.get("maxItems"), "item") if "prefixItems" not in schema else []
    said += _range(schema.get("minProperties"), schema.get("maxProperties"), "key")
    said += ["all different"] if schema.get("uniqueItems") is True else []
    said += [f"format {schema['format']}"] if isinstance(schema.get("format"), str) else []
    said += [f"matches {schema['pattern']}"] if isinstance(schema.get("pattern"), str) else []
    items = schema.get("items")
    if isinstance(items, dict) and "$ref" not in items and (inner := _limits(items)):
        said.append(f"each item: {', '.join(inner)}")
    others = schema.get("additionalProperties")
    if isinstance(others, dict) and "$ref" not in others and (inner := _limits(others)):
        said.append(f"each value: {', '.join(inner)}")
    return said


def _range(low: Any, high: Any, unit: str) -> list[str]:
    low = low if _is_number(low) and not (unit and low == 0) else None
    high = high if _is_number(high) else None
    if low is None and high is None:
        return []
    many = f" {unit}{'' if (high if high is not None else low) == 1 else 's'}" if unit else ""
    if low is not None and high is not None:
        return [f"exactly {low}{many}" if low == high else f"{low} to {high}{many}"]
    return [f"at least {low}{many}" if low is not None else f"at most {high}{many}"]


def _comment(remarks: list[str]) -> str:
    # One line: a line break in a pattern or a default would end the comment in the middle.
    return " // " + " ".join("; ".join(remarks).split()) if remarks else ""


def _lines(text: Any) -> list[str]:
    """A description in one piece; none where there is none."""
    return [" ".join(text.split())] if isinstance(text, str) and text.strip() else []


def _key(name: str) -> str:
    return name if _NAME.fullmatch(name) else _literal(name)


def _literal(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _grouped(text: str, *marks: str) -> str:
    """The type in brackets where it would otherwise fall apart."""
    flat = re.sub(r'"(?:\\.|[^"\\])*"|\{.*\}|\[.*\]|<.*>', "", text, flags=re.DOTALL)
    return f"({text})" if any(mark in flat for mark in marks) or "/*" in flat else text


def _identifier(name: str) -> str:
    """The name as TypeScript takes it: `Page[Item]` is `PageItem`."""
    words = re.findall(r"[A-Za-z0-9_$]+", name)
    if not words:
        return ""
    joined = words[0] + "".join(word[:1].upper() + word[1:] for word in words[1:])
    return joined if _NAME.match(joined) else f"T{joined}"


def _mapping(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
