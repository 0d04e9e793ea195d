"""`guards export-onnx MODEL FOLDER`: write a model as ONNX, to be run without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from guards.cli.screen import harmless

__all__ = ["export_onnx"]


@click.command("export-onnx")
@click.argument("model", metavar="MODEL")
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@click.option(
    "--task",
    type=click.Choice(["classification", "pairs", "embedding"]),
    default="classification",
    show_default=True,
    help="What the model is asked: scores for a text, scores for a pair of texts, a vector for a text.",
)
@click.option("--revision", metavar="NAME", help="The revision of an id.")
@click.option("--int8", is_flag=True, help="Write model_int8.onnx too: a quarter of the size.")
def export_onnx(model: str, folder: Path, task: Any, revision: str | None, *, int8: bool) -> None:
    """Write MODEL (an id, a folder, embedded:NAME) into a new FOLDER as ONNX, and compare it with the model.

    Needs `pip install 'output-guards[onnx-export]'`; what it writes is run with `output-guards[onnx]`.

    Exit status: 0 written, 2 it cannot be written, or gives other numbers.
    """
    from guards.models import ModelSpec
    from guards.models._export import export_onnx as export

    for written in export(ModelSpec(task, model, revision=revision), folder, int8=int8):
        size = written.file.stat().st_size / 1e6
        told = f"{written.file}: {size:.1f} MB, numbers within {written.difference:.1g} of the model's"
        click.echo(harmless(told))
