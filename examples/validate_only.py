"""The third shape: a text that is there already. No call, no second try; every finding, and nothing raised."""

from __future__ import annotations

from dataclasses import dataclass

from guards import Finding, check, validate


@dataclass
class Invoice:
    """What was read off an invoice."""

    number: str
    total: float
    lines: list[float]


@check
def adds_up(invoice: Invoice) -> Finding | None:
    """A guard of one's own: what no schema can say."""
    total = round(sum(invoice.lines), 2)
    if total == invoice.total:
        return None
    return Finding("invoice.total", "the lines do not add up to it", "/total", expected=total, actual=invoice.total)


if __name__ == "__main__":
    for text in (
        'The invoice reads {"number": "A-7", "total": 12.5, "lines": [10.0, 2.5]}',
        '{"number": "A-8", "total": 99.0, "lines": [10.0, 2.5]}',
        '{"number": "A-9", "lines": [10.0, "two"]}',
    ):
        outcome = validate(text, Invoice, guards=[adds_up])
        print("accepted:" if outcome.ok else "refused:", outcome.value)
        for finding in outcome.findings:
            print(f"  {finding.path}: {finding.message} ({finding.code})")
