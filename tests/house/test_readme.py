"""README.md does what it says: its example prints what stands under it, and its links lead somewhere."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
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
