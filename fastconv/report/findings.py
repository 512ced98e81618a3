"""The statements of the report beside its answer: a heading and sentences each, every figure taken from the run."""

from dataclasses import dataclass
from statistics import geometric_mean, median

from fastconv.report.data import AUTO
from fastconv.report.tables import listed, percent, significant, team, times

KEPT = 0.8  # of the saved operations must be saved time for "the time shrinks as the operations do"
NEAR = 1.05  # times the time of the fastest count as fast as it


@dataclass(frozen=True, slots=True)
class Finding:
    """One statement of the report: a heading of a few words and sentences."""

    heading: str
    text: str


def all_findings(run):
    """The statements that this run supports, beside the answer."""
    made = [_block(run, name) for name in run.names(savers_only=True)]
    made += [_limit(run), _growth(run), _threads(run), _pointwise(run), _choices(run), _fastest(run)]
    made.append(_steadiness(run))
    return [finding for finding in made if finding]


def _block(run, name):
    """What a block saves at the most channels, from where on the saving is kept, and where it is slower."""
    series = {threads: cells for threads in run.thread_counts if (cells := run.saving(name, threads))}
    if not series:
        return None
    last = {threads: cells[-1] for threads, cells in series.items()}
    some = next(iter(last.values()))
    speeds = (
        f"{times(cell.time_saved)} as fast with {team(threads)} ({significant(cell.gflops)} GFLOP/s, the plain "
        f"convolution {significant(cell.plain.gflops)})"
        for threads, cell in last.items()
    )
    text = (
        f"{times(some.macs_saved)} fewer multiply-accumulates than the {some.plain.name}. "
        f"At {some.channels} channels it is {listed(speeds)}. {_kept(series)}"
    )
    slower = {threads: [cell.channels for cell in cells if cell.time_saved < 1] for threads, cells in series.items()}
    slower = {threads: f"at {listed(channels)} channels" for threads, channels in slower.items() if channels}
    return Finding(name, text + (f" Slower than the plain convolution {_grouped(slower)}." if slower else ""))


def _grouped(said):
    """{threads: statement} as text, a statement that holds for several numbers of threads once."""
    groups = {}
    for threads, statement in said.items():
        groups.setdefault(statement, []).append(team(threads))
    return "; ".join(f"{statement} with {listed(teams)}" for statement, teams in groups.items())


def _kept(series):
    """At which channel counts the saving is kept, from {threads: cells}."""
    where, nowhere = {}, []
    for threads, cells in series.items():
        good = [cell.channels for cell in cells if cell.kept >= KEPT]
        if good:
            where[threads] = _those(good, [cell.channels for cell in cells])
        else:
            best = max(cells, key=lambda cell: cell.kept)
            nowhere.append(f"with {team(threads)} (at most {percent(best.kept)}, at {best.channels} channels)")
    said = [f"At least {percent(KEPT)} of the saving is kept {_grouped(where)}."] if where else []
    if nowhere:
        said.append(f"No channel count keeps {percent(KEPT)} of the saving {' or '.join(nowhere)}.")
    return " ".join(said)


def _those(some, all_of_them):
    """Some of the measured channel counts in words."""
    if some == all_of_them:
        return "at every channel count"
    if len(some) > 1 and some == all_of_them[-len(some) :]:
        return f"from {some[0]} channels on"
    return f"at {listed(some)} channels"


def _limit(run):
    """The multiply-add units' limit, how near direct convolution comes to it, and the nominal rates that pass it."""
    if not run.peak:
        return None
    limits, reached, passed = [], [], []
    for threads, peak in run.peak.items():
        limits.append(f"{significant(peak)} GFLOP/s with {team(threads)}")
        direct, winograd = (_quickest(run, threads, algorithm) for algorithm in ("direct", "winograd"))
        if direct:
            reached.append(f"{percent(direct.gflops / peak)} of it with {team(threads)} ({_cell(direct)})")
            if direct.gflops > peak and direct not in run.pointwise:
                reached[-1] += "; its operations are nominal: products with padding are left out"
            elif direct.gflops > NEAR * peak:
                reached[-1] += ", so that other work must have disturbed the measurement of the limit"
        if winograd and winograd.gflops > peak:
            passed.append(f"{significant(winograd.gflops)} GFLOP/s with {team(threads)} ({_cell(winograd)})")
    text = f"The multiply-add units do at most {listed(limits)}, measured in the same run."
    if reached:
        text += f" Direct convolution reaches {listed(reached)}."
    if passed:
        text += f" Winograd multiplies less than its MACs say: its nominal rate reaches {listed(passed)}."
    return Finding("The machine's limit", text)


def _quickest(run, threads, algorithm):
    """The cell of the highest rate among those computed by one algorithm throughout, as it or "auto" was asked for."""
    cells = [
        cell
        for cell in run.blocks + run.pointwise + run.spatial
        if cell.threads == threads and algorithm in (cell.algorithm, _taken(run, cell))
    ]
    return max(cells, key=lambda cell: cell.gflops, default=None)


def _taken(run, cell):
    """What "auto" took for a cell of one convolution; None for a block of several."""
    return run.taken(cell.name.removeprefix("plain "), cell.channels) if cell.algorithm == AUTO else None


def _cell(cell):
    return f"{cell.name}, {cell.channels} channels"


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
    said = [f"{name}: {listed(_span(*span, spans) for span in spans)}." for name, spans in run.choices.items()]
    if not said:
        return None
    map_size = f" ({run.facts['blocks_input']})" if "blocks_input" in run.facts else ""
    return Finding("What auto takes", f"For c to c channels{map_size}, by its rule. {' '.join(said)}")


def _span(first, last, algorithm, spans):
    """What is taken between two channel counts, the first or last of which may be the end of the range."""
    if len(spans) == 1:
        return f"{algorithm} at every channel count"
    if first == last:
        return f"{algorithm} at {first}"
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
        where = "; ".join(f"{algorithm} {_those(won, sorted(by_channels))}" for algorithm, won in winners.items())
        names.setdefault(where, []).append(f"{name} with {team(threads)}")
    if not names:
        return None
    text = " ".join(f"{listed(where)}: {said}." for said, where in names.items())
    if losses:
        worst, where = max(losses)
        good = sum(loss <= NEAR for loss, _ in losses)
        text += (
            f" What auto takes is the fastest, or takes at most {percent(NEAR - 1)} longer, in {good} of "
            f"{len(losses)} cells" + (f"; at worst it takes {times(worst)} as long ({where})." if worst > NEAR else ".")
        )
    return Finding("The fastest algorithm", text)


def _steadiness(run):
    """How far the samples of a cell lie apart."""
    said = []
    for threads in run.thread_counts:
        cells = [cell for cell in run.blocks if cell.threads == threads]
        usual, worst = median(cell.spread for cell in cells), max(cells, key=lambda cell: cell.spread)
        said.append(
            f"{percent(usual)} of its median in the usual cell and {percent(worst.spread)} in the worst "
            f"({_cell(worst)}) with {team(threads)}"
        )
    return Finding("How steady the machine was", f"Half of a cell's samples span {'; '.join(said)}.")
