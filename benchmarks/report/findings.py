"""The statements of the report beside its answer: a heading and sentences each, every figure taken from the run."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import chain
from statistics import median

from benchmarks.report.records import AUTO, NUMPY, UNSTEADY, Cell, Run, Span, Timing, apart_by, ratio_range
from benchmarks.report.tables import Table, pointwise_table, savings_table
from benchmarks.report.text import listed, percent, significant, span, team, those, times

NEAR = 1.05  # times the time of the fastest count as fast as it


@dataclass(frozen=True, slots=True)
class Finding:
    """One statement of the report: a heading of a few words, sentences, and the cells that they rest on."""

    heading: str
    text: str
    cells: Sequence[Cell] = ()
    table: Table | None = None

    @property
    def doubt(self) -> str | None:
        """How many of its cells were unsteady, by threads, in a sentence, or None."""
        said = []
        for threads in sorted({cell.threads for cell in self.cells}):
            steady = [cell.time.is_steady for cell in self.cells if cell.threads == threads]
            if not all(steady):
                said.append(f"{steady.count(False)} of the {len(steady)} timings with {team(threads)}")
        return f"Unsteady behind this: {listed(said)}." if said else None


def all_findings(run: Run) -> list[Finding]:
    """The statements that this run supports, beside the answer."""
    made = _savings(run), _limit(run), _growth(run), _pointwise(run), _choice(run), _steadiness(run)
    return [finding for finding in made if finding]


def _savings(run: Run) -> Finding | None:
    """What each block saves and where."""
    table = savings_table(run)
    cells = run.compared
    text = (
        "Each against the plain convolution of its kernel: the share kept in time of the factor in MACs, and the "
        "channel counts at which the block is faster."
    )
    behind = cells + [cell.replaced for cell in cells]
    return Finding("What each block saves", text, behind, table) if table.rows else None


def _limit(run: Run) -> Finding | None:
    """The multiply-add units' limit, how near direct convolution comes to it, and the nominal rates that pass it."""
    if not run.peak:
        return None
    reached, passed, notes, cells = [], [], [], []
    for threads, peak in run.peak.items():
        direct, winograd = (_quickest(run, threads, algorithm) for algorithm in ("direct", "winograd"))
        if direct:
            cells.append(direct)
            reached.append(f"{percent(direct.gflops / peak)} of it with {team(threads)} ({_cell(direct)})")
            if direct.gflops > NEAR * peak and direct in run.pointwise:
                notes.append(
                    f" More than {percent(NEAR)}: the limit was measured at a lower clock, or beside other work."
                )
        if winograd and winograd.gflops > peak:
            cells.append(winograd)
            passed.append(f"{significant(winograd.gflops)} GFLOP/s with {team(threads)} ({_cell(winograd)})")
    limits = [f"{significant(peak)} GFLOP/s with {team(threads)}" for threads, peak in run.peak.items()]
    text = (
        f"The multiply-add units do at most {listed(limits)}, measured in the same run. The speeds on this page count "
        "two FLOP for every MAC, also for those that Winograd saves and those with the padding, which direct leaves "
        "out: so both may pass the limit."
    )
    if reached:
        text += f" Direct convolution reaches {listed(reached)}.{''.join(dict.fromkeys(notes))}"
    if passed:
        text += f" Winograd reaches {listed(passed)}."
    return Finding("The machine's limit", text, cells)


def _quickest(run: Run, threads: int, algorithm: str) -> Cell | None:
    """The cell of the highest rate among those computed by one algorithm throughout, as it or "auto" was asked for."""
    cells = [
        cell
        for cell in run.blocks + run.single
        if cell.threads == threads and algorithm in (cell.algorithm, _taken(run, cell))
    ]
    return max(cells, key=lambda cell: cell.gflops, default=None)


def _taken(run: Run, cell: Cell) -> str | None:
    """What "auto" took for a cell of one convolution; None for a block of several."""
    return run.taken(cell.name.removeprefix("plain "), cell.channels) if cell.algorithm == AUTO else None


def _cell(cell: Cell) -> str:
    return f"{cell.name}, {cell.channels} channels" if cell.channels else cell.name


def _growth(run: Run) -> Finding | None:
    """What twice the channels cost, at the top of the range."""
    threads = run.thread_counts[0]
    last = {name: run.series(name, threads)[-2:] for name in run.names()}
    last = {name: cells for name, cells in last.items() if len(cells) == 2}
    if not last:
        return None
    before, after = next(iter(last.values()))
    grown = {name: b.time.median / a.time.median for name, (a, b) in last.items()}
    least, most = (end(grown, key=lambda name: grown[name]) for end in (min, max))
    said = f"{times(grown[least])} ({least})" + (f" to {times(grown[most])} ({most})" if least != most else "")
    return Finding(
        "How time grows with channels",
        f"From {before.channels} to {after.channels} channels the operations grow {times(after.macs / before.macs)}, "
        f"the time with {team(threads)} {said}.",
        list(chain.from_iterable(last.values())),
    )


def thread_gains(run: Run) -> str:
    """What all threads bring: how many times as fast, where they bring nothing, and where they lose."""
    one, most = run.thread_counts[0], run.thread_counts[-1]
    pairs = {}
    for name in run.names():
        slow = {cell.channels: cell.time for cell in run.series(name, one)}
        pairs[name] = {c.channels: (slow[c.channels], c.time) for c in run.series(name, most) if c.channels in slow}
    said = []
    for channels in _ends(chain.from_iterable(pairs.values())):
        both = [by_channels[channels] for by_channels in pairs.values() if channels in by_channels]
        found = [slow.median / fast.median for slow, fast in both]
        share = span([gain * one / most for gain in found], percent)
        said.append(f"{span(found, times)} as fast at {channels} channels, {share} of what {most / one:g}× would be")
    text = f"{team(most)} are {'; '.join(said)}." if said else ""
    lost = _where(pairs, lambda least, most: most < 1)
    even = _where(pairs, lambda least, most: least <= 1 <= most)
    text += f" They are slower than {team(one)} for {lost}." if lost else ""
    text += f" They are no faster than {team(one)}, or the quartiles do not tell, for {even}." if even else ""
    return text


def _ends(channels: Iterable[int]) -> list[int]:
    """The most and the fewest of some channel counts."""
    channels = sorted(set(channels))
    return list(dict.fromkeys((channels[-1], channels[0]))) if channels else []


def _where(pairs: dict[str, dict[int, tuple[Timing, Timing]]], holds: Callable[[float, float], bool]) -> str:
    """The blocks and channel counts for whose ranges of gains something holds, in words."""
    where: dict[str, list[str]] = {}
    for name, by_channels in pairs.items():
        if good := [channels for channels, both in by_channels.items() if holds(*ratio_range(*both))]:
            where.setdefault(those(good, list(by_channels)), []).append(name)
    return "; ".join(f"{listed(names)} {channels}" for channels, names in where.items())


def _pointwise(run: Run) -> Finding | None:
    """The 1×1 itself: each algorithm against NumPy's matrix product."""
    table = pointwise_table(run)
    text = (
        f"How many times as fast as {NUMPY} on the same sizes, which adds no bias: the geometric mean over the channel "
        "counts, and the ends, with their channels."
    )
    return Finding("The 1×1 itself", text, run.pointwise, table) if table.rows else None


def _choice(run: Run) -> Finding | None:
    """What "auto" takes by its rule, and how that measured beside the other algorithms."""
    said = [f"{name}: {listed(_span(*part, spans) for part in spans)}." for name, spans in run.choices.items()]
    alternatives = _alternatives(run)
    text = " ".join(([f"The rule of auto: {' '.join(said)}"] if said else []) + _losses(run, alternatives))
    return Finding("The choice of algorithm", text, list(chain.from_iterable(alternatives))) if text else None


def _span(first: int, last: int, algorithm: str, spans: list[Span]) -> str:
    """What is taken between two channel counts, the first or last of which may be the end of the range."""
    if len(spans) == 1:
        return f"{algorithm} at every channel count"
    if first == last:
        return f"{algorithm} at {first}"
    if last == spans[-1][1]:
        return f"{algorithm} from {first} channels on"
    return f"{algorithm} " + (f"up to {last}" if first == spans[0][0] else f"from {first} to {last}")


def _alternatives(run: Run) -> list[list[Cell]]:
    """Lists of cells: our algorithms on one convolution with as many threads, where there are several."""
    found: dict[tuple[str, int, int], list[Cell]] = {}
    for cell in sorted(run.single, key=lambda cell: cell.channels):
        if cell.algorithm not in (AUTO, NUMPY):
            found.setdefault((cell.name, cell.threads, cell.channels), []).append(cell)
    return [cells for cells in found.values() if len(cells) > 1]


def _fastest_of(cells: list[Cell]) -> Cell:
    return min(cells, key=lambda cell: cell.time.median)


def _losses(run: Run, alternatives: list[list[Cell]]) -> list[str]:
    """How "auto" fares where all were measured, in a list of a sentence; a cell of unsteady timings is not counted."""
    losses, total, counts = [], 0, set()
    for cells in alternatives:
        fastest = _fastest_of(cells)
        taken = next((cell for cell in cells if cell.algorithm == run.taken(cell.name, cell.channels)), None)
        total += taken is not None
        if taken and taken.time.is_steady and fastest.time.is_steady:
            losses.append((taken.time.median / fastest.time.median, f"{_cell(taken)}, {team(taken.threads)}"))
            counts.add(taken.channels)
    if not losses:
        return []
    worst, where = max(losses)
    good = sum(loss <= NEAR for loss, _ in losses)
    text = (
        f"Measured at {listed(counts)} channels, what it takes is the fastest, or at most {percent(NEAR - 1)} slower, "
        f"in {good} of {len(losses)} {'cells' if len(losses) == total else f'steady cells, of {total} in all'}"
    )
    return [text + (f"; at worst it takes {times(worst)} as long ({where})." if worst > NEAR else ".")]


def _steadiness(run: Run) -> Finding:
    """How far the samples of a cell lie apart."""
    said = []
    for threads in run.thread_counts:
        cells = [cell for cell in run.cells if cell.threads == threads]
        usual, worst = median(cell.time.spread for cell in cells), max(cells, key=lambda cell: cell.time.spread)
        said.append(
            f"{percent(usual)} of its median in the usual cell and {percent(worst.time.spread)} in the worst "
            f"({_cell(worst)}{f', {worst.algorithm}' * (worst.algorithm != AUTO)}) with {team(threads)}"
        )
    text = f"Half of a cell's samples span {'; '.join(said)}. Above {percent(UNSTEADY)} a cell is unsteady."
    return Finding("How steady the machine was", text + _repeats(run))


def _repeats(run: Run) -> str:
    """How near other timings of the same call come, in a sentence: controls that cost nothing."""
    several = [cells for cells in run.same_calls.values() if len(cells) > 1]
    if not several:
        return ""
    apart = sum(not all(cell.time.is_repeated for cell in cells) for cells in several)
    worst = max(several, key=apart_by)
    text = (
        f" Of {len(several)} calls that were timed more than once, in two benchmarks or as auto and by name, the "
        f"medians lie at most {percent(apart_by(worst) - 1)} apart ({_cell(worst[0])}, {team(worst[0].threads)})"
    )
    return text + (f"; of {apart} the quartiles do not overlap." if apart else ", and the quartiles overlap.")
