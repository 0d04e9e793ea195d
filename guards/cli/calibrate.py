"""`guards calibrate ROWS.jsonl --guard NAME`: the threshold that labelled rows give a guard, and what it reaches."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from guards.cli.contract import member
from guards.cli.screen import Screen, harmless, quoted
from guards.errors import ConfigError

if TYPE_CHECKING:
    from guards.checks import Calibration, Guard
    from guards.checks.calibrated.roc import Estimate

__all__ = ["calibrate"]


class Row(NamedTuple):
    """One labelled value."""

    value: Any
    label: bool
    context: dict[str, Any]


class Unjudged(click.ClickException):
    """A row that the guard could not judge. Its text is not shown: a fault's own words may hold it."""

    exit_code = 2

    def __init__(self, fault: Exception) -> None:
        where = "; ".join(getattr(fault, "__notes__", ()))
        said = f"the guard could not judge a row ({type(fault).__name__}; {where}); see why with score_many in Python"
        super().__init__(harmless(said))


@click.command()
@click.argument("rows", metavar="ROWS.jsonl", type=click.Path(path_type=Path))
@click.option(
    "--guard", "named", required=True, metavar="NAME|MODULE:NAME", help="toxicity, say; or a guard of one's own."
)
@click.option(
    "--option", "options", multiple=True, metavar="KEY=VALUE", help="Of the guard; the value as JSON or text."
)
@click.option("--fpr", type=float, help="The highest share of acceptable rows that may be refused; 0.01 by default.")
@click.option("--precision", type=float, help="Instead: the least share of unacceptable rows among the refused.")
@click.option("--out", type=click.Path(path_type=Path), help="Where the calibration is written, as JSON.")
@click.option("--curve", type=click.Path(path_type=Path), help="Where the ROC curve is drawn, as SVG.")
def calibrate(
    rows: Path,
    named: str,
    options: tuple[str, ...],
    fpr: float | None,
    precision: float | None,
    out: Path | None,
    curve: Path | None,
) -> None:
    """Find the threshold of a guard on labelled rows.

    Each line of ROWS.jsonl is an object: "value", "label" (true is acceptable), and "context" where the guard compares.
    No text of a row is printed.
    """
    guard = _guard(named, options)
    found = _calibrated(guard, list(_rows(rows)), fpr, precision)
    _show(found, guard.name)
    for path, text in ((out, found.to_json() + "\n"), (curve, found.svg())):
        if path is not None:
            _write(path, text)


def _calibrated(guard: Guard, rows: list[Row], fpr: float | None, precision: float | None) -> Calibration:
    from guards.checks import calibrate

    values, labels, contexts = [row.value for row in rows], [row.label for row in rows], [row.context for row in rows]
    try:
        return calibrate(guard, values, labels, contexts, fpr=fpr, precision=precision)
    except ConfigError:
        raise
    except Exception as fault:
        raise Unjudged(fault) from fault


def _guard(named: str, options: tuple[str, ...]) -> Guard:
    from guards.checks import Guard

    given = dict(map(_option, options))
    made = member(named, "--guard") if ":" in named else _known(named)
    if isinstance(made, type) and issubclass(made, Guard):
        _check_options(made, given)
        made = made(**given)
    elif given:
        raise ConfigError(f"{named!r} is made already", where="--option", hint="name its class to give it options")
    if not isinstance(made, Guard):
        raise ConfigError(f"{named!r} is no guard", where="--guard", hint="name a guard, or the class of one")
    return made


def _known(named: str) -> type[Guard]:
    from guards import checks

    found = [getattr(checks, name) for name in checks.__all__]
    no_choice = (checks.Guard, checks.Cascade)
    kinds = {kind.name: kind for kind in found if isinstance(kind, type) and issubclass(kind, checks.Guard)}
    kinds = {name: kind for name, kind in kinds.items() if kind not in no_choice}
    if named not in kinds:
        hint = f"use one of {', '.join(sorted(kinds))}, or module:Name"
        raise ConfigError(f"there is no guard {named!r}", where="--guard", hint=hint)
    return kinds[named]


def _check_options(kind: type[Guard], given: dict[str, Any]) -> None:
    from guards.checks.options import parameters

    taken = parameters(kind)
    unknown = [key for key in given if key not in taken]
    if unknown:
        raise ConfigError(
            f"{kind.name} has no option {unknown[0]!r}", where="--option", hint=f"it has {', '.join(taken)}"
        )
    needed = [key for key, one in taken.items() if one.default is one.empty and one.kind is not one.VAR_POSITIONAL]
    missing = [key for key in needed if key not in given]
    if missing:
        raise ConfigError(f"{kind.name} needs {missing[0]!r}", where="--option", hint=f"give it {missing[0]}=…")


def _option(given: str) -> tuple[str, Any]:
    key, equals, value = given.partition("=")
    if not equals or not key:
        raise ConfigError(f"{given!r} is not KEY=VALUE", where="--option", hint="write it like source=mail")
    try:
        return key, json.loads(value)
    except (ValueError, RecursionError):
        return key, value


def _rows(path: Path) -> Iterator[Row]:
    try:
        lines = path.read_text(encoding="utf-8").split("\n")
    except (OSError, UnicodeDecodeError) as fault:
        raise ConfigError(f"cannot be read as UTF-8 ({type(fault).__name__})", where=str(path)) from None
    for number, line in enumerate(lines, 1):
        if line.strip():
            yield _row(line, f"{path}, line {number}")


def _row(line: str, where: str) -> Row:
    """An error of a row names its line and never quotes it."""
    hint = 'write it like {"value": "…", "label": true, "context": {"source": "…"}}'
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        raise ConfigError("is no JSON", where=where, hint=hint) from None
    if not isinstance(data, dict) or "value" not in data or "label" not in data:
        raise ConfigError("is no object with value and label", where=where, hint=hint)
    label, context = data["label"], data.get("context")
    context = {} if context is None else context
    if label not in (True, False) or not isinstance(context, dict):
        raise ConfigError("label must be true or false, and context an object", where=where, hint=hint)
    return Row(data["value"], bool(label), context)


def _show(found: Calibration, name: str) -> None:
    screen = Screen()
    screen.print(quoted(f"{name}: ") + quoted(f"threshold {found.threshold:.4f}", "bold"))
    screen.print(quoted(f"{found.acceptable} acceptable and {found.unacceptable} unacceptable rows\n"))
    screen.table(
        ("What", "Is", "95 % interval"),
        [
            ("acceptable rows refused (fpr)", *_figures(found.fpr)),
            ("unacceptable rows refused (recall)", *_figures(found.recall)),
            ("refused rows unacceptable (precision)", *_figures(found.precision)),
            ("area under the curve (AUROC)", *_figures(found.auroc)),
        ],
    )


def _figures(estimate: Estimate) -> tuple[str, str]:
    return f"{estimate.value:.4f}", f"{estimate.low:.4f} to {estimate.high:.4f}"


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as fault:
        raise ConfigError(f"cannot be written: {fault.strerror}", where=str(path)) from fault
