"""What a run measured, as plain records: the timings, the cells of the suite, and what follows from them."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

AUTO, NUMPY = "auto", "numpy.matmul"
Span = tuple[int, int, str]  # the first and the last channel count of an algorithm
Call = tuple[str, int, int, str]  # layer, channels, threads, algorithm

UNSTEADY = 0.25  # of a median is what half of the samples may span


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one call: the median of asv's samples and their quartiles; `repeats`: other timings of it."""

    median: float
    low: float
    high: float
    repeats: "tuple[Timing, ...]" = ()

    @property
    def spread(self) -> float:
        """The width between the quartiles, as a share of the median."""
        return (self.high - self.low) / self.median

    @property
    def bounds(self) -> tuple[float, float]:
        """The quartiles, or the medians of the repeats where these lie beyond them."""
        medians = [timing.median for timing in self.repeats]
        return min([self.low, *medians]), max([self.high, *medians])

    @property
    def is_steady(self) -> bool:
        """Whether the figure can be relied on: half of its samples lie together, and the repeats with them."""
        low, high = self.bounds
        return high - low <= UNSTEADY * min(timing.median for timing in (self, *self.repeats))

    @property
    def is_repeated(self) -> bool:
        """Whether the quartiles of every repeat overlap with these."""
        return all(timing.low <= self.high and self.low <= timing.high for timing in self.repeats)


@dataclass(frozen=True, slots=True)
class Cell:
    """One timed cell of a suite.

    `bytes` is the least memory traffic, or 0 where it is not known; `plain` the cell of the plain convolution that a
    block can stand for.
    """

    name: str
    channels: int
    threads: int
    algorithm: str
    time: Timing
    macs: int
    bytes: int = 0
    plain: "Cell | None" = None

    @property
    def gflops(self) -> float:
        """Effective speed, in 10⁹ FLOP/s; one MAC is two FLOP."""
        return 2e-9 * self.macs / self.time.median

    @property
    def gbytes(self) -> float:
        """Least memory traffic, in 10⁹ bytes a second."""
        return 1e-9 * self.bytes / self.time.median

    @property
    def intensity(self) -> float:
        """MACs for each byte of the least memory traffic."""
        return self.macs / self.bytes

    @property
    def replaced(self) -> "Cell":
        """`plain`, of a cell that has one."""
        if self.plain is None:
            raise LookupError(f"{self.name} has no plain convolution beside it")
        return self.plain

    @property
    def macs_saved(self) -> float:
        """How many times fewer MACs than the plain convolution."""
        return self.replaced.macs / self.macs

    @property
    def time_saved(self) -> float:
        """How many times as fast as the plain convolution."""
        return self.replaced.time.median / self.time.median

    @property
    def time_saved_range(self) -> tuple[float, float]:
        """`time_saved` from the bounds that make it smallest and largest."""
        return ratio_range(self.replaced.time, self.time)

    @property
    def is_faster(self) -> bool:
        """Whether it takes less time than the plain convolution, whichever of the samples are compared."""
        return self.time_saved_range[0] > 1

    @property
    def is_slower(self) -> bool:
        """Whether it takes more time than the plain convolution, whichever of the samples are compared."""
        return self.time_saved_range[1] < 1

    @property
    def kept(self) -> float:
        """The share of the saved operations that is saved time too."""
        return self.time_saved / self.macs_saved


@dataclass(frozen=True, slots=True)
class Run:
    """One result file of asv: one commit, one machine, one environment. `peak` is in GFLOP/s by threads."""

    commit: str
    environment: str
    machine: dict[str, str]
    facts: dict[str, Any]
    started: datetime
    peak: dict[int, float] = field(default_factory=dict)
    blocks: list[Cell] = field(default_factory=list)
    pointwise: list[Cell] = field(default_factory=list)
    spatial: list[Cell] = field(default_factory=list)
    published: list[Cell] = field(default_factory=list)
    reference: dict[tuple[int, str], Timing] = field(default_factory=dict)
    calls: dict[tuple[Any, ...], float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)

    @property
    def same_calls(self) -> dict[Call, list[Cell]]:
        """{call: cells}: all timings of each call of the blocks and of the single convolutions."""
        found: dict[Call, list[Cell]] = {}
        for cell in self.blocks + self.single:
            found.setdefault(self.call_of(cell), []).append(cell)
        return found

    def call_of(self, cell: Cell) -> Call:
        """What tells a call from others: a plain convolution is one by itself, "auto" is what it takes."""
        layer = cell.name.removeprefix("plain ")
        taken = self.taken(layer, cell.channels) if cell.algorithm == AUTO else None
        return layer, cell.channels, cell.threads, taken or cell.algorithm

    @property
    def choices(self) -> dict[str, list[Span]]:
        """{layer: [(first, last, algorithm)]}: what "auto" takes at which channel counts, by the run's own word."""
        choices: dict[str, list[Span]] = self.facts.get("choices", {})
        return choices

    def taken(self, layer: str, channels: int) -> str | None:
        """The name of the algorithm that "auto" takes there; None where the run does not say."""
        spans = [algorithm for first, _, algorithm in self.choices.get(layer, ()) if first <= channels]
        return spans[-1].split()[0] if spans else None

    @property
    def single(self) -> list[Cell]:
        """The cells of single convolutions of the suite, by algorithm."""
        return self.pointwise + self.spatial

    @property
    def cells(self) -> list[Cell]:
        """Every timed cell."""
        return self.blocks + self.single + self.published

    @property
    def compared(self) -> list[Cell]:
        """The blocks' cells, computed as "auto" chooses, that have their plain convolution beside them."""
        return [cell for cell in self.blocks if cell.plain and cell.algorithm == AUTO]

    @property
    def thread_counts(self) -> list[int]:
        """Thread counts measured, ascending."""
        return sorted({cell.threads for cell in self.blocks})

    def series(self, name: str, threads: int, algorithm: str = AUTO) -> list[Cell]:
        """The cells of one block, by ascending channels."""
        found = [c for c in self.blocks if (c.name, c.threads, c.algorithm) == (name, threads, algorithm)]
        return sorted(found, key=lambda cell: cell.channels)

    def saving(self, name: str, threads: int) -> list[Cell]:
        """The cells of one block that have their plain convolution beside them, by ascending channels."""
        return [cell for cell in self.series(name, threads) if cell.plain]

    def names(self, savers_only: bool = False) -> list[str]:
        """The blocks measured, in the suite's order; `savers_only` leaves out the plain convolutions."""
        found = dict.fromkeys(cell.name for cell in self.blocks)
        return [name for name in found if not (savers_only and name == plain_name(name))]


def ratio_range(slow: Timing, fast: Timing) -> tuple[float, float]:
    """The ratio of two timings from the bounds that make it smallest and largest."""
    return slow.bounds[0] / fast.bounds[1], slow.bounds[1] / fast.bounds[0]


def apart_by(cells: list[Cell]) -> float:
    """How many times as long as the shortest of some timings the longest took, by their medians."""
    medians = [cell.time.median for cell in cells]
    return max(medians) / min(medians)


def plain_name(block: str) -> str:
    """The plain convolution a block can stand for: the last word of its name is the kernel."""
    return f"plain {block.split()[-1]}"
