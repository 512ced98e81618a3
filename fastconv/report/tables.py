"""The tables of the report, once for the terminal and the page: rows of text made from the records of a run."""

from dataclasses import dataclass
from math import floor, log10

from fastconv.report.data import AUTO


@dataclass(frozen=True, slots=True)
class Table:
    """`rows` of text under `columns`; `numeric` tells the columns to set flush right."""

    title: str
    note: str
    columns: tuple
    rows: list
    numeric: tuple


def significant(value, digits=3):
    """A number with this many significant digits and no exponent: 0.0123, 1.23, 12.3, 1,230."""
    if not value:
        return "0"
    decimals = digits - 1 - floor(log10(abs(value)))
    return f"{round(value, decimals):,.{max(decimals, 0)}f}"


def seconds(value):
    """A time with its unit: 12.3 µs."""
    for unit, scale in (("s", 1), ("ms", 1e-3), ("µs", 1e-6)):
        if value >= scale:
            return f"{significant(value / scale)} {unit}"
    return f"{significant(value / 1e-9)} ns"


def count(value):
    """A count with its metric prefix: 1.23 M."""
    for prefix, scale in (("G", 1e9), ("M", 1e6), ("k", 1e3)):
        if value >= scale:
            return f"{significant(value / scale)} {prefix}"
    return f"{value:,}"


def size(value):
    """Bytes with a binary prefix: 1.23 MiB."""
    for unit, scale in (("GiB", 2**30), ("MiB", 2**20), ("KiB", 2**10)):
        if value >= scale:
            return f"{significant(value / scale)} {unit}"
    return f"{value:,.0f} B"


def times(value):
    """A factor: 3.46×."""
    return f"{significant(value)}×"


def team(threads):
    """A number of threads in words."""
    return f"{threads} thread{'s' * (threads != 1)}"


def blocks_table(run, algorithm=AUTO):
    """Per block and channel count: MACs, time and speed; the MACs saved by the 1×1 and beside them the time saved."""
    teams = run.thread_counts
    columns = ["block", "channels", "MACs", "MACs/byte"]
    columns += [f"time, {team(n)}" for n in teams] + [f"GFLOP/s, {team(n)}" for n in teams]
    columns += ["MACs saved"] + [f"time saved, {team(n)}" for n in teams]
    rows = []
    for name in run.names():
        series = {n: {c.channels: c for c in run.series(name, n, algorithm)} for n in teams}
        for channels in sorted({channels for cells in series.values() for channels in cells}):
            cells = [series[n].get(channels) for n in teams]
            known = next(cell for cell in cells if cell)
            row = [name, str(channels), count(known.macs), significant(known.macs / known.bytes) if known.bytes else ""]
            row += [_text(cell, lambda c: seconds(c.time.median)) for cell in cells]
            row += [_text(cell, lambda c: significant(c.gflops)) for cell in cells]
            row += [times(known.macs_saved) if known.plain else ""]
            row += [_text(cell, lambda c: times(c.time_saved) if c.plain else "") for cell in cells]
            rows.append(row)
    return Table(
        "Blocks by channel count",
        "Time is the median of one call. Saved: how many times less than the plain convolution of the same kernel and "
        "channels that the block can stand for. MACs/byte counts the least memory traffic: input, weights and output once.",
        tuple(columns),
        rows,
        (False, *[True] * (len(columns) - 1)),
    )


def algorithms_table(run):
    """The single convolutions of the suite: GFLOP/s of each algorithm side by side."""
    cells = run.pointwise + run.spatial
    algorithms = list(dict.fromkeys(cell.algorithm for cell in cells))
    found = {(c.name, c.channels, c.threads, c.algorithm): c for c in cells}
    rows = []
    for name, channels, threads in dict.fromkeys((c.name, c.channels, c.threads) for c in cells):
        group = [found.get((name, channels, threads, algorithm)) for algorithm in algorithms]
        macs = next(cell.macs for cell in group if cell)
        rows.append(
            [name, str(channels), str(threads), count(macs), *(_text(c, lambda c: significant(c.gflops)) for c in group)]
        )
    return Table(
        "Single convolutions, GFLOP/s by algorithm",
        "numpy.matmul is NumPy's own matrix product of the same size, held to as many threads; no bias, no activation.",
        ("convolution", "channels", "threads", "MACs", *algorithms),
        rows,
        (False, *[True] * (len(algorithms) + 3)),
    )


def reference_table(run):
    """What the NumPy reference takes where fastconv takes one thread."""
    ours = {(c.channels, c.name): c for c in run.blocks if c.threads == 1 and c.algorithm == AUTO}
    rows = [
        [name, str(channels), seconds(time.median), seconds(cell.time.median), times(time.median / cell.time.median)]
        for (channels, name), time in sorted(run.reference.items(), key=lambda item: (item[0][1], item[0][0]))
        if (cell := ours.get((channels, name)))
    ]
    return Table(
        "Beside the NumPy reference",
        "The reference computes in float64, through NumPy's BLAS with its own threads; fastconv in float32 with one.",
        ("block", "channels", "NumPy reference", "fastconv, 1 thread", "ratio"),
        rows,
        (False, True, True, True, True),
    )


def _text(cell, form):
    return form(cell) if cell else "–"
