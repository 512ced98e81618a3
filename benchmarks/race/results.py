"""What a race of a row gave, and what follows from many of them: ratios, means, the tables of a terminal."""

from dataclasses import dataclass, field
from statistics import geometric_mean, median

from benchmarks.common import mark
from benchmarks.race.rows import OURS


@dataclass
class Result:
    """One row raced with one number of threads: seconds a call in each round, by engine."""

    group: str
    row: str
    threads: int
    seconds: dict = field(default_factory=dict)
    wrong: list = field(default_factory=list)  # engines whose answer is off
    errors: dict = field(default_factory=dict)  # {engine: why it has no time}

    @property
    def fastest(self):
        """The fastest of the other engines that are right, None if there is none."""
        right = set(self.seconds) - {OURS, *self.wrong}
        return min(right, key=self.median, default=None)

    @property
    def ratio(self):
        """The time of the fastest over fastconv's, the median over the rounds: above 1 where fastconv is ahead."""
        if self.fastest is None or OURS not in self.seconds:
            return None
        return median(theirs / own for theirs, own in zip(self.seconds[self.fastest], self.seconds[OURS], strict=True))

    def median(self, engine):
        return median(self.seconds[engine])

    def cell(self, engine):
        """An engine's milliseconds, with a star if it is wrong."""
        if engine not in self.seconds:
            return "–"
        return f"{1e3 * self.median(engine):.4g}" + "*" * (engine in self.wrong)

    def record(self):
        """The result as JSON has it."""
        milliseconds = {engine: 1e3 * self.median(engine) for engine in self.seconds}
        return {**vars(self), "milliseconds": milliseconds, "fastest": self.fastest, "ratio": self.ratio}


def means(results):
    """(the geometric mean of the ratios, the least of them), None where there are none."""
    ratios = [result.ratio for result in results if result.ratio]
    return (geometric_mean(ratios), min(ratios)) if ratios else (None, None)


NAME_WIDTH, CELL_WIDTH = 44, 15


def head(title, engines):
    """The first line of a group's table."""
    return f"{title:{NAME_WIDTH}}" + "".join(f"{name:>{CELL_WIDTH}}" for name in (*engines, "ratio"))


def line(result, engines, wanted):
    """The line of a row, and one for each engine that failed."""
    cells = [*(result.cell(engine) for engine in engines), mark(result.ratio, wanted)]
    failures = [f"\n    {engine}: {reason}" for engine, reason in result.errors.items()]
    return f"  {result.row:{NAME_WIDTH - 2}}" + "".join(f"{text:>{CELL_WIDTH}}" for text in cells) + "".join(failures)


def foot(results, wanted):
    """The last line of a group's table."""
    mean, least = means(results)
    met = sum(result.ratio >= wanted for result in results if result.ratio)
    return (
        f"  geometric mean {mark(mean, None)}, least {mark(least, wanted)}, "
        f"at least {wanted} in {met} of {len(results)} rows"
    )
