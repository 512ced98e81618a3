"""The answer in words, every figure taken from the run: does the time shrink as the operations do?"""

from dataclasses import dataclass
from statistics import geometric_mean, median

from fastconv.report.data import AUTO
from fastconv.report.tables import significant, team, times

KEPT = 0.8  # of the saved operations must be saved time for "the time shrinks as the operations do"
NEAR = 1.05  # times the time of the fastest count as fast as it
UNSTEADY = 0.25  # of a cell's median is what half of its samples may span
_VERDICTS = ((0.9, "Yes."), (0.7, "Mostly."), (0.4, "Partly."), (0, "Hardly."))  # by the share kept


@dataclass(frozen=True, slots=True)
class Finding:
    """One statement of the report: a heading of a few words and sentences."""

    heading: str
    text: str


def answer(run):
    """Over all blocks, at the most and at the fewest channels: the share of the saving that arrives, or None."""
    names = [name for name in run.names(savers_only=True) if _saving(run, name, run.thread_counts[0])]
    if not names:
        return None

    def shares(end):
        return {
            threads: geometric_mean(_saving(run, name, threads)[end].kept for name in names)
            for threads in run.thread_counts
        }

    def said(end):
        channels = {_saving(run, name, run.thread_counts[0])[end].channels for name in names}
        parts = [f"{_percent(share)} with {team(threads)}" for threads, share in shares(end).items()]
        return f"at {_list(channels)} channels {' and '.join(parts)}"

    share = geometric_mean(shares(-1).values())
    verdict = next(text for least, text in _VERDICTS if share >= least)
    if _unsteady(run):
        verdict = "This run is too unsteady to tell."
    return (
        f"{verdict} Of the factor by which a block needs fewer operations than the plain convolution, this much is "
        f"also a factor of time: {said(-1)}; {said(0)} (geometric mean over {len(names)} blocks)."
    )


def findings(run):
    """The statements that this run supports, beside the answer."""
    made = [_block(run, name) for name in run.names(savers_only=True)]
    made += [_limit(run), _growth(run), _threads(run), _pointwise(run), _choices(run), _fastest(run)]
    made.append(_steadiness(run))
    return [finding for finding in made if finding]


def where(run):
    """One line: what was measured, where and when."""
    facts = run.facts
    known = [facts.get("cpu"), facts.get("isa"), team(run.thread_counts[-1])]
    known += [f"fastconv {facts['fastconv']}" if "fastconv" in facts else None, facts.get("source")]
    return " · ".join([text for text in known if text] + [f"measured on {run.started:%d %B %Y, %H:%M} UTC"])


def warnings(run):
    """What a reader must know before trusting the page."""
    made = []
    unsteady = _unsteady(run)
    if "uncommitted" in run.facts.get("source", ""):
        made.append("The source had uncommitted changes: no commit holds what was measured here.")
    if run.failed:
        made.append(f"{len(run.failed)} cells failed and are missing here: {'; '.join(run.failed)}.")
    if unsteady:
        made.append(
            f"The machine was busy or unsteady: in {unsteady} of {len(run.blocks)} cells half of the samples span more "
            f"than {_percent(UNSTEADY)} of the median. Do not rely on these figures; measure again when it is quiet."
        )
    if not run.facts:
        made.append("The result was stored without its facts: instruction set, threads and versions are unknown.")
    return made


def _block(run, name):
    """What a block saves at the most channels, from where on the saving is kept, and where it is slower."""
    series = {threads: cells for threads in run.thread_counts if (cells := _saving(run, name, threads))}
    if not series:
        return None
    last = {threads: cells[-1] for threads, cells in series.items()}
    some = next(iter(last.values()))
    less = ", ".join(f"{_less(cell.time_saved)} with {team(threads)}" for threads, cell in last.items())
    speed = ", ".join(f"{significant(cell.gflops)} to {significant(cell.plain.gflops)}" for cell in last.values())
    kept = _grouped({threads: _from_where(cells) for threads, cells in series.items()})
    text = (
        f"{times(some.macs_saved)} fewer multiply-accumulates than the {some.plain.name}. At {some.channels} channels "
        f"{less} (GFLOP/s against the plain convolution's: {speed}). "
        f"At least {_percent(KEPT)} of the saving is kept {kept}."
    )
    slower = {threads: [cell.channels for cell in cells if cell.time_saved < 1] for threads, cells in series.items()}
    slower = {threads: f"at {_list(channels)} channels" for threads, channels in slower.items() if channels}
    return Finding(name, text + (f" Slower than the plain convolution {_grouped(slower)}." if slower else ""))


def _grouped(said):
    """{threads: statement} as text, a statement that holds for several numbers of threads once."""
    groups = {}
    for threads, statement in said.items():
        groups.setdefault(statement, []).append(team(threads))
    return "; ".join(f"{statement} with {_list(teams)}" for statement, teams in groups.items())


def _from_where(cells):
    """At which channel counts the saving is kept."""
    good = [cell.channels for cell in cells if cell.kept >= KEPT]
    if len(good) == len(cells):
        return "at every channel count"
    if not good:
        best = max(cells, key=lambda cell: cell.kept)
        return f"nowhere (the most is {_percent(best.kept)}, at {best.channels} channels)"
    if good == [cell.channels for cell in cells[-len(good) :]]:
        return f"from {good[0]} channels on"
    return f"at {_list(good)} channels"


def _limit(run):
    """The multiply-add units' limit, and how near the fastest block comes."""
    said = []
    for threads, peak in run.peak.items():
        best = max((cell for cell in run.blocks if cell.threads == threads), key=lambda cell: cell.gflops, default=None)
        if best and best.gflops > 1.05 * peak:
            said.append(
                f"with {team(threads)} {significant(peak)} GFLOP/s, and the {best.name} stands at "
                f"{significant(best.gflops)} with {best.channels} channels: GFLOP/s count the MACs, of which Winograd "
                "does fewer, or other work disturbed the measurement, so the share is unknown"
            )
        elif best:
            said.append(
                f"with {team(threads)} {significant(peak)} GFLOP/s, of which the {best.name} reaches "
                f"{_percent(best.gflops / peak)} with {best.channels} channels"
            )
    return Finding("The machine's limit", f"Measured in the same run: {'; '.join(said)}.") if said else None


def _growth(run):
    """What twice the channels cost, at the top of the range."""
    threads = run.thread_counts[0]
    last = {name: run.series(name, threads)[-2:] for name in run.names()}
    last = {name: cells for name, cells in last.items() if len(cells) == 2}
    if not last:
        return None
    before, after = next(iter(last.values()))
    said = ", ".join(f"{times(b.time.median / a.time.median)} for {name}" for name, (a, b) in last.items())
    return Finding(
        "How time grows with channels",
        f"From {before.channels} to {after.channels} channels the operations grow {times(after.macs / before.macs)}. "
        f"The time, with {team(threads)}, grows {said}.",
    )


def _threads(run):
    """What all threads bring, at the fewest and the most channels."""
    if len(run.thread_counts) < 2:
        return None
    one, most = run.thread_counts[0], run.thread_counts[-1]
    gains = {}
    for name in run.names():
        slow = {cell.channels: cell for cell in run.series(name, one)}
        for cell in run.series(name, most):
            if cell.channels in slow:
                gain = slow[cell.channels].time.median / cell.time.median
                gains.setdefault(cell.channels, []).append(gain)
    if not gains:
        return None
    said = "; ".join(
        f"{channels} channels {times(geometric_mean(gains[channels]))} ({times(min(gains[channels]))} to "
        f"{times(max(gains[channels]))})"
        for channels in (min(gains), max(gains))
    )
    return Finding("Threads", f"{team(most).capitalize()} against {one}, geometric mean over the blocks: {said}.")


def _pointwise(run):
    """The 1×1 itself: each algorithm against NumPy's matrix product."""
    found = {(c.name, c.channels, c.threads, c.algorithm): c.time.median for c in run.pointwise}
    said = []
    for threads in sorted({cell.threads for cell in run.pointwise}):
        for algorithm in dict.fromkeys(cell.algorithm for cell in run.pointwise if cell.algorithm != "numpy.matmul"):
            ratios = [
                found[name, channels, threads, "numpy.matmul"] / time
                for (name, channels, n, a), time in found.items()
                if (n, a) == (threads, algorithm) and (name, channels, threads, "numpy.matmul") in found
            ]
            if ratios:
                said.append(
                    f"{algorithm} with {team(threads)} {times(geometric_mean(ratios))} "
                    f"({times(min(ratios))} to {times(max(ratios))})"
                )
    if not said:
        return None
    return Finding(
        "The 1×1 itself", f"Speed against numpy.matmul on the same sizes, geometric mean: {'; '.join(said)}."
    )


def _choices(run):
    """At which channel counts the choice of "auto" changes."""
    said = [f"{name}: {_list(_span(*span, spans) for span in spans)}." for name, spans in run.choices.items()]
    if not said:
        return None
    map_size = f" ({run.facts['blocks_input']})" if "blocks_input" in run.facts else ""
    return Finding("What auto takes", f"For c to c channels{map_size}, by its rule. {' '.join(said)}")


def _span(first, last, algorithm, spans):
    """What is taken between two channel counts, the first or last of which may be the end of the range."""
    if len(spans) == 1:
        return f"{algorithm} at every channel count"
    if last == spans[-1][1]:
        return f"{algorithm} from {first} channels on"
    return f"{algorithm} " + (f"up to {last}" if first == spans[0][0] else f"from {first} to {last}")


def _fastest(run):
    """Which algorithm of ours measured fastest where, and what is lost where "auto" takes another."""
    timed = {}
    for cell in run.pointwise + run.spatial:
        if cell.algorithm not in (AUTO, "numpy.matmul"):
            timed.setdefault((cell.name, cell.threads), {}).setdefault(cell.channels, {})[cell.algorithm] = cell
    timed = {key: found for key, found in timed.items() if max(map(len, found.values())) > 1}
    names, losses = {}, []  # names by what is said of them
    for (name, threads), by_channels in timed.items():
        winners = {}
        for channels, cells in sorted(by_channels.items()):
            fastest = min(cells.values(), key=lambda cell: cell.time.median)
            winners.setdefault(fastest.algorithm, []).append(channels)
            if taken := cells.get(run.taken(name, channels)):
                where = f"{name}, {channels} channels, {team(threads)}"
                losses.append((taken.time.median / fastest.time.median, where))
        where = "; ".join(f"{algorithm} at {_list(channels)} channels" for algorithm, channels in winners.items())
        names.setdefault(where, []).append(f"{name} with {team(threads)}")
    if not names:
        return None
    text = " ".join(f"{_list(where)}: {said}." for said, where in names.items())
    if losses:
        worst, where = max(losses)
        good = sum(loss <= NEAR for loss, _ in losses)
        text += (
            f" What auto takes is the fastest, or takes at most {_percent(NEAR - 1)} longer, in {good} of "
            f"{len(losses)} cells" + (f"; at worst it takes {times(worst)} as long ({where})." if worst > NEAR else ".")
        )
    return Finding("The fastest algorithm", text)


def _steadiness(run):
    """How far the samples of a cell lie apart."""
    worst = max(run.blocks, key=_spread)
    return Finding(
        "How steady the machine was",
        f"Half of a cell's samples span {_percent(median(map(_spread, run.blocks)))} of its median in the usual cell, "
        f"{_percent(_spread(worst))} in the worst: {worst.name}, {worst.channels} channels, {team(worst.threads)}.",
    )


def _unsteady(run):
    """The number of unsteady cells, or 0 where they are no more than a tenth."""
    cells = sum(_spread(cell) > UNSTEADY for cell in run.blocks)
    return cells if 10 * cells > len(run.blocks) else 0


def _spread(cell):
    """The width between the quartiles of a cell's samples, as a share of their median."""
    return (cell.time.high - cell.time.low) / cell.time.median


def _saving(run, name, threads):
    """The cells of a block that have their plain convolution beside them, by ascending channels."""
    return [cell for cell in run.series(name, threads) if cell.plain]


def _less(factor):
    return f"{times(factor)} less time" if factor >= 1 else f"{times(1 / factor)} more time"


def _percent(share):
    return f"{100 * share:.0f}%"


def _list(items):
    *head, last = map(str, sorted(items) if isinstance(items, set) else items)
    return f"{', '.join(head)} and {last}" if head else last
