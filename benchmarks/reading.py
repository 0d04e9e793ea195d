"""How much of what models answer is read, and how much is read as what nobody meant? Ours beside other readers.

    python benchmarks/reading.py ../shared/data                       # ours, pydantic_core, lxml
    python benchmarks/reading.py ../shared/data --peers .peers        # and those installed there: json_repair, baml-py
    python benchmarks/reading.py ../shared/data --node NODE_MODULES   # and jsonrepair of npm

The folder holds malformed/json.jsonl, malformed/xml.jsonl and schema_aligned/cases.jsonl. Every reader gives a value
or nothing, and what it gives is held against the row's own schema: so a reader is not blamed for what any validation
behind it would refuse. right: the value that was meant, or a refusal where one was due; wrong: a value that the schema
accepts and nobody meant. Times are wall-clock medians of single reads in one process, all readers in turn for each row.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from pathlib import Path

import jsonschema
from lxml import etree
from pydantic import TypeAdapter
from pydantic_core import from_json

from guards.contracts import JsonSchema, XmlSchema

NOTHING = object()


def same(left, right):
    """Equal as JSON: `true` is not `1`, `41` is `41.0`."""
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


def rows(path):
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


# Readers: (text, schema) → value, or an exception, or NOTHING.


def ours(dial):
    compiled = {}

    def read(text, schema):
        key = json.dumps(schema)
        contract = compiled.get(key) or compiled.setdefault(key, JsonSchema(schema))
        reading = contract.read(text, dial)
        return reading.value if reading.ok else NOTHING

    return read


def partial(text, schema):
    return from_json(text, allow_partial="trailing-strings", allow_inf_nan=False)


def json_readers(peers):
    readers = {
        "guards strict": ours("strict"),
        "guards careful": ours("careful"),
        "guards eager": ours("eager"),
        "json.loads": lambda text, schema: json.loads(text),
        "pydantic_core, partial": partial,
    }
    if peers:
        sys.path += [str(path) for path in Path(peers).glob("**/site-packages")]
    try:
        import json_repair
    except ImportError:
        pass
    else:
        readers["json_repair"] = lambda text, schema: json_repair.loads(text, skip_json_loads=False)
        readers["json_repair, stream_stable"] = lambda text, schema: json_repair.loads(text, stream_stable=True)
        readers["json_repair, salvage"] = lambda text, schema: json_repair.loads(
            text, schema=schema, schema_repair_mode="salvage"
        )
    try:
        from baml_reader import Reader
    except ImportError:
        pass
    else:
        readers["baml-py"] = Reader()
    return readers


def valid(value, schema, validators={}):
    key = json.dumps(schema)
    if key not in validators:
        validators[key] = jsonschema.Draft202012Validator(schema)
    return validators[key].is_valid(value)


def judge_json(row, value):
    if value is NOTHING or not valid(value, row["schema"]):
        return "right" if row["refuse"] else "refused"
    meant = [] if row["refuse"] else [row["expected"], *row["also"]]
    return "right" if any(same(value, expected) for expected in meant) else "wrong"


def run(read, *arguments):
    started = time.perf_counter()
    try:
        value = read(*arguments)
    except Exception:
        value = NOTHING
    return value, time.perf_counter() - started


def measure_json(data, readers):
    counts, times = defaultdict(Counter), defaultdict(list)
    for row in data:
        for name, read in readers.items():
            run(read, row["text"], row["schema"])  # the first reading compiles
            value, seconds = run(read, row["text"], row["schema"])
            counts[name][judge_json(row, value)] += 1
            times[name].append(seconds)
    return counts, times


def measure_node(data, modules):
    """jsonrepair, in one process of its own; its times are taken there."""
    script = """
import { createRequire } from 'module';
const require = createRequire(process.argv[2] + '/../any.js');
const { jsonrepair } = require('jsonrepair');
import { readFileSync } from 'fs';
for (const line of readFileSync(0, 'utf8').split('\\n').filter(Boolean)) {
  const text = JSON.parse(line); let said = null;
  try { jsonrepair(text) } catch {}
  const started = process.hrtime.bigint();
  try { said = jsonrepair(text) } catch {}
  console.log(JSON.stringify([said, Number(process.hrtime.bigint() - started) / 1e9]));
}"""
    with tempfile.NamedTemporaryFile("w", suffix=".mjs") as file:
        file.write(script)
        file.flush()
        sent = "\n".join(json.dumps(row["text"]) for row in data)
        command = ["node", file.name, str(Path(modules).resolve())]
        said = subprocess.run(command, input=sent, capture_output=True, text=True, check=True)
    counts, times = Counter(), []
    for row, line in zip(data, said.stdout.splitlines(), strict=True):
        text, seconds = json.loads(line)
        value, _ = run(json.loads, text) if text is not None else (NOTHING, 0)
        counts[judge_json(row, value)] += 1
        times.append(seconds)
    return counts, times


# XML.

SAFE = {"resolve_entities": False, "no_network": True, "load_dtd": False}


def lxml_reader(*, recover):
    """The document between the first and the last angle bracket, and the value that our contract makes of it."""

    def read(text, xsd):
        text = text[text.find("<") : text.rfind(">") + 1]
        root = etree.fromstring(text.encode(), etree.XMLParser(recover=recover, **SAFE))
        clean = etree.tostring(root, encoding="unicode")
        reading = XmlSchema(xsd).read(clean, "strict")
        return reading.value if reading.ok else NOTHING

    return read


def ours_xml(dial):
    def read(text, xsd):
        reading = XmlSchema(xsd).read(text, dial)
        return reading.value if reading.ok else NOTHING

    return read


def measure_xml(data, canary):
    readers = {
        "guards strict": ours_xml("strict"),
        "guards careful": ours_xml("careful"),
        "lxml": lxml_reader(recover=False),
        "lxml, recover": lxml_reader(recover=True),
    }
    counts, attacks, times = defaultdict(Counter), defaultdict(Counter), defaultdict(list)

    def filled(text):
        text = text.replace("{{CANARY}}", canary.as_uri())
        return re.sub(r"\{\{REPEAT:(.*?):(\d+)\}\}", lambda found: found[1] * int(found[2]), text)

    for row in data:
        expected = json.loads(filled(json.dumps(row["expected"])))
        for name, read in readers.items():
            value, seconds = run(read, filled(row["text"]), row["xsd"])
            if value is NOTHING:
                verdict = "right" if expected is None else "refused"
            else:
                verdict = "right" if expected is not None and value == expected else "wrong"
            (attacks if row["security"] else counts)[name][verdict] += 1
            times[name].append(seconds)
    return counts, attacks, times


# Tables.


def table(title, counts, times, total):
    print(f"\n{title}\n")
    print("| reader | right | refused | silently wrong | median µs |\n|---|---|---|---|---|")
    for name, count in counts.items():
        share = f"{count['right']} ({100 * count['right'] / total:.1f} %)"
        median = 1e6 * statistics.median(times[name])
        print(f"| {name} | {share} | {count['refused']} | {count['wrong']} | {median:,.0f} |")


def aligned(data, readers):
    print("\nSchema-aligned cases, complete answers\n")
    print("| reader | equal | refused where due | median µs |\n|---|---|---|---|")
    due = [row for row in data if row["expect"] == "error"]
    for name, read in readers.items():
        equal, refused, times = 0, 0, []
        for row in data:
            run(read, row["input"], row["schema"])
            value, seconds = run(read, row["input"], row["schema"])
            times.append(seconds)
            given = value is not NOTHING and valid(value, row["schema"])
            if row["expect"] == "error":
                refused += not given
                equal += not given
            else:
                equal += given and (row["expect"] == "ok" or same(value, row["expected"]))
        share = f"{equal} of {len(data)} ({100 * equal / len(data):.1f} %)"
        print(f"| {name} | {share} | {refused} of {len(due)} | {1e6 * statistics.median(times):,.0f} |")


def clean_documents():
    """The cost of reading and validating a clean document, as a multiple of bare `validate_json`."""
    from guards.contracts.compiled import compile_contract

    print("\nA clean document: reading and validating, beside bare validate_json\n")
    print("| characters | validate_json, µs | guards, µs | ratio |\n|---|---|---|---|")
    kind = dict[str, list[dict[str, str | int | float]]]
    adapter, contract = TypeAdapter(kind), compile_contract(kind)
    for size in (1, 20, 60, 220, 2200):
        line = {"sku": "A-1", "qty": 2, "price": 9.25, "note": "some words of a note"}
        text = json.dumps({"lines": [line] * size})
        bare, read = [], []
        for _ in range(max(15, 200_000 // len(text))):
            bare.append(run(adapter.validate_json, text)[1])
            read.append(run(contract.read, text)[1])
        low, high = statistics.median(bare) * 1e6, statistics.median(read) * 1e6
        print(f"| {len(text):,} | {low:,.1f} | {high:,.1f} | {high / low:.2f} |")


WORST = {
    "JSON: quotes inside a text": lambda n: '{"a": "' + '" x ' * (n // 4),
    "JSON: open brackets": lambda n: '{"a":[' * (n // 6),
    "JSON: comments that never end": lambda n: '{"a": "x"' + "/* " * (n // 3),
    "JSON: many broken documents": lambda n: "{'a': 1} " * (n // 9),
    "JSON: words without quotes": lambda n: "{" + "a b " * (n // 4),
    "XML: elements never closed": lambda n: "<a><b>" + "<c>x" * (n // 4),
    "XML: half a tag": lambda n: "<a" * (n // 2),
    "XML: bare marks": lambda n: "<a><b>" + "&< " * (n // 3),
}


def worst():
    """The time of the worst texts that were found, by length."""
    leaf = '<xs:element name="%s" type="xs:string" maxOccurs="unbounded"/>'
    xml = XmlSchema(
        '<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema"><xs:element name="a"><xs:complexType><xs:sequence>'
        f"{leaf % 'b'}{leaf % 'c'}</xs:sequence></xs:complexType></xs:element></xs:schema>"
    )
    plain = JsonSchema({"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]})
    sizes = (1_000, 10_000, 100_000, 990_000)
    print("\nThe worst texts that were found: milliseconds of one careful reading\n")
    print("| text | " + " | ".join(f"{size // 1000} KB" for size in sizes) + " |\n|---|---|---|---|---|")
    for name, made in WORST.items():
        contract = xml if name.startswith("XML") else plain
        times = [1e3 * min(run(contract.read, made(size))[1] for _ in range(2)) for size in sizes]
        print(f"| {name} | " + " | ".join(f"{spent:,.1f}" for spent in times) + " |")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="the folder of the corpora")
    parser.add_argument("--peers", help="a folder with the peers' environments")
    parser.add_argument("--node", help="a node_modules folder with jsonrepair")
    options = parser.parse_args()
    readers = json_readers(options.peers)
    malformed = rows(options.data / "malformed" / "json.jsonl")
    counts, times = measure_json(malformed, readers)
    if options.node:
        counts["jsonrepair (node)"], times["jsonrepair (node)"] = measure_node(malformed, options.node)
    table(f"Malformed JSON, {len(malformed)} rows", counts, times, len(malformed))
    cases = [r for r in rows(options.data / "schema_aligned" / "cases.jsonl") if r["mode"] == "complete"]
    # BAML's own test data, which need its own types: read from schemas alone they would measure our translation.
    aligned(cases, {name: read for name, read in readers.items() if name != "baml-py"})
    with tempfile.TemporaryDirectory() as folder:
        canary = Path(folder) / "canary"
        canary.write_text("CANARY-CONTENT")
        documents = rows(options.data / "malformed" / "xml.jsonl")
        counts, attacks, times = measure_xml(documents, canary)
    plain = sum(not row["security"] for row in documents)
    table(f"Malformed XML, {plain} plain rows", counts, times, plain)
    table(f"Malformed XML, {len(documents) - plain} attacks and look-alikes", attacks, times, len(documents) - plain)
    clean_documents()
    worst()


if __name__ == "__main__":
    main()
