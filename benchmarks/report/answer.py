"""The answer to the question of the suite: short sentences, every figure in them taken from the run.

Averages are geometric means.
"""

from collections.abc import Iterable
from itertools import chain
from statistics import geometric_mean

from benchmarks.report.findings import Finding
from benchmarks.report.reasons import stops
from benchmarks.report.records import Cell, Run
from benchmarks.report.text import grouped, percent, significant, span, team, those

QUESTION = "When a 1×1 convolution saves operations, does the time shrink as they do?"
_VERDICTS = ((0.9, "yes"), (0.5, "mostly"), (0.25, "partly"), (0, "hardly"))  # by the share of the factor kept


def answer(run: Run) -> Finding | None:
    """The `Finding` of all blocks at the most and at the fewest channels, or None where no block can be compared."""
    cells = run.compared
    if not cells:
        return None
    ends = [[cell for cell in cells if cell.channels == end] for end in dict.fromkeys((_most(cells), _fewest(cells)))]
    return Finding(QUESTION, " ".join(map(_at, ends)), _with_plain(chain.from_iterable(ends)))


def reasons(run: Run) -> list[Finding]:
    """The statements behind the answer: at which channel counts, on how many cores, and what stops it."""
    made = [_channels(run), _cores(run), *stops(run)] if run.compared else []
    return [finding for finding in made if finding]


def doubt(run: Run) -> str | None:
    """How many of all timings behind the answer and its reasons were unsteady, or None."""
    return Finding(QUESTION, "", _with_plain(run.compared)).doubt


def _most(cells: list[Cell]) -> int:
    return max(cell.channels for cell in cells)


def _fewest(cells: list[Cell]) -> int:
    return min(cell.channels for cell in cells)


def _with_plain(cells: Iterable[Cell]) -> list[Cell]:
    """The cells and those that they are compared with, each once."""
    return list(dict.fromkeys(timed for cell in cells for timed in (cell, cell.replaced)))


def _at(cells: list[Cell]) -> str:
    """A sentence of the blocks at one channel count, the numbers of threads of one verdict together."""
    verdicts: dict[str, dict[int, list[Cell]]] = {}
    for threads in sorted({cell.threads for cell in cells}):
        found = [cell for cell in cells if cell.threads == threads]
        verdicts.setdefault(_verdict(found), {})[threads] = found
    said = [f"{verdict}: {(_slower if verdict == 'no' else _shrinking)(teams)}" for verdict, teams in verdicts.items()]
    return f"At {cells[0].channels} channels, {'; '.join(said)}."


def _verdict(cells: list[Cell]) -> str:
    if 2 * sum(cell.time.is_steady and cell.replaced.time.is_steady for cell in cells) < len(cells):
        return "too unsteady to tell"
    if 2 * len(_slow(cells)) >= len(cells):
        return "no"
    return next(text for least, text in _VERDICTS if geometric_mean(cell.kept for cell in cells) >= least)


def _slow(cells: list[Cell]) -> list[Cell]:
    return [cell for cell in cells if cell.is_slower]


def _slower(teams: dict[int, list[Cell]]) -> str:
    """How many blocks are slower, from {threads: cells}."""
    each = {
        threads: f"{len(slow)} of {len(cells)} blocks" for threads, cells in teams.items() if (slow := _slow(cells))
    }
    return f"{grouped(each)} are slower than the convolution that they replace"


def _shrinking(teams: dict[int, list[Cell]]) -> str:
    """How many times fewer operations make the blocks how many times as fast, from {threads: cells}."""
    macs = geometric_mean(cell.macs_saved for cell in chain.from_iterable(teams.values()))
    each = {
        threads: f"{significant(geometric_mean(cell.time_saved for cell in cells), 2)} times as fast"
        for threads, cells in teams.items()
    }
    text = f"{significant(macs, 2)} times fewer operations make the blocks on average {grouped(each)}"
    return f"{text}; {_slower(teams)}" if any(map(_slow, teams.values())) else text


def _channels(run: Run) -> Finding:
    """From how many channels on the blocks are faster, and which of them keep the most and the least of the saving."""
    cells = run.compared
    faster = {}
    for threads in run.thread_counts:
        mine = [cell for cell in cells if cell.threads == threads]
        counts = sorted({cell.channels for cell in mine})
        good = [c for c in counts if all(cell.is_faster for cell in mine if cell.channels == c)]
        if counts:
            faster[threads] = those(good, counts) if good else "at no channel count"
    text = f"Every block is faster than the convolution that it replaces {grouped(faster)}."
    threads = min(cell.threads for cell in cells)
    last = [cell for cell in cells if (cell.channels, cell.threads) == (_most(cells), threads)]
    last.sort(key=lambda cell: cell.kept)
    if len(last) > 1:
        least, most = last[0], last[-1]
        text += (
            f" At {most.channels} channels {most.name} turns most of its saving into time ({percent(most.kept)}) and "
            f"{least.name} least ({percent(least.kept)}), with {team(threads)}."
        )
    return Finding("At which channel counts?", text, _with_plain(cells))


def _cores(run: Run) -> Finding | None:
    """What more threads bring to the plain convolutions and to the blocks, at the fewest and the most channels."""
    one, most = run.thread_counts[0], run.thread_counts[-1]
    slow = {(cell.name, cell.channels): cell for cell in run.compared if cell.threads == one}
    pairs = [
        (slow[cell.name, cell.channels], cell)
        for cell in run.compared
        if cell.threads == most and (cell.name, cell.channels) in slow
    ]
    if one == most or not pairs:
        return None
    counts = sorted({cell.channels for _, cell in pairs})
    found = {c: [pair for pair in pairs if pair[1].channels == c] for c in counts}
    first, *rest = ((c, _gain(_plain(found[c])), _gain(found[c])) for c in dict.fromkeys((counts[0], counts[-1])))
    text = "{1} make the plain convolutions {0[1]} times as fast at {0[0]} channels and the blocks {0[2]} times"
    said = [text.format(first, team(most)) + "".join(f"; at {c} channels {p} and {b} times" for c, p, b in rest) + "."]
    ranges = {c: _left_range(found[c]) for c in counts}
    less, more = [c for c in counts if ranges[c][1] < 1], [c for c in counts if ranges[c][0] > 1]
    if less:
        said.append(
            f"So less of the saving is left with {team(most)} {those(less, counts)}: the parts of a block are less "
            "work, and leave threads less to share."
        )
    if more:
        said.append(f"More of the saving is left with {team(most)} {those(more, counts)}.")
    if undecided := [c for c in counts if c not in less + more]:
        where = those(undecided, counts)
        said.append(f"Whether less of the saving is left with {team(most)}, the quartiles do not decide {where}.")
    return Finding("On how many cores?", " ".join(said), _with_plain(chain.from_iterable(pairs)))


def _left_range(pairs: list[tuple[Cell, Cell]]) -> tuple[float, float]:
    """How many times the share kept by the first of each pair the second keeps: the means of both ends' bounds."""
    ranges = [(a.time_saved_range, b.time_saved_range) for a, b in pairs]
    return geometric_mean(b[0] / a[1] for a, b in ranges), geometric_mean(b[1] / a[0] for a, b in ranges)


def _plain(pairs: list[tuple[Cell, Cell]]) -> list[tuple[Cell, Cell]]:
    """The pairs of the plain convolutions, each once however many blocks replace it."""
    return list(dict.fromkeys((a.replaced, b.replaced) for a, b in pairs))


def _gain(pairs: list[tuple[Cell, Cell]]) -> str:
    """How many times as fast the second of each pair is, as text: the geometric mean, and in brackets the ends."""
    gains = [a.time.median / b.time.median for a, b in pairs]
    ends = span(gains, _two)
    return _two(geometric_mean(gains)) + (f" ({ends})" if len(pairs) > 1 and " to " in ends else "")


def _two(gain: float) -> str:
    return f"{gain:.2f}"
