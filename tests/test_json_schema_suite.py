"""The official JSON-Schema-Test-Suite, drafts 7 and 2020-12: required, optional and format tests, one file a test."""

import json
from functools import lru_cache
from pathlib import Path

import pytest

from guards.contracts.json_schema.contract import JsonSchema
from guards.reading.document import JsonDocument

SUITE = Path(__file__).resolve().parents[1].parent / "shared/data/json_schema_test_suite"
DRAFT7 = "http://json-schema.org/draft-07/schema#"

# (file, description of the group, description of the test; None: the whole group) -> why
KNOWN_GAPS = {
    **dict.fromkeys(
        [
            ("draft7/optional/content.json", group, test)
            for group, test in [
                ("validation of string-encoded content based on media type", "an invalid JSON document"),
                ("validation of binary string-encoding", "an invalid base64 string (% is not a valid character)"),
                ("validation of binary-encoded media type documents", "a validly-encoded invalid JSON document"),
                ("validation of binary-encoded media type documents", "an invalid base64 string that is valid JSON"),
            ]
        ],
        "contentEncoding and contentMediaType are annotations, as in every later draft",
    ),
    **dict.fromkeys(
        [
            ("draft7/optional/cross-draft.json", "refs to future drafts are processed as future drafts", None),
            (
                "draft2020-12/optional/cross-draft.json",
                "refs to historic drafts are processed as historic drafts",
                None,
            ),
        ],
        "the remote of draft 2019-09 that it refers to is not in the data",
    ),
}

FILES = sorted(path.relative_to(SUITE / "tests").as_posix() for path in (SUITE / "tests").rglob("*.json"))


@lru_cache(maxsize=1)
def remotes():
    root = SUITE / "remotes"
    return {
        f"http://localhost:1234/{path.relative_to(root).as_posix()}": json.loads(path.read_text(encoding="utf-8"))
        for path in root.rglob("*.json")
    }


def gap(name, group, test):
    return (name, group["description"], None) in KNOWN_GAPS or (
        name,
        group["description"],
        test["description"],
    ) in KNOWN_GAPS


def contract_of(schema, name):
    if name.startswith("draft7/") and isinstance(schema, dict):
        schema = {"$schema": DRAFT7, **schema}
    # Most schemas refer to nothing outside; only those that do are given the remotes, to keep this quick.
    resources = remotes() if "localhost:1234" in json.dumps(schema) else {}
    return JsonSchema(schema, formats="/format/" in name, resources=resources)


@pytest.mark.skipif(not FILES, reason="the suite is not beside this checkout (shared/data/json_schema_test_suite)")
@pytest.mark.parametrize("name", FILES)
def test_suite(name):
    """Every test of the file comes out as the suite says, save the known gaps."""
    wrong = []
    for group in json.loads((SUITE / "tests" / name).read_text(encoding="utf-8")):
        if gap(name, group, {"description": None}):
            continue
        contract = contract_of(group["schema"], name)
        for test in group["tests"]:
            reading = contract.recheck(JsonDocument(test["data"]))
            if reading.ok != test["valid"] and not gap(name, group, test):
                wrong.append((group["description"], test["description"], reading.findings))
    assert not wrong


@pytest.mark.skipif(not FILES, reason="the suite is not beside this checkout (shared/data/json_schema_test_suite)")
@pytest.mark.parametrize(("name", "group", "test"), list(KNOWN_GAPS))
def test_known_gaps_are_still_gaps(name, group, test):
    """A gap that has closed is taken off the list."""
    found = next(
        g for g in json.loads((SUITE / "tests" / name).read_text(encoding="utf-8")) if g["description"] == group
    )
    try:
        contract = contract_of(found["schema"], name)
    except ValueError:
        return
    chosen = next(t for t in found["tests"] if t["description"] == test)
    assert contract.recheck(JsonDocument(chosen["data"])).ok != chosen["valid"]


BENCH = SUITE.parent / "jsonschemabench"


@pytest.mark.skipif(not BENCH.is_dir(), reason="jsonschemabench is not beside this checkout (shared/data)")
@pytest.mark.parametrize("folder", sorted(path.name for path in BENCH.glob("*") if path.is_dir()))
def test_schemas_from_the_wild(folder):
    """Schemas from public sources compile, and their instances get the verdict that is stored with them."""
    wrong = []
    for path in sorted((BENCH / folder).glob("*.json")):
        row = json.loads(path.read_text(encoding="utf-8"))
        contract = JsonSchema(row["schema"], formats=True)
        for test in row.get("tests", []):
            if contract.recheck(JsonDocument(test["data"])).ok != test["valid"]:
                wrong.append((path.name, test["description"]))
    assert not wrong
