"""The tables of the report, once for the terminal and the page: rows of text made from the records of a run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
from statistics import geometric_mean
from typing import Any

from benchmarks.report.records import AUTO, NUMPY, UNSTEADY, Cell, Run, Timing
from benchmarks.report.text import UNSTEADY_MARK, as_fast, count, percent, seconds, significant, size, team, times
from benchmarks.report.words import narrow_blas


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of text under `columns`, pairs (heading over several columns or "", heading).

    The first column names the row, and rows of one name stand together; the others are figures, set flush right.
    """

    title: str
    note: str
    columns: list[tuple[str, str]]
    rows: list[list[str]]

    @property
    def groups(self) -> list[tuple[str, int]]:
        """[(heading, number of columns)] of the upper line of headings."""
        return [(name, len(list(columns))) for name, columns in groupby(self.columns, key=lambda column: column[0])]


def input_size(run: Run) -> str:
    """What the blocks took, in brackets, where the run says it."""
    return f" ({run.facts['blocks_input']})" if "blocks_input" in run.facts else ""


def savings_table(run: Run) -> Table:
    """Per block: what is saved at the most channels, how much of it is kept, and where it is faster."""
    teams = run.thread_counts
    cells = {(c.name, c.threads): c for c in sorted(run.blocks, key=_channels) if c.plain and c.algorithm == AUTO}
    if not cells:
        return Table("", "", [], [])
    most = max(cell.channels for cell in cells.values())
    rows = []
    for name in run.names(savers_only=True):
        last = [cell if (cell := cells.get((name, n))) and cell.channels == most else None for n in teams]
        if not any((name, threads) in cells for threads in teams):
            continue
        row = [name, times(next(cell.macs_saved for (block, _), cell in cells.items() if block == name))]
        row += [_text(cell, lambda c: times(c.time_saved), with_plain=True) for cell in last]
        row += [_text(cell, lambda c: percent(c.kept), with_plain=True) for cell in last]
        row += [_where(run.saving(name, threads), lambda c: c.is_faster) for threads in teams]
        rows.append(row)
    columns = [("", "block"), ("fewer", "MACs"), *_each("times as fast", teams)]
    columns += [*_each("share kept", teams), *_each("faster", teams)]
    return _table(
        "", f"Times as fast and share kept: at {most} channels. Faster: the quartiles of both lie apart.", columns, rows
    )


def _channels(cell: Cell) -> int:
    return cell.channels


def _where(cells: list[Cell], holds: Callable[[Cell], bool]) -> str:
    """The channel counts of cells, ascending, for which something holds, in short."""
    channels = [cell.channels for cell in cells]
    good = [cell.channels for cell in cells if holds(cell)]
    if not channels:
        return "–"
    if not good or good == channels:
        return "all" if good else "none"
    return f"from {good[0]}" if len(good) > 1 and good == channels[-len(good) :] else ", ".join(map(str, good))


def blocks_table(run: Run) -> Table:
    """Per block and channel count: how many times fewer MACs, how many times as fast, and the time."""
    teams = run.thread_counts
    rows = []
    for name, channels, cells in _by_channels(run):
        known = next(cell for cell in cells if cell)
        row = [name, str(channels), times(known.macs_saved) if known.plain else ""]
        row += [_text(cell, lambda c: as_fast(c) if c.plain else "", with_plain=True) for cell in cells]
        rows.append(row + [_text(cell, lambda c: seconds(c.time.median)) for cell in cells])
    return _table(
        "Blocks by channel count",
        f"c to c channels{input_size(run)}, with bias and ReLU after each convolution; time is the median of one call. "
        "Fewer MACs and times as fast: than the plain convolution of the same kernel and channels. A loss is named, "
        "slower, where the quartiles of both lie apart.",
        [("", "block"), ("", "channels"), ("fewer", "MACs"), *_each("times as fast", teams), *_each("time", teams)],
        rows,
    )


def speeds_table(run: Run) -> Table:
    """Per block and channel count: MACs and nominal speed."""
    rows = []
    for name, channels, cells in _by_channels(run):
        macs = count(next(cell for cell in cells if cell).macs)
        rows.append([name, str(channels), macs, *(_text(cell, lambda c: significant(c.gflops)) for cell in cells)])
    return _table(
        "Speed of the blocks",
        "Two FLOP for every MAC, also for those that Winograd saves.",
        [("", "block"), ("", "channels"), ("", "MACs"), *_each("GFLOP/s", run.thread_counts)],
        rows,
    )


def _by_channels(run: Run) -> Iterator[tuple[str, int, list[Cell | None]]]:
    """(block, channels, [cell or None for each number of threads]) of every block."""
    for name in run.names():
        series = [{cell.channels: cell for cell in run.series(name, threads)} for threads in run.thread_counts]
        for channels in sorted(set().union(*series)):
            yield name, channels, [cells.get(channels) for cells in series]


def algorithms_table(run: Run) -> Table:
    """The single convolutions of the suite: GFLOP/s of each algorithm side by side."""
    cells = run.single
    algorithms = list(dict.fromkeys(cell.algorithm for cell in cells))
    found = {(c.name, c.channels, c.threads, c.algorithm): c for c in cells}
    rows = []
    for name in dict.fromkeys(cell.name for cell in cells):
        for channels, threads in sorted({(cell.channels, cell.threads) for cell in cells if cell.name == name}):
            group = [found.get((name, channels, threads, algorithm)) for algorithm in algorithms]
            macs = next(cell.macs for cell in group if cell)
            speeds = [_text(cell, lambda c: significant(c.gflops)) for cell in group]
            rows.append([name, str(channels), str(threads), count(macs), *speeds])
    return _table(
        "Single convolutions by algorithm",
        f"c is the number of channels. {NUMPY} is NumPy's matrix product of the same size, held to as many "
        "threads, without bias and activation." + narrow_blas(run.facts),
        [("", "convolution"), ("", "channels"), ("", "threads"), ("", "MACs"), *(("GFLOP/s", a) for a in algorithms)],
        rows,
    )


def pointwise_table(run: Run) -> Table:
    """The 1×1 itself: how many times as fast as NumPy's matrix product of the same size, by algorithm and threads."""
    numpy = {(c.name, c.channels, c.threads): c.time.median for c in run.pointwise if c.algorithm == NUMPY}
    ratios: dict[tuple[str, int], list[tuple[float, int]]] = {}
    for cell in run.pointwise:
        theirs = numpy.get((cell.name, cell.channels, cell.threads))
        if theirs and cell.algorithm != NUMPY:
            ratios.setdefault((cell.algorithm, cell.threads), []).append((theirs / cell.time.median, cell.channels))
    rows = []
    for (algorithm, threads), found in sorted(ratios.items()):
        ends = (f"{times(ratio)} ({channels})" for ratio, channels in (min(found), max(found)))
        rows.append([algorithm, str(threads), times(geometric_mean(ratio for ratio, _ in found)), *ends])
    headings = ("algorithm", "threads", "mean", "lowest (channels)", "highest (channels)")
    return Table("", narrow_blas(run.facts).strip(), [("", heading) for heading in headings], rows)


def published_table(run: Run) -> Table:
    """The published networks' layers."""
    teams = sorted({cell.threads for cell in run.published})
    found = {(c.name, c.threads): c for c in run.published}
    rows = []
    for name in dict.fromkeys(cell.name for cell in run.published):
        cells = [found.get((name, threads)) for threads in teams]
        row = [name, count(next(cell.macs for cell in cells if cell))]
        row += [_text(cell, lambda c: seconds(c.time.median)) for cell in cells]
        rows.append(row + [_text(cell, lambda c: significant(c.gflops)) for cell in cells])
    return _table(
        "Layers of the published networks",
        "Every distinct convolution and block of SqueezeNet 1.0, GoogLeNet, ResNet-50, AlexNet and Network in Network, "
        "at its own size; no fully connected layers.",
        [("", "layer"), ("", "MACs"), *_each("time", teams), *_each("GFLOP/s", teams)],
        rows,
    )


def reference_table(run: Run) -> Table:
    """What the NumPy reference takes where fastconv takes one thread."""
    ours = {(c.channels, c.name): c for c in run.blocks if c.threads == 1 and c.algorithm == AUTO}
    rows = []
    for name in run.names():
        for (channels, block), time in sorted(run.reference.items()):
            if block == name and (cell := ours.get((channels, name))):
                both = [_marked(seconds(timing.median), timing) for timing in (time, cell.time)]
                ratio = _marked(times(time.median / cell.time.median), time, cell.time)
                rows.append([name, str(channels), *both, ratio])
    return _table(
        "Against the NumPy reference",
        "The reference computes in float64 with NumPy and as many threads as NumPy's BLAS takes by itself; fastconv in "
        "float32 with one.",
        [("", "block"), ("", "channels"), ("time", "NumPy reference"), ("time", "fastconv"), ("", "ratio")],
        rows,
    )


_CALLS = {
    "time_plan": "a plan, into a given output",
    "time_plan_new_output": "a plan, which makes its output",
    "time_conv2d": "fastconv.conv2d, which plans and packs",
}
_IMPORTS = {"timeraw_import_fastconv": "import fastconv", "timeraw_import_numpy": "of which import numpy"}


def calls_table(run: Run) -> Table:
    """What a call costs beside its arithmetic."""
    return Table(
        "What a call costs",
        "With one thread, of a 1×1 convolution of 16 to 16 channels on 8×8 pixels, 16,384 MACs.",
        [("", "call of"), ("", "time")],
        [[text, seconds(run.calls[name,])] for name, text in _CALLS.items() if (name,) in run.calls],
    )


def functions_table(run: Run) -> Table:
    """What the function takes on layers where packing counts."""
    found = _measured(run, "time_function")
    algorithms = list(dict.fromkeys(algorithm for _, algorithm in found))
    rows = [
        [layer, *(seconds(found[layer, a]) if (layer, a) in found else "–" for a in algorithms)]
        for layer in dict.fromkeys(layer for layer, _ in found)
    ]
    return Table(
        "Calls that pack their weights",
        "Time of fastconv.conv2d, which plans and packs at every call, with one thread.",
        [("", "layer"), *(("", algorithm) for algorithm in algorithms)],
        rows,
    )


def imports_table(run: Run) -> Table:
    """How long the import takes."""
    rows = [[text, seconds(run.calls[name,])] for name, text in _IMPORTS.items() if (name,) in run.calls]
    return Table("Import", "In a new process.", [("", "statement"), ("", "time")], rows)


def memory_table(run: Run) -> Table:
    """What the first call of a plan adds to resident memory."""
    rows = [
        [block, str(channels), size(value)] for (channels, block), value in _measured(run, "track_first_call").items()
    ]
    return Table(
        "Memory of the first call",
        "The result, the packed weights and the workspace, as resident memory rises.",
        [("", "block"), ("", "channels"), ("", "memory")],
        sorted(rows, key=lambda row: row[0]),
    )


def _measured(run: Run, benchmark: str) -> dict[tuple[Any, ...], float]:
    """{parameters: value} of one of the benchmarks of calls."""
    return {tuple(params): value for (name, *params), value in run.calls.items() if name == benchmark}


_ALL = (
    blocks_table,
    speeds_table,
    algorithms_table,
    published_table,
    reference_table,
    calls_table,
    functions_table,
    imports_table,
    memory_table,
)


def all_tables(run: Run) -> list[Table]:
    """The tables that this run fills."""
    return [table for make in _ALL if (table := make(run)).rows]


def _each(heading: str, teams: list[int]) -> list[tuple[str, str]]:
    """One heading over a column for each number of threads."""
    return [(heading, team(threads)) for threads in teams]


def _text(cell: Cell | None, form: Callable[[Cell], str], with_plain: bool = False) -> str:
    """`form` of a cell, marked where its time, or `with_plain` that of its plain convolution, was unsteady."""
    if not cell:
        return "–"
    return _marked(form(cell), cell.time, *([cell.plain.time] if with_plain and cell.plain else []))


def _marked(text: str, *timings: Timing) -> str:
    """`text` with the mark of figures that cannot be relied on, where one of its timings was unsteady."""
    return text and UNSTEADY_MARK * (not all(timing.is_steady for timing in timings)) + text


def _table(title: str, note: str, columns: list[tuple[str, str]], rows: list[list[str]]) -> Table:
    """A `Table`, its note with the meaning of the mark where a figure bears it."""
    if any(UNSTEADY_MARK in cell for row in rows for cell in row):
        note += (
            f" {UNSTEADY_MARK} is unsteady, itself or what it is compared with: the quartiles, or the medians of other "
            f"timings of the same call, lie more than {percent(UNSTEADY)} of the median apart."
        )
    return Table(title, note, columns, rows)
