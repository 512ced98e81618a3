"""What a row gave beside other work, as multiples of the fair share; the table, and which aims are met."""

from dataclasses import dataclass, field
from statistics import median

from benchmarks.race.page import CPUS, HEADS
from benchmarks.race.rows import OURS

OURS_BY_LAYER = {"fastconv_pool": "fastconv, pool", "fastconv_openmp": "fastconv, OpenMP"}
NAMES = {OURS: OURS} | OURS_BY_LAYER | HEADS
YARDSTICK = "onnxruntime"  # whose mean is to be reached
WANTED = 1.3  # fair shares at most that a call takes in the mean
WANTED_WORST = 0.020  # seconds at most of any call


def fair_cpu(threads, cpus=CPUS):
    """How much of a CPU a fair system gives to each of `threads` that want to run."""
    return min(1, cpus / threads)


def slowdown(busy, threads, cpus=CPUS):
    """How many times its quiet time a call of some threads takes that gets its fair share, no more and no less.

    It is done when its threads have done its work together, wherever they run: its time is inverse to what they get.
    """
    return fair_cpu(threads, cpus) / fair_cpu(threads + busy, cpus)


@dataclass
class Result:
    """One row measured with one number of threads; a turn is the record of `benchmarks.engines`."""

    row: str
    threads: int
    turns: dict = field(default_factory=dict)  # {busy processes: {engine: [turn]}}
    apart: dict = field(default_factory=dict)  # {engine: [turn]}: quiet, with gaps between the calls
    burnt: dict = field(default_factory=dict)  # {engine: seconds of processor time after calls}
    wrong: list = field(default_factory=list)  # engines whose answer is off
    errors: dict = field(default_factory=dict)  # {engine: why it has no time}

    @property
    def engines(self):
        """Those that have all their times."""
        return [name for name in self.apart if name not in self.errors]

    def quiet(self, engine):
        """Seconds of a call with no other work: the median, which a rare interruption does not move."""
        return median(turn["median"] for turn in self.turns[0][engine])

    def mean(self, engine, busy):
        """Seconds of a call, the mean over all turns."""
        turns = self.turns[busy][engine]
        return sum(turn["calls"] * turn["mean"] for turn in turns) / sum(turn["calls"] for turn in turns)

    def worst(self, engine, busy):
        """Seconds of the longest call."""
        return max(turn["worst"] for turn in self.turns[busy][engine])

    def shares(self, engine, busy):
        """The mean as a multiple of the fair share, which 1 is."""
        return self.mean(engine, busy) / (slowdown(busy, self.threads) * self.quiet(engine))

    def apart_ratio(self, engine):
        """The time of a call after a gap over that of a call after another, quiet, medians."""
        return median(turn["median"] for turn in self.apart[engine]) / self.quiet(engine)

    def record(self):
        """The result as JSON has it."""
        return vars(self)


def head(busy, gap):
    """The first two lines of the table."""
    columns = ["", "quiet, ms", *(f"beside {n}" for n in busy), f"{1e6 * gap:.0f} µs apart", "burnt, ms"]
    return f"{_line(columns)}\n{_line(['---'] * len(columns))}"


def lines(result, busy):
    """The lines of a row: its name, one for each engine, and why others have none."""
    found = [_line([f"**{result.row}**", *[""] * (len(busy) + 3)])]
    for engine in result.engines:
        quiet = f"{1e3 * result.quiet(engine):.3f} ({_short(result.worst(engine, 0))})"
        cells = [f"{result.shares(engine, n):.2f} ({_short(result.worst(engine, n))})" for n in busy]
        name = NAMES[engine] + "*" * (engine in result.wrong)
        apart, burnt = f"{result.apart_ratio(engine):.2f}", f"{1e3 * result.burnt[engine]:.1f}"
        found.append(_line([name, quiet, *cells, apart, burnt]))
    return "\n".join(found + [f"{NAMES[engine]}: {reason}" for engine, reason in result.errors.items()])


def _short(seconds):
    """Milliseconds in two figures or more."""
    milliseconds = 1e3 * seconds
    return f"{milliseconds:.1f}" if milliseconds < 10 else f"{milliseconds:.0f}"


def _line(cells):
    first, *others = cells
    return f"| {first:24} | " + " | ".join(f"{cell:>14}" for cell in others) + " |"


def verdicts(results, busy):
    """A line for each of our engines: in how many cells of all rows the aims are met, and how far the worst is off."""
    return "\n".join(_verdict(engine, results, busy) for engine in OURS_BY_LAYER if _cells(engine, results, busy))


def _cells(engine, results, busy):
    return [(result, n) for result in results if engine in result.engines for n in busy]


def _verdict(engine, results, busy):
    cells = _cells(engine, results, busy)
    shares = [result.shares(engine, n) for result, n in cells]
    worst = [result.worst(engine, n) for result, n in cells]
    raced = [(result, n) for result, n in cells if YARDSTICK in result.engines]
    means = [result.mean(engine, n) / result.mean(YARDSTICK, n) for result, n in raced]
    told = [
        _met(shares, WANTED, f"at most {WANTED} fair shares", ""),
        _met([1e3 * seconds for seconds in worst], 1e3 * WANTED_WORST, "no call above 20 ms", " ms"),
    ]
    if means:
        told.append(_met(means, 1, f"a mean no longer than that of {NAMES[YARDSTICK]}", " of it"))
    return f"{NAMES[engine]}: {'; '.join(told)}."


def _met(values, wanted, aim, unit):
    return f"{aim} in {sum(value <= wanted for value in values)} of {len(values)} cells (most {max(values):.3g}{unit})"
