"""The grammar of the written training texts, and the documents that sentences are planted in."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest

pytest.importorskip("torch")
pytest.importorskip("transformers")

TRAINING = Path(__file__).resolve().parents[1] / "training"


@pytest.fixture(autouse=True)
def beside_the_scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(TRAINING))
    yield
    for name in ("written", "written_documents", "encoder"):
        sys.modules.pop(name, None)


@pytest.fixture
def small(tmp_path):
    def made(text):
        from written import grammar

        (tmp_path / "small.txt").write_text(text)
        return grammar(tmp_path / "small.txt")

    return made


def test_a_slot_is_filled_and_a_numbered_one_always_alike(small):
    """{animal} is any of its words, {animal#1} the same throughout, {Animal#1} that with a capital."""
    grammar = small("[animal]\nowl\nfox\n[fine/pets]\n{Animal#1}, {animal#1} and {animal}\\n# end")
    texts = {grammar.filled(grammar.roots["pets"].lines[0], random.Random(seed)) for seed in range(40)}
    assert texts == {
        "Owl, owl and owl\n# end",
        "Owl, owl and fox\n# end",
        "Fox, fox and owl\n# end",
        "Fox, fox and fox\n# end",
    }


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("an owl\n[animal]\nfox", "line 1: stands before the first"),
        ("[fine/pets]\nthe {animal} sleeps", "no section fills animal"),
        ("[fine/pets]\nan owl\n[toxic/pets]\na fox", "two roots are called pets"),
    ],
)
def test_a_grammar_with_a_mistake_is_refused(small, text, said):
    """A line without a section, a slot without one, and a root that would hide another are errors, not fewer rows."""
    with pytest.raises(ValueError, match=said):
        small(text)


@pytest.mark.parametrize("name", ["toxicity", "injection"])
def test_the_written_texts_are_the_same_each_time_and_held_lines_apart(name):
    """Rows depend on the seed alone, hold no open slot, have both labels, and no line makes rows of both parts."""
    from written import grammar

    made = grammar(TRAINING / f"written_{name}.txt")
    rows, held = made.rows(3, 1), made.rows(3, 1, held=True)
    assert rows == made.rows(3, 1) != made.rows(3, 2)
    assert len({row["label"] for row in rows}) == len({row["label"] for row in held}) == 2
    assert not {row["text"] for row in rows} & {row["text"] for row in held}
    for root in made.roots.values():
        assert sorted(root.part(held=True) + root.part(held=False)) == sorted(root.lines)


def test_a_planted_sentence_is_in_its_document_and_nothing_is_lost():
    """With the sentence taken out again, what is left is the document's own parts in their order."""
    from written import grammar
    from written_documents import Documents

    documents = Documents(
        grammar(TRAINING / "written_injection.txt"), [["One.", "Two."], ["Three."]], ["Where is it?"], bool
    )
    for seed in range(60):
        chance = random.Random(seed)
        document = documents.any(chance)
        before, mark, after = document.planted("§§", chance).partition("§§")
        assert mark
        assert "".join((before + after).split()) == "".join(document.text().split())


def test_there_are_as_many_untouched_documents_as_attacked_ones():
    """A mail or a table alone tells nothing, nor does a request with the text that it is about."""
    from written import grammar
    from written_documents import Documents

    documents = Documents(grammar(TRAINING / "written_injection.txt"), [["One.", "Two."]], ["Where is it?"], bool)
    labels = [row["label"] for row in documents.rows(20, 1)]
    assert labels == ["injection", "harmless", "harmless"] * 20
