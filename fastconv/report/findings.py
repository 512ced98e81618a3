"""The statements of the report beside its answer: a heading and sentences each, every figure taken from the run."""

from dataclasses import dataclass
from itertools import chain
from statistics import geometric_mean, median

from fastconv.report.data import AUTO, NUMPY, UNSTEADY
from fastconv.report.tables import Table, input_size, listed, percent, pointwise_table, significant, team, times

KEPT = 0.8  # of the saved operations must be saved time for "the time shrinks as the operations do"
NEAR = 1.05  # times the time of the fastest count as fast as it


@dataclass(frozen=True, slots=True)
class Finding:
    """One statement of the report: a heading of a few words, sentences, and the cells that they rest on."""

    heading: str
    text: str
    cells: tuple | list = ()
    table: Table | None = None

    @property
    def doubt(self):
        """How many of its cells were unsteady, by threads, in a sentence, or None."""
        said = []
        for threads in sorted({cell.threads for cell in self.cells}):
            steady = [cell.time.is_steady for cell in self.cells if cell.threads == threads]
            if not all(steady):
                said.append(f"{steady.count(False)} of the {len(steady)} timings with {team(threads)}")
        return f"Unsteady behind this: {listed(said)}." if said else None


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
    text += f" Slower than the plain convolution {_grouped(slower)}." if slower else ""
    cells = [cell for found in series.values() for cell in found]
    return Finding(name, text, cells + [cell.plain for cell in cells])


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
    limits, reached, passed, notes, cells = [], [], [], [], []
    for threads, peak in run.peak.items():
        limits.append(f"{significant(peak)} GFLOP/s with {team(threads)}")
        direct, winograd = (_quickest(run, threads, algorithm) for algorithm in ("direct", "winograd"))
        if direct:
            cells.append(direct)
            reached.append(f"{percent(direct.gflops / peak)} of it with {team(threads)} ({_cell(direct)})")
            if direct.gflops > peak and direct not in run.pointwise:
                notes.append(" Its operations are nominal: products with padding are left out.")
            elif direct.gflops > NEAR * peak:
                notes.append(
                    f" More than {percent(NEAR)}: the limit was measured at a lower clock, or beside other work."
                )
        if winograd and winograd.gflops > peak:
            cells.append(winograd)
            passed.append(f"{significant(winograd.gflops)} GFLOP/s with {team(threads)} ({_cell(winograd)})")
    text = f"The multiply-add units do at most {listed(limits)}, measured in the same run."
    if reached:
        text += f" Direct convolution reaches {listed(reached)}.{''.join(dict.fromkeys(notes))}"
    if passed:
        text += f" Winograd multiplies less than its MACs say: its nominal rate reaches {listed(passed)}."
    return Finding("The machine's limit", text, cells)


def _quickest(run, threads, algorithm):
    """The cell of the highest rate among those computed by one algorithm throughout, as it or "auto" was asked for."""
    cells = [
        cell
        for cell in run.blocks + run.single
        if cell.threads == threads and algorithm in (cell.algorithm, _taken(run, cell))
    ]
    return max(cells, key=lambda cell: cell.gflops, default=None)


def _taken(run, cell):
    """What "auto" took for a cell of one convolution; None for a block of several."""
    return run.taken(cell.name.removeprefix("plain "), cell.channels) if cell.algorithm == AUTO else None


def _cell(cell):
    return f"{cell.name}, {cell.channels} channels" if cell.channels else cell.name


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
        list(chain.from_iterable(last.values())),
    )


def _threads(run):
    """What all threads bring, at the fewest and the most channels."""
    if len(run.thread_counts) < 2:
        return None
    one, most = run.thread_counts[0], run.thread_counts[-1]
    pairs = {}
    for name in run.names():
        slow = {cell.channels: cell for cell in run.series(name, one)}
        for cell in run.series(name, most):
            if cell.channels in slow:
                pairs.setdefault(cell.channels, []).append((slow[cell.channels], cell))
    if not pairs:
        return None
    said, cells = [], []
    for channels in sorted({min(pairs), max(pairs)}):
        gains = [slow.time.median / fast.time.median for slow, fast in pairs[channels]]
        said.append(f"{channels} channels {times(geometric_mean(gains))} ({times(min(gains))} to {times(max(gains))})")
        cells += chain.from_iterable(pairs[channels])
    text = f"{team(most).capitalize()} against {one}, geometric mean over the blocks: {'; '.join(said)}."
    return Finding("Threads", text, cells)


def _pointwise(run):
    """The 1×1 itself: each algorithm against NumPy's matrix product."""
    table = pointwise_table(run)
    text = f"How many times as fast as {NUMPY} on the same sizes; the mean is geometric."
    return Finding("The 1×1 itself", text, run.pointwise, table) if table.rows else None


def _choices(run):
    """At which channel counts the choice of "auto" changes."""
    said = [f"{name}: {listed(_span(*span, spans) for span in spans)}." for name, spans in run.choices.items()]
    if not said:
        return None
    return Finding("What auto takes", f"For c to c channels{input_size(run)}, by its rule. {' '.join(said)}")


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
    alternatives = _alternatives(run)
    winners, said = {}, {}
    for cells in alternatives:
        best = _fastest_of(cells)
        winners.setdefault((best.name, best.threads), {}).setdefault(best.algorithm, []).append(best.channels)
    for (name, threads), won in winners.items():
        measured = sorted(chain.from_iterable(won.values()))
        where = "; ".join(f"{algorithm} {_those(channels, measured)}" for algorithm, channels in won.items())
        said.setdefault(where, {}).setdefault(name, []).append(team(threads))
    if not said:
        return None
    everyone = len({threads for _, threads in winners})
    text = ""
    for where, names in said.items():
        who = (name if len(teams) == everyone else f"{name} with {listed(teams)}" for name, teams in names.items())
        text += f"{listed(who)}: {where}. "
    text = (text + _losses(run, alternatives)).rstrip()
    return Finding("The fastest algorithm", text, list(chain.from_iterable(alternatives)))


def _alternatives(run):
    """Lists of cells: our algorithms on one convolution with as many threads, where there are several."""
    found = {}
    for cell in sorted(run.single, key=lambda cell: cell.channels):
        if cell.algorithm not in (AUTO, NUMPY):
            found.setdefault((cell.name, cell.threads, cell.channels), []).append(cell)
    return [cells for cells in found.values() if len(cells) > 1]


def _fastest_of(cells):
    return min(cells, key=lambda cell: cell.time.median)


def _losses(run, alternatives):
    """What is lost where "auto" takes another than the fastest; a cell of unsteady timings is not counted."""
    losses, total = [], 0
    for cells in alternatives:
        fastest = _fastest_of(cells)
        taken = next((cell for cell in cells if cell.algorithm == run.taken(cell.name, cell.channels)), None)
        total += taken is not None
        if taken and taken.time.is_steady and fastest.time.is_steady:
            losses.append((taken.time.median / fastest.time.median, f"{_cell(taken)}, {team(taken.threads)}"))
    if not losses:
        return ""
    worst, where = max(losses)
    good = sum(loss <= NEAR for loss, _ in losses)
    text = (
        f"Under its own name, the algorithm that auto takes is the fastest or takes at most {percent(NEAR - 1)} longer "
        f"in {good} of {len(losses)} {'cells' if len(losses) == total else f'steady cells, of {total} in all'}"
    )
    return text + (f"; at worst it takes {times(worst)} as long ({where})." if worst > NEAR else ".")


def _steadiness(run):
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
    return Finding("How steady the machine was", text)
