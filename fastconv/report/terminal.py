"""The summary in the terminal: rich's tables where rich is installed, plain columns elsewhere."""


def show(table):
    """Print a `fastconv.report.tables.Table`."""
    try:
        from rich.console import Console
        from rich.table import Table
    except ImportError:
        print("\n".join([table.title, *plain_lines(table)]))
        return
    grid = Table(title=table.title, caption=table.note, header_style="bold", title_justify="left")
    for column, numeric in zip(table.columns, table.numeric, strict=True):
        grid.add_column(column, justify="right" if numeric else "left")
    previous = None
    for row in table.rows:
        if previous not in (None, row[0]):
            grid.add_section()
        previous = row[0]
        grid.add_row(*row)
    Console().print(grid)


def plain_lines(table):
    """The table as lines of text in aligned columns."""
    rows = [list(table.columns), *table.rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(table.columns))]
    return [
        "  ".join(
            cell.rjust(width) if numeric else cell.ljust(width)
            for cell, width, numeric in zip(row, widths, table.numeric, strict=True)
        ).rstrip()
        for row in rows
    ]
