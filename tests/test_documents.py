"""guards/documents.py: where the documents of schemas/ are found."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from guards import documents
from guards.errors import ConfigError


@pytest.fixture(autouse=True)
def _fresh():
    documents.document.cache_clear()
    yield
    documents.document.cache_clear()


def test_a_document_is_found():
    """A document that ships with the package is found by its name, in a checkout and in a wheel."""
    path = documents.path_of("run-record.schema.json")
    assert path.is_file()
    assert path.parent.name == "schemas"


def test_a_document_is_read_once():
    """The same parsed document is handed to every caller."""
    first = documents.document("finding.schema.json")
    assert first == json.loads(documents.path_of("finding.schema.json").read_text(encoding="utf-8"))
    assert documents.document("finding.schema.json") is first


def test_an_unknown_name_says_so():
    """A document that is not there is wrong use, named, with the way out."""
    with pytest.raises(ConfigError) as caught:
        documents.path_of("no-such.schema.json")
    assert str(caught.value) == "schemas/: there is no document 'no-such.schema.json'; reinstall output-guards"


def test_the_package_goes_before_the_checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """In a wheel the documents inside the package are taken, whatever folder lies beside it."""
    package = tmp_path / "guards"
    for folder, said in ((package / "schemas", "inside"), (tmp_path / "schemas", "beside")):
        folder.mkdir(parents=True)
        (folder / "a.json").write_text(json.dumps(said), encoding="utf-8")
    (tmp_path / "schemas" / "b.json").write_text('"beside"', encoding="utf-8")
    monkeypatch.setattr(documents, "__file__", str(package / "documents.py"))
    assert documents.document("a.json") == "inside"
    assert documents.document("b.json") == "beside"
