"""The tables of the report, once for the terminal and the page: rows of text made from the records of a run."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import groupby
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


def blocks_table(run: Run) -> Table:
    """Per block and channel count: how many times fewer MACs, how many times as fast, and the time."""
    teams, rows = run.thread_counts, []
    taken = f" ({run.facts['blocks_input']})" if "blocks_input" in run.facts else ""
    for name, channels, cells in _by_channels(run):
        known = next(cell for cell in cells if cell)
        row = [name, str(channels), times(known.macs_saved) if known.plain else ""]
        row += [figure(cell, lambda c: as_fast(c) if c.plain else "", with_plain=True) for cell in cells]
        rows.append(row + [figure(cell, lambda c: seconds(c.time.median)) for cell in cells])
    return with_meaning(
        "Blocks by channel count",
        f"c to c channels{taken}, with bias and ReLU after each convolution; time is the median of one call. "
        "Fewer MACs and times as fast: than the plain convolution of the same kernel and channels. A loss is named, "
        "slower, where the quartiles of both lie apart.",
        [("", "block"), ("", "channels"), ("fewer", "MACs"), *each("times as fast", teams), *each("time", teams)],
        rows,
    )


def speeds_table(run: Run) -> Table:
    """Per block and channel count: MACs, nominal speed and traffic."""
    teams, rows = run.thread_counts, []
    for name, channels, cells in _by_channels(run):
        row = [name, str(channels), count(next(cell for cell in cells if cell).macs)]
        row += [figure(cell, lambda c: significant(c.gflops)) for cell in cells]
        rows.append(row + [figure(cell, lambda c: significant(c.gbytes) if c.bytes else "–") for cell in cells])
    return with_meaning(
        "Speed of the blocks",
        "Two FLOP for every MAC, also for those that Winograd saves. GB/s: input, weights and output once; where more "
        "channels move faster, memory is not what stops the fewer.",
        [("", "block"), ("", "channels"), ("", "MACs"), *each("GFLOP/s", teams), *each("GB/s", teams)],
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
            speeds = [figure(cell, lambda c: significant(c.gflops)) for cell in group]
            rows.append([name, str(channels), str(threads), count(macs), *speeds])
    return with_meaning(
        "Single convolutions by algorithm",
        f"c is the number of channels. {NUMPY} is NumPy's matrix product of the same size, held to as many "
        "threads, without bias and activation. Winograd has no form for a 1×1." + narrow_blas(run.facts),
        [("", "convolution"), ("", "channels"), ("", "threads"), ("", "MACs"), *(("GFLOP/s", a) for a in algorithms)],
        rows,
    )


def published_table(run: Run) -> Table:
    """The published networks' layers."""
    teams = sorted({cell.threads for cell in run.published})
    found = {(c.name, c.threads): c for c in run.published}
    rows = []
    for name in dict.fromkeys(cell.name for cell in run.published):
        cells = [found.get((name, threads)) for threads in teams]
        row = [name, count(next(cell.macs for cell in cells if cell))]
        row += [figure(cell, lambda c: seconds(c.time.median)) for cell in cells]
        rows.append(row + [figure(cell, lambda c: significant(c.gflops)) for cell in cells])
    return with_meaning(
        "Layers of the published networks",
        "Every distinct convolution and block of SqueezeNet 1.0, GoogLeNet, ResNet-50, AlexNet and Network in Network, "
        "at its own size; no fully connected layers.",
        [("", "layer"), ("", "MACs"), *each("time", teams), *each("GFLOP/s", teams)],
        rows,
    )


def reference_table(run: Run) -> Table:
    """What the NumPy reference takes where fastconv takes one thread."""
    ours = {(c.channels, c.name): c for c in run.blocks if c.threads == 1 and c.algorithm == AUTO}
    rows = []
    for name in run.names():
        for (channels, block), time in sorted(run.reference.items()):
            if block == name and (cell := ours.get((channels, name))):
                both = [marked(seconds(timing.median), timing) for timing in (time, cell.time)]
                ratio = marked(times(time.median / cell.time.median), time, cell.time)
                rows.append([name, str(channels), *both, ratio])
    return with_meaning(
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


def each(heading: str, teams: list[int]) -> list[tuple[str, str]]:
    """One heading over a column for each number of threads."""
    return [(heading, team(threads)) for threads in teams]


def figure(cell: Cell | None, form: Callable[[Cell], str], with_plain: bool = False) -> str:
    """`form` of a cell, marked where its time, or `with_plain` that of its plain convolution, was unsteady."""
    if not cell:
        return "–"
    return marked(form(cell), cell.time, *([cell.plain.time] if with_plain and cell.plain else []))


def marked(text: str, *timings: Timing) -> str:
    """`text` with the mark of figures that cannot be relied on, where one of its timings was unsteady."""
    return text and UNSTEADY_MARK * (not all(timing.is_steady for timing in timings)) + text


def with_meaning(title: str, note: str, columns: list[tuple[str, str]], rows: list[list[str]]) -> Table:
    """A `Table`, its note with the meaning of the mark where a figure bears it."""
    if any(UNSTEADY_MARK in cell for row in rows for cell in row):
        note += (
            f" {UNSTEADY_MARK} is unsteady, itself or what it is compared with: the quartiles, or the medians of other "
            f"timings of the same call, lie more than {percent(UNSTEADY)} of the median apart."
        )
    return Table(title, note, columns, rows)
