"""The lower bounds that are declared are those that the suite is run at."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[1]


def bounds(lines):
    """Package: lowest version, of the requirements that name one."""
    for requirement in map(Requirement, lines):
        for one in requirement.specifier:
            if one.operator == ">=":
                yield canonicalize_name(requirement.name), Version(one.version)


def test_each_bound_is_what_test_lowest_installs():
    """The pins of constraints-lowest.txt are the bounds of pyproject.toml, the extras' that the suite needs among them."""
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    pins = {
        canonicalize_name(name): Version(version)
        for name, separator, version in (
            line.partition("==") for line in (ROOT / "constraints-lowest.txt").read_text(encoding="utf-8").splitlines()
        )
        if separator
    }
    suite = dict(bounds(declared["dependency-groups"]["test"]))
    package = dict(bounds(declared["project"]["dependencies"]))
    extras = [pair for extra in declared["project"]["optional-dependencies"].values() for pair in bounds(extra)]
    assert len(package) == len(declared["project"]["dependencies"])
    for name, bound in [*suite.items(), *package.items(), *((name, low) for name, low in extras if name in suite)]:
        assert pins[name] == bound, name
