"""The answer to the question of the suite, and what stands behind it, every figure taken from the run."""

from itertools import chain
from statistics import geometric_mean

from fastconv.report.data import AUTO, KEPT
from fastconv.report.findings import NEAR, Finding
from fastconv.report.text import grouped, listed, percent, significant, span, team, those

QUESTION = "When a 1×1 convolution saves operations, does the time shrink as they do?"
_VERDICTS = ((0.9, "yes"), (0.5, "mostly"), (0.25, "partly"), (0, "hardly"))  # by the share of the factor kept


def answer(run):
    """The `Finding` of all blocks at the most and at the fewest channels, or None where no block can be compared."""
    cells = _compared(run)
    if not cells:
        return None
    ends = [[cell for cell in cells if cell.channels == end] for end in dict.fromkeys((_most(cells), _fewest(cells)))]
    behind = list(chain.from_iterable(ends))
    macs = significant(geometric_mean(cell.macs_saved for cell in behind), 2)
    opening = f"In the geometric mean the blocks need {macs} times fewer multiply-accumulates (MACs)."
    return Finding(QUESTION, " ".join([opening, *map(_at, ends)]), _with_plain(behind))


def reasons(run):
    """The statements behind the answer: at which channel counts, on how many cores, what stops it, which algorithm."""
    made = [_channels(run), _cores(run), _stops(run)] if _compared(run) else []
    return [finding for finding in [*made, _choices(run)] if finding]


def doubt(run):
    """How many of all timings behind the answer and its reasons were unsteady, or None."""
    return Finding(QUESTION, "", _with_plain(_compared(run))).doubt


def _compared(run):
    return [cell for cell in run.blocks if cell.plain and cell.algorithm == AUTO]


def _most(cells):
    return max(cell.channels for cell in cells)


def _fewest(cells):
    return min(cell.channels for cell in cells)


def _with_plain(cells):
    """The cells and those that they are compared with, each once."""
    return list(dict.fromkeys(timed for cell in cells for timed in (cell, cell.plain)))


def _at(cells):
    """A sentence of the blocks at one channel count, the numbers of threads of one verdict together."""
    verdicts = {}
    for threads in sorted({cell.threads for cell in cells}):
        found = [cell for cell in cells if cell.threads == threads]
        verdicts.setdefault(_verdict(found), {})[threads] = found
    said = [f"{verdict}: {(_slower if verdict == 'no' else _shrinking)(teams)}" for verdict, teams in verdicts.items()]
    return f"At {cells[0].channels} channels, {'; '.join(said)}."


def _verdict(cells):
    if 2 * sum(cell.time.is_steady and cell.plain.time.is_steady for cell in cells) < len(cells):
        return "too unsteady to tell"
    if 2 * len(_slow(cells)) >= len(cells):
        return "no"
    return next(text for least, text in _VERDICTS if geometric_mean(cell.kept for cell in cells) >= least)


def _slow(cells):
    return [cell for cell in cells if cell.time_saved < 1]


def _slower(teams):
    """How many blocks are slower, from {threads: cells}."""
    each = {threads: f"{len(_slow(cells))} of {len(cells)} blocks" for threads, cells in teams.items()}
    return f"slower than the plain convolution are {grouped(each)}"


def _shrinking(teams):
    """By what the time is divided, a geometric mean, from {threads: cells}."""
    each = {}
    for threads, cells in teams.items():
        time, kept = (geometric_mean(getattr(cell, name) for cell in cells) for name in ("time_saved", "kept"))
        slower = f", but {len(_slow(cells))} of {len(cells)} blocks slower" if _slow(cells) else ""
        each[threads] = f"time ÷ {significant(time, 2)} ({percent(kept)} of the factor{slower})"
    return grouped(each)


def _channels(run):
    """From how many channels on the blocks are faster, and which of them keep most of the saving where."""
    cells = _compared(run)
    faster, kept = {}, {}
    for threads in run.thread_counts:
        mine = [cell for cell in cells if cell.threads == threads]
        counts = sorted({cell.channels for cell in mine})
        good = [c for c in counts if not _slow(cell for cell in mine if cell.channels == c)]
        faster[threads] = those(good, counts) if good else "at no channel count"
        kept[threads] = _keeping(run, threads)
    text = f"Every block is faster than its plain convolution {grouped(faster)}. "
    text += f"At least {percent(KEPT)} of the factor is left {grouped(kept)}."
    return Finding("At which channel counts?", text, _with_plain(cells))


def _keeping(run, threads):
    """Which blocks keep most of the saving at which channel counts."""
    where = {}
    for name in run.names(savers_only=True):
        cells = run.saving(name, threads)
        if good := [cell.channels for cell in cells if cell.kept >= KEPT]:
            where.setdefault(those(good, [cell.channels for cell in cells]), []).append(name)
    return ", ".join(f"{channels} for {listed(names)}" for channels, names in where.items()) or "for no block"


def _cores(run):
    """What more threads bring to the plain convolutions and to the blocks, at the fewest and the most channels."""
    if len(run.thread_counts) < 2:
        return None
    one, most = run.thread_counts[0], run.thread_counts[-1]
    slow = {(cell.name, cell.channels): cell for cell in _compared(run) if cell.threads == one}
    pairs = [
        (slow[cell.name, cell.channels], cell)
        for cell in _compared(run)
        if cell.threads == most and (cell.name, cell.channels) in slow
    ]
    said, behind = [], []
    for channels in sorted({cell.channels for _, cell in pairs}):
        found = [pair for pair in pairs if pair[1].channels == channels]
        block = geometric_mean(a.time.median / b.time.median for a, b in found)
        plain = geometric_mean(a.plain.time.median / b.plain.time.median for a, b in found)
        said.append((channels, plain, block))
        behind += chain.from_iterable(found)
    if not said:
        return None
    ends = dict.fromkeys((said[0], said[-1]))
    each = (f"{plain:.2f} and {block:.2f} times as fast at {channels} channels" for channels, plain, block in ends)
    text = f"{team(most)} make the plain convolutions and the blocks {listed(each)}."
    if less := [c for c, plain, block in said if block * NEAR < plain]:
        where = those(less, [c for c, *_ in said])
        text += f" So less of the saving is left with {team(most)} than with {team(one)} {where}: a block is several "
        text += "small calls, which leave threads less to share."
    else:
        text += f" So no less of the saving is left with {team(most)} than with {team(one)}."
    return Finding("On how many cores?", text, _with_plain(behind))


def _stops(run):
    """Why the factor is not kept: the plain convolution's speed at the most channels, the blocks' at the fewest."""
    threads = run.thread_counts[0]
    cells = [cell for cell in _compared(run) if cell.threads == threads]
    if not cells:
        return None
    most, fewest = _most(cells), _fewest(cells)
    last, first = ([cell for cell in cells if cell.channels == end] for end in (most, fewest))
    speeds = span([cell.gflops for cell in last], significant)
    text = (
        "The share left is a block's MACs per second over the plain convolution's. "
        f"At {most} channels with {team(threads)} {_plain_speeds(run, last)}; the blocks do {speeds}"
    )
    text += ": their 1×1s cannot pass that limit." if _past_limit(run, last) else "."
    if fewest != most and (slowed := _slowed(last, first)):
        text += f" At {fewest} channels a MAC takes {slowed}{_unfilled(run, threads, fewest)}"
    return Finding("What stops it?", text, _with_plain(last + first))


def _plain_speeds(run, cells):
    """The nominal speeds of the plain convolutions, and how many times the limit that is."""
    plain = list(dict.fromkeys(cell.plain for cell in cells))
    text = f"{listed(f'the {cell.name} does {significant(cell.gflops)}' for cell in plain)} GFLOP/s"
    if limit := run.peak.get(plain[0].threads):
        factors = listed(significant(cell.gflops / limit, 2) for cell in plain)
        saved = {run.taken(cell.name.removeprefix("plain "), cell.channels) for cell in plain} == {"winograd"}
        why = ", since Winograd multiplies less" if saved and _past_limit(run, cells) else ""
        text += f", {factors} times the limit of the multiply-add units{why}"
    return text


def _past_limit(run, cells):
    return any(cell.plain.gflops > run.peak.get(cell.threads, float("inf")) for cell in cells)


def _slowed(last, first):
    """How many times as long a MAC takes at the fewest channels as at the most."""
    before = {cell.name: cell for cell in first}
    pairs = [(cell, before[cell.name]) for cell in last if cell.name in before]
    if not pairs:
        return None
    block, plain = (
        [a.gflops / b.gflops for a, b in found] for found in (pairs, [(a.plain, b.plain) for a, b in pairs])
    )
    if geometric_mean(block) < NEAR * geometric_mean(plain):
        return None
    return (
        f"{span(block, _two)} times as long as at {last[0].channels} in the blocks, and {span(plain, _two)} times in "
        "the plain convolutions: the few channels that a 1×1 leaves do not fill the vectors, and each convolution of a "
        "call has its fixed cost."
    )


def _unfilled(run, threads, most):
    """How little the time of single convolutions grows with their MACs, from the fewest channels to so many."""
    cells = [cell for cell in run.single if (cell.threads, cell.algorithm) == (threads, AUTO)]
    least = min((cell.channels for cell in cells), default=most)
    small, large = ({cell.name: cell for cell in cells if cell.channels == end} for end in (least, most))
    pairs = [(cell, large[name]) for name, cell in small.items() if name in large]
    if least >= most or not pairs:
        return ""
    macs = _two(pairs[0][1].macs / pairs[0][0].macs)
    grown = listed(f"{_two(b.time.median / a.time.median)} times for the {b.name}" for a, b in pairs)
    return f" From {least} to {most} channels, where MACs grow {macs} times, the time grows {grown}."


def _two(value):
    return significant(value, 2)


def _choices(run):
    """At which channel counts the choice of "auto" changes."""
    said = [f"{name}: {listed(_span(*part, spans) for part in spans)}." for name, spans in run.choices.items()]
    return Finding("Where does the choice of algorithm change?", " ".join(said)) if said else None


def _span(first, last, algorithm, spans):
    """What is taken between two channel counts, the first or last of which may be the end of the range."""
    if len(spans) == 1:
        return f"{algorithm} at every channel count"
    if first == last:
        return f"{algorithm} at {first}"
    if last == spans[-1][1]:
        return f"{algorithm} from {first} channels on"
    return f"{algorithm} " + (f"up to {last}" if first == spans[0][0] else f"from {first} to {last}")
