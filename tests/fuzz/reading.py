"""A coverage-guided search for texts that break the readers: `make fuzz`, or for long `make fuzz SECONDS=3600`.

Whatever the text, reading raises nothing and ends in time; what is accepted is accepted again when it is written down
and read strictly. A text that breaks this is kept beside the call (`crash-...`); run this file with it to see why.
"""

import sys
import tempfile
import time
from pathlib import Path

import atheris

with atheris.instrument_imports(
    include=["guards.reading", "guards.contracts.typed.contract", "guards.contracts.typed.growing"]
):
    from typing import Literal

    from pydantic import BaseModel

    from guards import Limits, validate
    from guards.contracts import Choice, JsonSchema, Pattern, XmlSchema
    from guards.contracts.compiled import compile_contract

DIALS = ("careful", "eager", "strict")


class Line(BaseModel):
    sku: str
    qty: int


class Order(BaseModel):
    number: str
    total: float | None
    state: Literal["open", "in_progress"] = "open"
    lines: list[Line] = []


XSD = """<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="order"><xs:complexType><xs:sequence>
<xs:element name="total" type="xs:decimal"/><xs:element name="line" maxOccurs="9"><xs:complexType><xs:sequence>
<xs:element name="sku" type="xs:string"/></xs:sequence><xs:attribute name="n" type="xs:integer"/></xs:complexType>
</xs:element></xs:sequence></xs:complexType></xs:element></xs:schema>"""
CONTRACTS = [
    compile_contract(Order),
    compile_contract(list[Line]),
    JsonSchema({"type": "object", "properties": {"a": {"enum": ["x y", "z"]}, "b": {"type": ["number", "null"]}}}),
    JsonSchema({}),
    XmlSchema(XSD),
    compile_contract(Order, "xml"),
    Choice(["yes", "no"]),
    Pattern("[a-z]+"),
]
SEEDS = [
    '{"number": "A", "total": 1.5, "lines": [{"sku": "x", "qty": 2}]}',
    "{number: 'A', \"total\": \"$1,234.50\", // c\n lines: [{sku: x, qty: '2'},]",
    'Sure! ```json\n[{"sku": "say "hi"", "qty": 1} {"sku": "b" "qty": 2}]\n``` done',
    '{\\"number\\": \\"A\\", \\"total\\": null}',
    '<think>{"a": 1}</think>{"a": "X-Y", "b": NaN}',
    '"{\\"a\\": \\"z\\"}"',
    "<order><total>$5</total><line n=1><sku>a & b < c<line><sku>&eacute;</line></order>",
    "<Order><number>A</nmbr><total/><lines><sku>x</sku><qty>1</qty></lines>",
    '<!DOCTYPE order [<!ENTITY a "b">]><order>&a;</order>',
    "Yes.",
]
# In libFuzzer's own way of writing them.
MARKS = [
    r"{\"",
    r"\":",
    "```json",
    "</think>",
    "<order>",
    "</",
    "&amp;",
    "<![CDATA[",
    r"\\u",
    "//",
    "/*",
    "None",
    "...",
]
LONGEST = 4096
ALLOWED = 2.0  # seconds of the processor; atheris makes Python several times slower


def one(data):
    """Read one text: the first byte chooses contract and dial, the rest is the text."""
    if not data:
        return
    contract = CONTRACTS[data[0] % len(CONTRACTS)]
    dial = DIALS[data[0] // len(CONTRACTS) % len(DIALS)]
    text = data[1:LONGEST].decode("utf-8", "surrogatepass" if data[0] & 128 else "replace")
    began = time.process_time()
    reading = contract.read(text, dial)
    spent = time.process_time() - began
    assert spent < ALLOWED, f"{spent:.1f} s for {len(text)} characters"
    if reading.ok:
        assert reading.document is not None
        again = contract.recheck(reading.document)
        assert again.ok, again.findings
        if contract.format != "text":
            written = contract.read(reading.document.source(), "strict", Limits(depth=400))
            assert written.ok, written.findings
    live = contract.live("", Limits())
    for start in range(0, len(text), 7):
        live.feed(text[start : start + 7])
    validate(text, contract, reading=dial).to_json()


def decoded(data):
    """`surrogatepass` refuses some bytes; those are no text."""
    try:
        one(data)
    except UnicodeDecodeError:
        return


def main():
    with tempfile.TemporaryDirectory() as folder:
        corpus, words = Path(folder, "corpus"), Path(folder, "words")
        corpus.mkdir()
        for number, seed in enumerate(SEEDS):
            for index in range(len(CONTRACTS) * 2):
                (corpus / f"{number}-{index}").write_bytes(bytes([index]) + seed.encode())
        words.write_text("".join(f'"{mark}"\n' for mark in MARKS))
        options = [f"-dict={words}", f"-max_len={LONGEST}", "-timeout=20", "-rss_limit_mb=4096"]
        given = any(Path(argument).is_file() for argument in sys.argv[1:])
        atheris.Setup([sys.argv[0], *options, *sys.argv[1:], *([] if given else [str(corpus)])], decoded)
        atheris.Fuzz()


if __name__ == "__main__":
    main()
