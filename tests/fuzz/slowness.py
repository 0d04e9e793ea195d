"""A search for texts that take the readers long: `python tests/fuzz/slowness.py [SECONDS] [SEED]`.

Texts of repeated fragments, alone and in pairs, in several frames, are read by every kind of contract at a length, at
twice and at four times that. Told is where the time grows faster than the text (its exponent), and where a megabyte
would take too long. What is found here becomes a row of `tests/test_linear.py`.
"""

import itertools
import math
import random
import sys
import time
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel

sys.path.insert(0, str(Path(__file__).parents[1]))
from clock import slowness

from guards import Limits, validate
from guards.contracts import Choice, JsonSchema, Pattern, RelaxNG, Text, XmlSchema
from guards.contracts.compiled import compile_contract


class Line(BaseModel):
    sku: str
    qty: int


class Cat(BaseModel):
    kind: Literal["cat"]
    name: str


class Dog(BaseModel):
    kind: Literal["dog"]
    name: str
    age: int


class Order(BaseModel):
    number: str
    total: float | None = None
    state: Literal["open", "in_progress"] = "open"
    lines: list[Line] = []
    pets: list[Cat | Dog] = []
    notes: dict[str, str] = {}


XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="order"><xs:complexType><xs:sequence>
<xs:element name="total" type="xs:decimal"/><xs:element name="line" maxOccurs="unbounded"><xs:complexType><xs:sequence>
<xs:element name="sku" type="xs:string"/></xs:sequence><xs:attribute name="n" type="xs:integer"/></xs:complexType>
</xs:element></xs:sequence></xs:complexType></xs:element></xs:schema>"""
RNG = """<grammar xmlns="http://relaxng.org/ns/structure/1.0"><start><element name="order"><zeroOrMore>
<element name="line"><optional><attribute name="n"/></optional><text/></element></zeroOrMore></element></start>
</grammar>"""
CONTRACTS = {
    "model": lambda: compile_contract(Order),
    "lines": lambda: compile_contract(list[Line]),
    "union": lambda: compile_contract(list[Cat | Dog]),
    "numbers": lambda: compile_contract(list[int]),
    "texts": lambda: compile_contract(list[str]),
    "text field": lambda: compile_contract(str),
    "maybe": lambda: compile_contract(str | float | None),
    "map": lambda: compile_contract(dict[str, int]),
    "schema": lambda: JsonSchema(
        {
            "type": "object",
            "properties": {
                "a": {"enum": ["x y", "z"]},
                "b": {"type": ["number", "null"]},
                "sku": {"type": "string"},
                "lines": {"type": "array", "items": {"anyOf": [{"type": "integer"}, {"type": "object"}]}},
            },
            "additionalProperties": False,
        }
    ),
    "unique": lambda: JsonSchema({"type": "array", "uniqueItems": True, "contains": {"type": "object"}}),
    "anything": lambda: JsonSchema({}),
    "xsd": lambda: XmlSchema(XSD),
    "rng": lambda: RelaxNG(RNG),
    "xml type": lambda: compile_contract(Order, "xml"),
    "xml list": lambda: compile_contract(list[Line], "xml"),
    "choice": lambda: Choice(["yes", "no", "not now"]),
    "pattern": lambda: Pattern("[a-z]+(?: [a-z]+)*"),
    "text": lambda: Text(),
}
DIALS = ("strict", "careful", "eager", "live")
FRAGMENTS = (
    *"{}[]()<>\"'`,:;\\/&#*-+=.|~!@?%$0",
    " ",
    "\n",
    "\r",
    "\t",
    "\u00a0",
    "\u200b",
    "\ufeff",
    "\u3000",
    "\u2028",
    "\u201c",
    "\u201d",
    "\u00ab",
    "\u2019",
    "\uff02",
    "\u300c",
    "\uff5b",
    "\u00e9",
    "\U0001f600",
    "a",
    "a ",
    "word\n",
    '""',
    '"a"',
    '"a",',
    '"a" ',
    "'a',",
    '"a": ',
    '"a": 1,',
    'a: "b"\n',
    "sku: x\n",
    '"sku": "a", ',
    '"sku": "say "hi"", ',
    '{"sku": "a"',
    '{"sku": "a", "qty": 1}',
    '{"sku": "a", "qty": 1},',
    '{"sku": "a", "qty": "x"}\n',
    '{"kind": "cat"},',
    '{"name": 1},',
    '{"a":',
    "[1,",
    "[[",
    "]]",
    "[" * 50 + "]" * 50,
    '{"a":' * 50 + "}" * 50,
    "{}",
    "[]",
    "{},",
    "[],",
    "{[",
    "1,",
    "1 ",
    "1\n",
    "$1,000 ",
    "1e5",
    "-",
    "- a\n",
    "* [x]\n",
    "1. a\n",
    "```",
    "```json\n",
    "```json\n{}\n```\n",
    "~~~\n",
    "// c\n",
    "/*",
    "*/",
    "/* c */",
    "/* a *",
    "# c\n",
    "<!--",
    "-->",
    "<!-- c -->",
    "<!-- a -",
    "...",
    "\u2026",
    '\\"',
    "\\n",
    "\\u00",
    "\\u0041",
    "\\ud83d",
    "\\\\",
    "'''",
    '"""',
    "'",
    "' ",
    'r"',
    " + ",
    '" + "',
    "f(",
    "Decimal(",
    "=>",
    "->",
    "|",
    "> ",
    "+",
    "null,",
    "true ",
    "NaN,",
    "<think>",
    "</think>",
    "<thinking>\n",
    "<a>",
    "</a>",
    "<a/>",
    "<a ",
    "<a b='c'>",
    ' b="c"',
    ' b="c',
    " b=c",
    "<line>",
    "</line>",
    "<line><sku>a</sku></line>",
    '<line n="1">',
    "<lines><sku>x</sku><qty>1</qty></lines>",
    "<order>",
    "</order>",
    "<order/>",
    "<Order>",
    "<Order/>",
    "<b:c>",
    "<![CDATA[",
    "]]>",
    "<![CDATA[a]]>",
    "<?a?>",
    "<?",
    "<!DOCTYPE a [",
    "<!DOCTYPE a>",
    "<!ENTITY a 'b'>",
    "&amp;",
    "&lt;",
    "&lt;a&gt;",
    "&quot;",
    "&eacute;",
    "&#65;",
    "&a",
    ' xmlns:a="b"',
    "yes ",
    "yes, ",
    "**yes** ",
    "yes no ",
)
FRAMES = (
    "{}",
    '{{"number": "{}',
    '{{"number": "{}"}}',
    '{{"number": "A", {}',
    '{{"number": "A", "lines": [{}]}}',
    "[{}",
    "[{}]",
    '["{}',
    '["{}"]',
    "{{{}}}",
    "{{{}",
    "Sure: {}",
    "{}]}}",
    "```json\n{}\n```",
    "<think>{}</think>{{}}",
    '{}{{"number": "A"}}',
    "<order>{}</order>",
    "<order>{}",
    "<Order>{}</Order>",
    "<Order><number>{}</number></Order>",
    "<Order {}></Order>",
    "<order {}",
    "<order a='{}",
    "<order><total>1</total>{}</order>",
    "&lt;{}",
    '"{}"',
)
ALLOWED = 2e-6
"""Seconds for a character."""
STEEP = 1.3
LENGTHS = (4_000, 8_000, 16_000)
LONG = 150_000
FLOOR = 0.012
"""Seconds below which neither the clock nor the start of a reading lets a growth be told."""


class Case(NamedTuple):
    """One text of any length, read in one way."""

    contract: str
    dial: str
    frame: str
    parts: tuple[str, ...]
    mixed: bool

    def text(self, length):
        frame = len(self.frame.format(""))
        if self.mixed:
            unit = "".join(self.parts)
            body = unit * max(1, (length - frame) // len(unit))
        else:
            share = (length - frame) // len(self.parts)
            body = "".join(part * max(1, share // len(part)) for part in self.parts)
        return self.frame.format(body)

    def seconds(self, length, contract):
        text = self.text(length)
        began = time.process_time()
        if self.dial == "live":
            live = contract.live("", Limits())
            for start in range(0, len(text), 64):
                live.feed(text[start : start + 64])
        else:
            validate(text, contract, reading=self.dial)
        return time.process_time() - began, len(text)


def cases(seed):
    """Fragments alone in every way; then pairs and triples without end."""
    drawn = random.Random(seed)
    alone = [
        Case(contract, dial, frame, (part,), True)
        for contract, dial, frame, part in itertools.product(CONTRACTS, DIALS, FRAMES, FRAGMENTS)
    ]
    for index in range(10_000_000):
        if index % 2 and alone:
            yield alone.pop(drawn.randrange(len(alone)))
        parts = tuple(drawn.choice(FRAGMENTS) for _ in range(drawn.choice((2, 2, 2, 3, 4))))
        contract, dial = drawn.choice(list(CONTRACTS)), drawn.choice(("careful", "eager", "careful", "eager", *DIALS))
        yield Case(contract, dial, drawn.choice(FRAMES), parts, drawn.random() < 0.6)


def told(case, contract, lengths=LENGTHS):
    """Exponent and seconds a megabyte where either is too much; None where all is well."""
    times = []
    for length in lengths:
        spent, chars = case.seconds(length, contract)
        if length == lengths[-1] and spent > FLOOR:
            spent = min(spent, case.seconds(length, contract)[0])
        times.append((spent, chars))
        if spent > 2:
            break
    (first, few), (last, many) = times[0], times[-1]
    if last < FLOOR:
        return None
    exponent = math.log(last / max(first, 1e-3)) / math.log(many / few) if many > few else 9
    rate = last / many
    if exponent <= STEEP and rate > ALLOWED:  # it may be what a reading costs at least
        before = slowness()
        spent, chars = case.seconds(LONG, contract)
        rate = spent / chars / max(before, slowness())
    return (exponent, rate * 1e6) if exponent > STEEP or rate > ALLOWED else None


def main():
    seconds, seed = (float(sys.argv[1]) if len(sys.argv) > 1 else 60), (sys.argv[2] if len(sys.argv) > 2 else "0")
    made = {name: make() for name, make in CONTRACTS.items()}
    ends = time.monotonic() + seconds
    count = found = 0
    for case in cases(seed):
        if time.monotonic() > ends:
            break
        count += 1
        try:
            slow = told(case, made[case.contract])
        except Exception as fault:  # a crash is told as well
            print(f"CRASH {type(fault).__name__}: {fault} {case}"[:300], flush=True)
            continue
        if slow:
            found += 1
            print(f"exponent {slow[0]:.2f}, {slow[1]:6.1f} s/MB  {tuple(case)!r}", flush=True)
    print(f"{found} of {count} are slow", flush=True)


if __name__ == "__main__":
    main()
