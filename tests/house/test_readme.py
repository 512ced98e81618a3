"""README.md does what it says: its example prints what stands under it, and its links lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
ROOMS = "benchmarks", "docs", "examples", "fastconv", "tests"
PAGES = ["README.md", "CONTRIBUTING.md", *sorted(f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md"))]


def test_the_example_prints_what_stands_under_it(capsys):
    code, expected = re.search(r"```python\n(.*?)```\n\n((?:    .*\n)+)", README.read_text("utf-8"), re.DOTALL).groups()
    exec(compile(code, README.name, "exec"), {})
    printed, told = ([line.strip() for line in text.splitlines()] for text in (capsys.readouterr().out, expected))
    (shape, error), (told_shape, told_error) = (
        lines[1].split(" differs from the float64 reference by at most ") for lines in (printed, told)
    )
    assert (printed[0], shape) == (told[0], told_shape)
    assert float(error) <= 3 * float(told_error)  # other instruction sets round otherwise


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_somewhere(page):
    text = (ROOT / page).read_text("utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        path, _, heading = target.partition("#")
        linked = (ROOT / page).parent / path if path else ROOT / page
        assert linked.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.*)", linked.read_text("utf-8"), re.MULTILINE)
            assert heading in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings}, target


def test_files_that_contributing_names_are_there():
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    names = set(re.findall(r"(?<![\w*<>.-])[\w/]+\.(?:pyx?|c|h|md|toml)\b", text))
    files = [*ROOT.glob("*"), *(path for room in ROOMS for path in (ROOT / room).rglob("*.*"))]
    missing = {name for name in names if not any(path.as_posix().endswith(f"/{name}") for path in files)}
    assert missing == set()


def test_each_program_of_the_suite_stands_in_both_lists():
    """In the table of commands, and in the list of the suite's files."""
    told = [(ROOT / page).read_text("utf-8") for page in ("CONTRIBUTING.md", "benchmarks/__init__.py")]
    for path in (ROOT / "benchmarks").glob("*.py"):
        if 'if __name__ == "__main__"' in path.read_text("utf-8") and path.name not in ("__main__.py", "peak.py"):
            assert all(f"`python -m benchmarks.{path.stem}" in text for text in told), path.name
