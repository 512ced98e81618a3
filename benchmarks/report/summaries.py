"""The tables that answer the question of the suite, from the cells of a run. Averages are geometric means."""

from collections.abc import Callable, Iterable
from statistics import geometric_mean, median

from benchmarks.report.records import AUTO, NUMPY, UNSTEADY, Cell, Run, Timing, apart_by
from benchmarks.report.tables import Table, each, figure, marked, with_meaning
from benchmarks.report.text import percent, significant, team, times
from benchmarks.report.words import narrow_blas

QUESTION = "When a 1×1 convolution saves operations, does the time shrink as they do?"
NEAR = 1.05  # times the time of the fastest count as fast as it
_VERDICTS = ((0.9, "yes"), (0.5, "mostly"), (0.25, "partly"), (0, "hardly"))  # by the share of the factor kept
_LANES = {"avx2": 8, "avx512": 16}  # float32 values in a vector


def answer_table(run: Run) -> Table:
    """The answer for every channel count and number of threads, over all blocks."""
    rows = []
    for channels, cells in _by_channels(run.compared):
        for threads in run.thread_counts:
            if mine := [cell for cell in cells if cell.threads == threads]:
                fewer = geometric_mean(cell.macs_saved for cell in mine)
                fast = geometric_mean(cell.time_saved for cell in mine)
                figures = [marked(text, *_timings(mine)) for text in (times(fast), percent(fast / fewer))]
                slower = f"{sum(cell.is_slower for cell in mine)}/{len(mine)}"
                rows.append([f"{channels} channels", str(threads), _verdict(mine), times(fewer), *figures, slower])
    headings = ("blocks of", "threads", "answer", "fewer MACs", "as fast", "kept", "slower")
    return with_meaning(
        QUESTION,
        "The blocks against the plain convolutions of their kernels: times fewer MACs, times as fast, the share of the "
        "one factor that the other keeps (from 90% on it is yes, from 50% mostly, from 25% partly), and how many are "
        "slower; where half of the blocks are, the answer is no.",
        [("", heading) for heading in headings],
        rows,
    )


def _by_channels(cells: list[Cell]) -> Iterable[tuple[int, list[Cell]]]:
    return [(c, [cell for cell in cells if cell.channels == c]) for c in sorted({cell.channels for cell in cells})]


def _timings(cells: list[Cell]) -> list[Timing]:
    """Those of the cells and of what they replace."""
    return [timed.time for cell in cells for timed in (cell, cell.replaced)]


def _verdict(cells: list[Cell]) -> str:
    if 2 * sum(cell.time.is_steady and cell.replaced.time.is_steady for cell in cells) < len(cells):
        return "unsteady"
    if 2 * sum(cell.is_slower for cell in cells) >= len(cells):
        return "no"
    return next(text for least, text in _VERDICTS if geometric_mean(cell.kept for cell in cells) >= least)


def savings_table(run: Run) -> Table:
    """Per block: what is saved at the most channels, how much of it is kept, and where it is faster."""
    teams = run.thread_counts
    most = max((cell.channels for cell in run.compared), default=0)
    rows = []
    for name in run.names(savers_only=True):
        series = [run.saving(name, threads) for threads in teams]
        if any(series):
            last = [next((cell for cell in cells if cell.channels == most), None) for cells in series]
            row = [name, times(next(cell.macs_saved for cells in series for cell in cells))]
            row += [figure(cell, lambda c: times(c.time_saved), with_plain=True) for cell in last]
            row += [figure(cell, lambda c: percent(c.kept), with_plain=True) for cell in last]
            rows.append(row + [_where(cells, lambda c: c.is_faster) for cells in series])
    columns = [("", "block"), ("fewer", "MACs"), *each("times as fast", teams)]
    return with_meaning(
        "What each block saves",
        f"Times as fast and share kept: at {most} channels. Faster: the channel counts at which the quartiles of block "
        "and plain convolution lie apart.",
        [*columns, *each("share kept", teams), *each("faster", teams)],
        rows,
    )


def _where(cells: list[Cell], holds: Callable[[Cell], bool]) -> str:
    """The channel counts of cells, ascending, for which something holds, in short."""
    channels = [cell.channels for cell in cells]
    good = [cell.channels for cell in cells if holds(cell)]
    if not channels:
        return "–"
    if not good or good == channels:
        return "all" if good else "none"
    return f"from {good[0]}" if len(good) > 1 and good == channels[-len(good) :] else ", ".join(map(str, good))


def cores_table(run: Run) -> Table:
    """What more threads bring to the plain convolutions and to the blocks, by channels."""
    one, most = run.thread_counts[0], run.thread_counts[-1]
    slow = {(cell.name, cell.channels): cell for cell in run.compared if cell.threads == one}
    rows = []
    for channels, cells in _by_channels([cell for cell in run.compared if cell.threads == most != one]):
        pairs = [(slow[cell.name, channels], cell) for cell in cells if (cell.name, channels) in slow]
        if pairs:
            plain = list(dict.fromkeys((a.replaced, b.replaced) for a, b in pairs))  # once, whatever replaces it
            ranges = [(a.time_saved_range, b.time_saved_range) for a, b in pairs]
            left = (geometric_mean(b[0] / a[1] for a, b in ranges), geometric_mean(b[1] / a[0] for a, b in ranges))
            rows.append([str(channels), _gain(plain), _gain(pairs), " to ".join(map(times, left))])
    return Table(
        "On how many cores?",
        f"Times as fast with {team(most)} as with {team(one)}, the mean and the ends. Saving left: how many times as "
        "much of it is left with more threads, from the quartiles; where 1 is between them, they do not decide.",
        [("", heading) for heading in ("channels", "plain convolutions", "blocks", "saving left")],
        rows,
    )


def _gain(pairs: list[tuple[Cell, Cell]]) -> str:
    gains = [a.time.median / b.time.median for a, b in pairs]
    return f"{geometric_mean(gains):.2f}× ({min(gains):.2f} to {max(gains):.2f})"


def vectors_table(run: Run) -> Table:
    """How direct convolution's time grows from channels that fill no vector to the first that do."""
    lanes, threads = _LANES.get(run.facts.get("isa", ""), 0), run.thread_counts[0]
    rows = []
    for name in dict.fromkeys(cell.name for cell in run.single if "→" not in cell.name or cell.name.endswith("c→c")):
        series = [c for c in run.single if (c.name, c.threads, c.algorithm) == (name, threads, "direct")]
        few = min((c for c in series if c.channels < lanes), key=lambda c: c.channels, default=None)
        full = min((c for c in series if c.channels >= lanes), key=lambda c: c.channels, default=None)
        if few and full:
            vectors = full.channels * -(-full.channels // lanes) / few.channels
            grown = marked(times(full.time.median / few.time.median), full.time, few.time)
            macs = times(full.macs / few.macs)
            rows.append([name, str(few.channels), str(full.channels), macs, times(vectors), grown])
    return with_meaning(
        "What stops it at few channels?",
        f"Direct convolution, {team(threads)}: how its MACs, its vectors of {lanes} channels and its time grow. A "
        "vector that is not full costs as much as a full one where the time grows as the vectors do, not as the MACs.",
        [("", "convolution"), ("", "from"), ("", "to"), ("grow", "MACs"), ("grow", "vectors"), ("grow", "time")],
        rows,
    )


def limit_table(run: Run) -> Table:
    """The multiply-add units' limit, and how near direct convolution and Winograd come to it."""
    rows = []
    for threads, peak in run.peak.items():
        row = [str(threads), significant(peak)]
        for algorithm in ("direct", "winograd"):
            best = _quickest(run, threads, algorithm)
            share = f" ({percent(best.gflops / peak)})" if best else ""
            row += [figure(best, lambda c: significant(c.gflops)) + share, _cell(best)]
        rows.append(row)
    headings = [("", "threads"), ("", "limit"), ("direct", "most"), ("direct", "cell"), ("winograd", "most")]
    return with_meaning(
        "The machine's limit",
        "GFLOP/s: the most that the multiply-add units did in the same run, and the fastest cells. Two FLOP count for "
        "every MAC, also for those that Winograd saves and those with the padding, which direct leaves out: both may "
        "pass the limit so. Where a 1×1 does, it was measured at a lower clock, or beside other work.",
        [*headings, ("winograd", "cell")],
        rows,
    )


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


def _cell(cell: Cell | None) -> str:
    if not cell:
        return "–"
    return f"{cell.name}, {cell.channels} channels" if cell.channels else cell.name


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
    return Table(
        "The 1×1 itself",
        f"Times as fast as {NUMPY} on the same sizes, which adds no bias." + narrow_blas(run.facts),
        [("", heading) for heading in ("algorithm", "threads", "mean", "lowest (channels)", "highest (channels)")],
        rows,
    )


def choice_table(run: Run) -> Table:
    """What "auto" takes by its rule, and how that measured beside the other algorithms; unsteady cells do not count."""
    found: dict[str, dict[tuple[int, int], list[Cell]]] = {}
    for cell in run.single:
        if cell.algorithm not in (AUTO, NUMPY) and cell.time.is_steady:
            found.setdefault(cell.name, {}).setdefault((cell.channels, cell.threads), []).append(cell)
    rows = []
    for name, spans in run.choices.items():
        losses = []
        for (channels, threads), cells in found.get(name, {}).items():
            taken = next((cell for cell in cells if cell.algorithm == run.taken(name, channels)), None)
            if taken and len(cells) > 1:
                loss = taken.time.median / min(cell.time.median for cell in cells)
                losses.append((loss, f"{channels} channels, {team(threads)}"))
        rule = ", ".join(f"{algorithm} to {last}" for _, last, algorithm in spans)
        good = f"{sum(loss <= NEAR for loss, _ in losses)}/{len(losses)}"
        rows.append([name, rule, good, *((times(max(losses)[0]), max(losses)[1]) if losses else ("–", "–"))])
    return Table(
        "The choice of algorithm",
        f"The rule of auto by channels; in how many of the steady cells what it takes is the fastest, or at most "
        f"{percent(NEAR - 1)} slower; and the time that it takes at worst, in times of the fastest.",
        [("", heading) for heading in ("convolution", "rule", "fastest", "at worst", "where")],
        rows,
    )


def steadiness_table(run: Run) -> Table:
    """How far the samples of a cell lie apart, and how near other timings of the same call come."""
    rows = []
    for threads in run.thread_counts:
        cells = [cell for cell in run.cells if cell.threads == threads]
        worst = max(cells, key=lambda cell: cell.time.spread)
        usual = percent(median(cell.time.spread for cell in cells))
        several = [cells for cells in run.same_calls.values() if len(cells) > 1 and cells[0].threads == threads]
        apart = max(several, key=apart_by, default=[worst])
        overlap = sum(all(cell.time.is_repeated for cell in cells) for cells in several)
        row = [str(threads), usual, percent(worst.time.spread), _cell(worst)]
        rows.append([*row, f"{overlap}/{len(several)}", percent(apart_by(apart) - 1), _cell(apart[0])])
    return Table(
        "How steady the machine was",
        f"What half of a cell's samples span, of its median: above {percent(UNSTEADY)} a cell is unsteady. Repeated: "
        "of the calls that were timed more than once, in two benchmarks or as auto and by name, those whose quartiles "
        "overlap, and how far the medians lie apart at most.",
        [("", "threads"), *(("span", heading) for heading in ("usual", "worst", "cell"))]
        + [("repeated", heading) for heading in ("overlap", "apart", "cell")],
        rows,
    )


_ALL = (savings_table, cores_table, vectors_table, limit_table, pointwise_table, choice_table, steadiness_table)


def all_summaries(run: Run) -> list[Table]:
    """The tables beside the answer that this run fills."""
    return [table for make in _ALL if (table := make(run)).rows]
