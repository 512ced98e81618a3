"""What stands in two files of the settings is the same in both."""

import re
from pathlib import Path

import pytest

import fastconv

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("tool", ["clang-format", "cython-lint", "import-linter", "ruff"])
def test_the_hooks_lint_with_the_versions_of_the_dev_extra(tool):
    pinned = re.compile(rf"\b{tool}==([\d.]+)")
    (version,) = pinned.findall((ROOT / "pyproject.toml").read_text())
    assert set(pinned.findall((ROOT / ".pre-commit-config.yaml").read_text())) == {version}


def test_the_citation_names_this_version():
    text = (ROOT / "CITATION.cff").read_text()
    assert re.search(r"^version: (.*)$", text, re.M)[1] == fastconv.__version__
