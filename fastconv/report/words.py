"""The answer in words, every figure taken from the run: does the time shrink as the operations do?"""

from dataclasses import dataclass
from statistics import geometric_mean, median

from fastconv.report.data import AUTO
from fastconv.report.tables import significant, team, times

KEPT = 0.8  # of the saved operations must be saved time for "the time shrinks as the operations do"


@dataclass(frozen=True, slots=True)
class Finding:
    """One statement of the report: a heading of a few words and sentences."""

    heading: str
    text: str


def findings(run):
    """The statements that this run supports, the answer first."""
    made = [_answer(run), *(_block(run, name) for name in run.names(savers_only=True))]
    made += [_growth(run), _threads(run), _pointwise(run), _choices(run), _steadiness(run)]
    return [finding for finding in made if finding]


def where(run):
    """One line: what was measured, where and when."""
    facts = run.facts
    known = [facts.get("cpu"), facts.get("isa"), f"{team(run.thread_counts[-1])} at most"]
    known += [f"fastconv {facts['fastconv']}" if "fastconv" in facts else None, facts.get("source")]
    return " · ".join([text for text in known if text] + [f"measured {run.started:%d %B %Y, %H:%M} UTC"])


def warnings(run):
    """What a reader must know before trusting the page."""
    made = []
    if "uncommitted" in run.facts.get("source", ""):
        made.append("The source had uncommitted changes: these results belong to no commit and cannot be repeated.")
    if run.failed:
        made.append(f"{len(run.failed)} cells failed and are missing here: {'; '.join(run.failed)}.")
    if not run.facts:
        made.append("This result was stored without its facts: ISA, threads and versions are unknown.")
    return made


def _answer(run):
    """Over all blocks at the most channels: operations saved, time saved."""
    parts = []
    for threads in run.thread_counts:
        last = [cells[-1] for name in run.names(savers_only=True) if (cells := _saving(run, name, threads))]
        if last:
            share = geometric_mean(cell.kept for cell in last)
            parts.append((threads, share, last))
    if not parts:
        return None
    said = "; ".join(
        f"with {team(threads)} {_percent(share)} of the saved operations are saved time" for threads, share, _ in parts
    )
    channels = sorted({cell.channels for cell in parts[0][2]})
    lowest = min((cell for _, _, cells in parts for cell in cells), key=lambda cell: cell.kept)
    return Finding(
        "Does the time shrink as the operations do?",
        f"At {_list(channels)} channels, over {len(parts[0][2])} blocks (geometric mean), {said}. "
        f"Least so the {lowest.name} block with {team(lowest.threads)}: {times(lowest.macs_saved)} fewer "
        f"multiply-accumulates, {times(lowest.time_saved)} less time.",
    )


def _block(run, name):
    """From how many channels on a block keeps what it saves, and why not below."""
    sentences = []
    for threads in run.thread_counts:
        cells = _saving(run, name, threads)
        if not cells:
            continue
        last = cells[-1]
        sentences.append(
            f"With {team(threads)} and {last.channels} channels it needs {times(last.macs_saved)} fewer multiply-"
            f"accumulates and {times(last.time_saved)} less time, since it runs at {significant(last.gflops)} GFLOP/s "
            f"and the {last.plain.name} at {significant(last.plain.gflops)}. {_from_where(cells)}"
        )
        slower = [str(cell.channels) for cell in cells if cell.time_saved < 1]
        if slower:
            sentences.append(f"At {_list(slower)} channels it is slower than the plain convolution.")
    return Finding(name, " ".join(sentences)) if sentences else None


def _from_where(cells):
    """The channel counts at which a saving is kept, as a sentence."""
    good = [cell.channels for cell in cells if cell.kept >= KEPT]
    every = [cell.channels for cell in cells]
    if good == every:
        return f"The time shrinks as the operations do (at least {_percent(KEPT)} of the saving) at every channel count."
    if not good:
        best = max(cells, key=lambda cell: cell.kept)
        return (
            f"At no channel count is {_percent(KEPT)} of the saving kept; the most is {_percent(best.kept)} "
            f"at {best.channels} channels."
        )
    if good == every[-len(good) :]:
        return f"From {good[0]} channels on at least {_percent(KEPT)} of the saving is kept."
    return f"At least {_percent(KEPT)} of the saving is kept at {_list(good)} channels."


def _growth(run):
    """What twice the channels cost, at the top of the range."""
    threads = run.thread_counts[0]
    said = []
    for name in run.names():
        cells = run.series(name, threads)
        if len(cells) > 1:
            before, last = cells[-2:]
            said.append(
                f"{name}: {times(last.macs / before.macs)} the operations, "
                f"{times(last.time.median / before.time.median)} the time"
            )
    if not said:
        return None
    return Finding(
        "How time grows with channels",
        f"With {team(threads)}, from {before.channels} to {last.channels} channels. {'; '.join(said)}.",
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
    return Finding("The 1×1 itself", f"Speed against numpy.matmul on the same sizes, geometric mean: {'; '.join(said)}.")


def _choices(run):
    """Which algorithm of ours is fastest where, for the single convolutions that the suite times with several."""
    fastest = {}
    for cell in run.pointwise + run.spatial:
        if cell.algorithm not in (AUTO, "numpy.matmul"):
            by_channels = fastest.setdefault((cell.name, cell.threads), {})
            by_channels.setdefault(cell.channels, []).append(cell)
    said = []
    for (name, threads), by_channels in fastest.items():
        if max(map(len, by_channels.values())) > 1:
            winners = {}
            for channels in sorted(by_channels):
                winner = min(by_channels[channels], key=lambda cell: cell.time.median)
                winners.setdefault(winner.algorithm, []).append(channels)
            where = "; ".join(f"{algorithm} at {_list(channels)}" for algorithm, channels in winners.items())
            said.append(f"{name} with {team(threads)}: {where} channels.")
    return Finding("The fastest algorithm", " ".join(said)) if said else None


def _steadiness(run):
    """How far the samples of a cell lie apart."""
    spreads = {cell: (cell.time.high - cell.time.low) / cell.time.median for cell in run.blocks}
    worst = max(spreads, key=spreads.get)
    return Finding(
        "How steady the machine was",
        f"The middle half of a cell's samples spans {_percent(median(spreads.values()))} of its median in the usual cell, "
        f"{_percent(spreads[worst])} in the worst: {worst.name}, {worst.channels} channels, {team(worst.threads)}.",
    )


def _saving(run, name, threads):
    """The cells of a block that have their plain convolution beside them, by ascending channels."""
    return [cell for cell in run.series(name, threads) if cell.plain]


def _percent(share):
    return f"{100 * share:.0f} %"


def _list(items):
    *head, last = map(str, items)
    return f"{', '.join(head)} and {last}" if head else last
