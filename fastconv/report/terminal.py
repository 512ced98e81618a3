"""Tables in the terminal: rich's where it is installed and the output is a terminal, plain columns elsewhere."""

import sys
from shutil import get_terminal_size
from textwrap import fill, wrap


def show(table):
    """Print a `fastconv.report.tables.Table`; a name that many rows share gets a line of its own above them."""
    headings, lines = _headings(table), _lines(table)
    try:
        from rich.box import SIMPLE_HEAD
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        Console = None
    if Console is None or not sys.stdout.isatty():
        print("\n".join([table.title, "", *plain([*headings, *lines])]))
        say("", table.note)
        return
    style = {"title_justify": "left", "title_style": "bold", "box": SIMPLE_HEAD, "show_edge": False, "pad_edge": False}
    grid = Table(title=table.title, padding=(0, 1, 0, 0), **style)
    for i, column in enumerate(zip(*headings, strict=True)):
        grid.add_column("\n".join(column), justify="right" if i else "left", no_wrap=True)
    for line in lines:
        grid.add_row(*line, style=None if any(line[1:]) else "bold")
    Console().print(grid)
    say("", table.note)


def say(*paragraphs):
    """Print paragraphs, each broken at the terminal's width."""
    for text in paragraphs:
        print(fill(text, get_terminal_size().columns))


def plain(lines):
    """Lines of cells as text in aligned columns, the first flush left; a name alone may reach beyond its column."""
    widths = [max(map(len, column)) for column in zip(*(line for line in lines if any(line[1:])), strict=True)]
    cells = [
        [line[0].ljust(widths[0]), *(cell.rjust(w) for cell, w in zip(line[1:], widths[1:], strict=True))]
        for line in lines
    ]
    return ["  ".join(line).rstrip() for line in cells]


def _headings(table):
    """The headings as lines, word under word; the column of the rows' names has given its place to the next."""
    columns, previous = [], ""
    for group, heading in table.columns[1:]:
        upper = wrap(group, 8) if group != previous else []
        columns.append([*upper, heading.replace(" threads", " thr").replace(" thread", " thr")])
        previous = group
    height = max(map(len, columns))
    return list(zip(*([""] * (height - len(column)) + column for column in columns), strict=True))


def _lines(table):
    """The rows without their names, which stand above the first row of each."""
    lines, previous = [], None
    for name, first, *rest in table.rows:
        if name != previous:
            lines.append([name] + [""] * len(rest))
            previous = name
        lines.append([f"  {first}", *rest])
    return lines
