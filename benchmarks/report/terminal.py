"""Tables in the terminal: plain columns, at most 80 characters wide for those that are printed."""

from shutil import get_terminal_size
from textwrap import fill

from benchmarks.report.tables import Table


def show(table: Table) -> None:
    """Print a `benchmarks.report.tables.Table`; a name gets a line of its own above its rows."""
    headings = [heading.replace(" threads", " thr").replace(" thread", " thr") for _, heading in table.columns[1:]]
    lines = [headings, *_lines(table)]
    widths = _widths(lines)
    upper = [_upper(table, widths)] * any(name for name, _ in table.groups)
    print("\n".join([table.title, "", *upper, *_aligned(lines, widths)]))
    say("", table.note)


def say(*paragraphs: str) -> None:
    """Print paragraphs, each broken at the terminal's width."""
    for text in paragraphs:
        print(fill(text, get_terminal_size().columns))


def _aligned(lines: list[list[str]], widths: list[int]) -> list[str]:
    """Lines of cells in columns, the first flush left; a name alone may reach beyond its column."""
    cells = [
        [line[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True))]
        for line in lines
    ]
    return ["  ".join(line).rstrip() for line in cells]


def _widths(lines: list[list[str]]) -> list[int]:
    """The width of each column, to which a name alone does not count."""
    return [max(map(len, column)) for column in zip(*(line for line in lines if any(line[1:])), strict=True)]


def _upper(table: Table, widths: list[int]) -> str:
    """The upper headings: over one column flush right, over several between dashes; for a long one a column widens."""
    said, at = [], 0
    for name, columns in [("", table.groups[0][1] - 1), *table.groups[1:]]:  # the rows' names stand in no column
        text = f" {name} " if name and columns > 1 else name
        between = 2 * (columns - 1)
        widths[at] += max(0, len(text) - between - sum(widths[at : at + columns]))
        width = sum(widths[at : at + columns]) + between
        said.append(text.center(width, "-") if columns > 1 and name else text.rjust(width))
        at += columns
    return "  ".join(said)


def _lines(table: Table) -> list[list[str]]:
    """The rows without their names, which stand above the first row of each."""
    lines, previous = [], None
    for name, first, *rest in table.rows:
        if name != previous:
            lines.append([name] + [""] * len(rest))
            previous = name
        lines.append([f"  {first}", *rest])
    return lines
