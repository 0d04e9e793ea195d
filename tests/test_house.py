"""The house itself: floors import only downward, exports are what they say, and nothing heavy is loaded."""

from __future__ import annotations

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import guards
from guards.contracts.base import Contract

PACKAGE = Path(guards.__file__).parent
FLOORS = [
    ["errors", "documents", "values"],
    ["findings", "identity", "policies", "records", "messages", "context", "events", "hooks", "outgoing", "effects"],
    ["patterns", "wire"],
    ["reading"],
    ["contracts"],
    ["models"],
    ["checks"],
    ["engine"],
    ["driving"],
    ["clients"],
    ["shapes", "guarded"],
    ["measuring", "config", "testing"],
    ["cli"],
]
FLOOR_OF = {room: floor for floor, rooms in enumerate(FLOORS) for room in rooms}


def modules():
    for file in sorted(PACKAGE.rglob("*.py")):
        parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), file


NAMES = {name for name, _ in modules()}
FRONT_DOORS = {"guards", "guards.checks"}
"""They hand out names of rooms above them, each when it is first asked for."""


def imports(name, file):
    """Modules of the package that a file imports, inside functions and by a string too; not for types alone."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    skipped = {
        id(inner)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    found = {target for node in ast.walk(tree) if id(node) not in skipped for target in _targets(node)}
    return found - {name, "guards"}


def _targets(node):
    match node:
        case ast.ImportFrom(module=str(module), names=names) if module.split(".")[0] == "guards":
            # A module of a package, or a name of a module.
            yield from (full if (full := f"{module}.{alias.name}") in NAMES else module for alias in names)
        case ast.Import(names=names):
            yield from (alias.name for alias in names if alias.name in NAMES)
        case ast.Constant(value=str(text)) if text in NAMES:
            yield text


def room(module):
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def test_every_room_has_its_floor():
    """A new room is put on a floor before it is used."""
    known = {room(name) for name, _ in modules()} - {""}
    assert known <= set(FLOOR_OF)


def test_the_top_level_holds_the_nouns():
    """What is not for users has a room; at most 16 files stand at the top."""
    files = sorted(PACKAGE.glob("*.py"))
    assert len(files) <= 16
    assert [file.name for file in files if file.name.startswith("_") and file.name != "__init__.py"] == []


def test_imports_run_downward():
    """No room imports one above it, late imports and those by a string included."""
    wrong = [
        f"{name} -> {target}"
        for name, file in modules()
        if name not in FRONT_DOORS
        for target in imports(name, file)
        if FLOOR_OF.get(room(target), 99) > FLOOR_OF[room(name)]
    ]
    assert wrong == []


def test_there_is_no_cycle():
    """No module imports itself by way of others, late imports included."""
    graph = {name: imports(name, file) & NAMES for name, file in modules() if name not in FRONT_DOORS}
    done, path = set(), []

    def visit(name):
        assert name not in path, f"cycle: {' -> '.join([*path[path.index(name) :], name])}"
        if name in done:
            return
        path.append(name)
        for target in graph.get(name, ()):
            visit(target)
        path.pop()
        done.add(name)

    for name in graph:
        visit(name)


def kinds_of(kind):
    """The names of a class and of all that are made of it."""
    return {kind.__name__}.union(*map(kinds_of, kind.__subclasses__()))


def test_the_engine_asks_no_contract_for_its_format():
    """Contracts answer for their format: the loop and the shapes of use neither compare it nor know their classes."""
    for name, _ in modules():
        if room(name) == "contracts":
            import_module(name)
    kinds = kinds_of(Contract)
    wrong = []
    for name, file in modules():
        if room(name) not in ("engine", "shapes", "driving"):
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            asked = []
            if isinstance(node, ast.Compare):
                names = [ast.unparse(part) for part in ast.walk(node) if isinstance(part, ast.Attribute)]
                asked = [
                    name for name in names if name.endswith(".format") and name != "self.format"
                ]  # a ticket's option
            elif isinstance(node, ast.Match):
                asked = [node.subject] if ast.unparse(node.subject).endswith(".format") else []
            elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("isinstance", "issubclass"):
                classes = {part.id for part in ast.walk(node.args[1]) if isinstance(part, ast.Name)}
                asked = sorted(classes & kinds)
            wrong += [f"{name}:{node.lineno}"] if asked else []
    assert wrong == []


def test_optional_libraries_have_one_home():
    """Each optional library is imported by the files named after it, which alone know its shapes."""
    homes = {
        "openai": "guards.clients.openai",
        "anthropic": "guards.clients.anthropic",
        "litellm": "guards.clients.litellm",
        "torch": ("guards.models._transformers", "guards.models._export"),
        "transformers": "guards.models._transformers",
        "onnxruntime": ("guards.models._onnx", "guards.models._export"),
        "tokenizers": "guards.models._onnx",
        "httpx2": "guards.models._http",
        "py3langid": "guards.checks.learned.language",
    }
    for name, file in modules():
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            names = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
                names = [node.module]
            for imported in names:
                top = imported.split(".")[0]
                assert name.startswith(homes.get(top, name)), f"{name} imports {imported}"


def test_the_public_names():
    """`__all__` is sorted, complete, and every name can be had."""
    assert list(guards.__all__) == sorted(guards.__all__, key=lambda n: (not n.isupper(), not n[0].isupper(), n))
    for name in guards.__all__:
        assert getattr(guards, name) is not None
    assert set(guards.__all__) <= set(dir(guards))
    with pytest.raises(AttributeError):
        guards.Nonsense
    for line in (
        "from guards import (Guarded, validate, avalidate, contract, Guard, check, Finding, Outcome, Feedback, Reply, "
        "Budget, Raise, Reask, Reflect, Refrain, Fix, Filter, Noop, Fallback, load, GuardsError, Rejected)",
        "from guards.contracts import JsonSchema, XmlSchema, RelaxNG, Rail, Text, Choice, Pattern",
        "from guards.testing import ScriptedModel, FixedScores",
        "from guards.errors import ConfigError, BudgetExhausted, GuardFailed, MissingExtra",
        "from guards.records import Attempt, Repair, Usage",
        "from guards import Limits, Context, outcome_of",
    ):
        exec(line, {})


def test_every_module_says_what_it_is_for():
    """Each file opens with a docstring, and its `__all__` holds names that exist."""
    for name, file in modules():
        assert ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))), name
        if name.startswith("guards.cli"):
            continue
        module = import_module(name)
        for exported in getattr(module, "__all__", ()):
            assert hasattr(module, exported), f"{name}.{exported}"


HEAVY = [
    "torch",
    "transformers",
    "lxml",
    "jsonschema",
    "referencing",
    "regex",
    "idna",
    "httpx2",
    "openai",
    "anthropic",
    "litellm",
    "rich",
    "click",
]
IDLE = ["tenacity", "asyncio", "concurrent.futures", "jsonpath_rfc9535"]


@pytest.mark.parametrize(
    ("code", "absent"),
    [
        ("import guards", [*HEAVY, *IDLE, "pydantic"]),
        ("from guards import Guarded, validate, check, Reask", [*HEAVY, *IDLE]),
        (
            "from guards import Guarded, validate\n"
            "from pydantic import BaseModel\n"
            "class A(BaseModel):\n    a: int\n"
            "Guarded(A).call(lambda messages: '{\"a\": 1}', 'task')\n"
            "validate('no', A)",
            [*HEAVY, *IDLE],
        ),
        ("import guards.contracts, guards.checks, guards.clients, guards.testing", HEAVY),
    ],
)
def test_what_is_loaded(code, absent):
    """An import, and a guarded call of a pydantic model, load none of the heavy packages."""
    # What pydantic's core loads by itself is its own affair: asyncio, with typing_extensions below 4.16.
    assert loaded_by(code, absent) - loaded_by("import pydantic_core", absent) == set()


def loaded_by(code, modules):
    """Those of the modules that a fresh interpreter has after this code."""
    probe = f"{code}\nimport sys\nprint(*[m for m in {modules!r} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return set(done.stdout.split())


def test_every_test_says_what_it_proves():
    """Each test function has a docstring."""
    for file in Path(__file__).parent.glob("test_*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_"):
                assert ast.get_docstring(node), f"{file.name}: {node.name}"
