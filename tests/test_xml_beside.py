"""Elements beside an XML document: one that may be a part of it is never passed over as prose."""

import pytest
from pydantic import BaseModel

from guards import validate


class Answer(BaseModel):
    reasoning: str
    answer: str | None = None


Same = type("answer", (Answer,), {"__module__": __name__})


@pytest.mark.parametrize("contract", [Answer, Same])
@pytest.mark.parametrize(
    "text",
    [
        "<{0}><reasoning>r</reasoning></{0}>\n<answer>x</answer>",
        "<answer>x</answer>\n<{0}><reasoning>r</reasoning></{0}>",
        "<{0}><reasoning>r & s</reasoning></{0}>\n<answer>x</answer>",
        "<response><{0}><reasoning>r</reasoning></{0}><answer>x</answer></response>",
    ],
)
def test_a_member_with_the_name_of_the_root_is_refused_beside_it(contract, text):
    """An element beside the document that a member of the root's name may be is an error, not prose."""
    outcome = validate(text.format(contract.__name__), contract, format="xml")
    assert [finding.code for finding in outcome.findings] == ["xml.syntax"]


@pytest.mark.parametrize("contract", [Answer, Same])
def test_members_alone_are_the_document(contract):
    """Without a root its members are read, though one of them has its name; and so is a root in another case."""
    for text in (
        "<reasoning>r</reasoning><answer>x</answer>",
        "<answer><reasoning>r</reasoning><answer>x</answer></answer>",
    ):
        outcome = validate(text, contract, format="xml")
        assert outcome.value == contract(reasoning="r", answer="x"), text
    outcome = validate("<answer><reasoning>r</reasoning></answer> Use <answer> here.", contract, format="xml")
    assert outcome.value == contract(reasoning="r")
