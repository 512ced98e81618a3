"""What a run measured, as plain records: the timings, the cells of the suite, and what follows from them."""

from dataclasses import dataclass, field
from datetime import datetime

AUTO, NUMPY = "auto", "numpy.matmul"
UNSTEADY = 0.25  # of a median is what half of the samples may span


@dataclass(frozen=True, slots=True)
class Timing:
    """Seconds of one call: the median of asv's samples and their quartiles; `repeats`: other timings of it."""

    median: float
    low: float
    high: float
    repeats: tuple = ()

    @property
    def spread(self):
        """The width between the quartiles, as a share of the median."""
        return (self.high - self.low) / self.median

    @property
    def bounds(self):
        """The quartiles, or the medians of the repeats where these lie beyond them."""
        medians = [timing.median for timing in self.repeats]
        return min([self.low, *medians]), max([self.high, *medians])

    @property
    def is_steady(self):
        """Whether the figure can be relied on: half of its samples lie together, and the repeats with them."""
        low, high = self.bounds
        return high - low <= UNSTEADY * min(timing.median for timing in (self, *self.repeats))

    @property
    def is_repeated(self):
        """Whether the quartiles of every repeat overlap with these."""
        return all(timing.low <= self.high and self.low <= timing.high for timing in self.repeats)


@dataclass(frozen=True, slots=True)
class Cell:
    """One timed cell of a suite.

    `bytes` is the least memory traffic, where it is known; `plain` the cell of the plain convolution that a block can
    stand for.
    """

    name: str
    channels: int
    threads: int
    algorithm: str
    time: Timing
    macs: int
    bytes: int | None = None
    plain: "Cell | None" = None

    @property
    def gflops(self):
        """Effective speed, in 10⁹ FLOP/s; one MAC is two FLOP."""
        return 2e-9 * self.macs / self.time.median

    @property
    def intensity(self):
        """MACs for each byte of the least memory traffic."""
        return self.macs / self.bytes

    @property
    def macs_saved(self):
        """How many times fewer MACs than the plain convolution."""
        return self.plain.macs / self.macs

    @property
    def time_saved(self):
        """How many times as fast as the plain convolution."""
        return self.plain.time.median / self.time.median

    @property
    def time_saved_range(self):
        """`time_saved` from the bounds that make it smallest and largest."""
        return ratio_range(self.plain.time, self.time)

    @property
    def is_faster(self):
        """Whether it takes less time than the plain convolution, whichever of the samples are compared."""
        return self.time_saved_range[0] > 1

    @property
    def is_slower(self):
        """Whether it takes more time than the plain convolution, whichever of the samples are compared."""
        return self.time_saved_range[1] < 1

    @property
    def kept(self):
        """The share of the saved operations that is saved time too."""
        return self.time_saved / self.macs_saved


@dataclass(frozen=True, slots=True)
class Run:
    """One result file of asv: one commit, one machine, one environment. `peak` is in GFLOP/s by threads."""

    commit: str
    environment: str
    machine: dict
    facts: dict
    started: datetime
    peak: dict = field(default_factory=dict)
    blocks: list = field(default_factory=list)
    pointwise: list = field(default_factory=list)
    spatial: list = field(default_factory=list)
    published: list = field(default_factory=list)
    reference: dict = field(default_factory=dict)
    calls: dict = field(default_factory=dict)
    failed: list = field(default_factory=list)

    @property
    def same_calls(self):
        """{call: cells}: all timings of each call of the blocks and of the single convolutions."""
        found = {}
        for cell in self.blocks + self.single:
            found.setdefault(self.call_of(cell), []).append(cell)
        return found

    def call_of(self, cell):
        """What tells a call from others: a plain convolution is one by itself, "auto" is what it takes."""
        layer = cell.name.removeprefix("plain ")
        taken = self.taken(layer, cell.channels) if cell.algorithm == AUTO else None
        return layer, cell.channels, cell.threads, taken or cell.algorithm

    @property
    def choices(self):
        """{layer: [(first, last, algorithm)]}: what "auto" takes at which channel counts, by the run's own word."""
        return self.facts.get("choices", {})

    def taken(self, layer, channels):
        """The name of the algorithm that "auto" takes there; None where the run does not say."""
        spans = [algorithm for first, _, algorithm in self.choices.get(layer, ()) if first <= channels]
        return spans[-1].split()[0] if spans else None

    @property
    def single(self):
        """The cells of single convolutions of the suite, by algorithm."""
        return self.pointwise + self.spatial

    @property
    def cells(self):
        """Every timed cell."""
        return self.blocks + self.single + self.published

    @property
    def compared(self):
        """The blocks' cells, computed as "auto" chooses, that have their plain convolution beside them."""
        return [cell for cell in self.blocks if cell.plain and cell.algorithm == AUTO]

    @property
    def thread_counts(self):
        """Thread counts measured, ascending."""
        return sorted({cell.threads for cell in self.blocks})

    def series(self, name, threads, algorithm=AUTO):
        """The cells of one block, by ascending channels."""
        found = [c for c in self.blocks if (c.name, c.threads, c.algorithm) == (name, threads, algorithm)]
        return sorted(found, key=lambda cell: cell.channels)

    def saving(self, name, threads):
        """The cells of one block that have their plain convolution beside them, by ascending channels."""
        return [cell for cell in self.series(name, threads) if cell.plain]

    def names(self, savers_only=False):
        """The blocks measured, in the suite's order; `savers_only` leaves out the plain convolutions."""
        found = dict.fromkeys(cell.name for cell in self.blocks)
        return [name for name in found if not (savers_only and name == plain_name(name))]


def ratio_range(slow, fast):
    """The ratio of two timings from the bounds that make it smallest and largest."""
    return slow.bounds[0] / fast.bounds[1], slow.bounds[1] / fast.bounds[0]


def apart_by(cells):
    """How many times as long as the shortest of some timings the longest took, by their medians."""
    medians = [cell.time.median for cell in cells]
    return max(medians) / min(medians)


def plain_name(block):
    """The plain convolution a block can stand for: the last word of its name is the kernel."""
    return f"plain {block.split()[-1]}"
