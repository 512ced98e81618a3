"""What stops the time from shrinking as the operations do: the one list of reasons, each only where the run shows it.

Captions point here instead of giving reasons of their own.
"""

import re
from statistics import geometric_mean

from benchmarks.report.findings import NEAR, Finding
from benchmarks.report.records import Cell, Run
from benchmarks.report.text import listed, percent, seconds, significant, span, team

_LANES = {"avx2": 8, "avx512": 16}  # float32 values in a vector
_ALIKE = 1.4  # times each other two growths may be, to count as one
_LITTLE = 0.25  # of a block's time


def stops(run: Run) -> list[Finding]:
    """The reasons at the fewest and at the most channels, and what calls and memory count for."""
    threads = run.thread_counts[0]
    cells = [cell for cell in run.compared if cell.threads == threads]
    if not cells:
        return []
    ends = (end(cell.channels for cell in cells) for end in (min, max))
    first, last = ([cell for cell in cells if cell.channels == end] for end in ends)
    return [reason for reason in (_vectors(run, first), _multiplications(run, last), _beside(run, first)) if reason]


def _vectors(run: Run, cells: list[Cell]) -> Finding | None:
    """That the channels which a 1×1 leaves fill no vector, where direct convolution's time grows as its vectors do."""
    lanes = _LANES.get(run.facts.get("isa", ""), 0)
    left = [cell.channels // int(ratio[1]) for cell in cells if (ratio := re.search(r"/0*([1-9]\d*)", cell.name))]
    pairs = _filling(run, cells[0].threads, lanes)
    if not pairs or not left or min(left) >= lanes:
        return None
    small, large = pairs[0]
    vectors = large.channels * -(-large.channels // lanes) / small.channels
    grown = {large.name: large.time.median / small.time.median for small, large in pairs}
    as_vectors = {name: growth for name, growth in grown.items() if 1 / _ALIKE <= growth / vectors <= _ALIKE}
    macs = geometric_mean(large.macs / small.macs for small, large in pairs)
    if not as_vectors or vectors * _ALIKE > macs:
        return None
    others = [f"{_two(growth)} times ({name})" for name, growth in grown.items() if name not in as_vectors]
    text = (
        f"A vector that is not full costs as much as a full one in the {listed(as_vectors)}. One of "
        f"{run.facts['isa']} holds {lanes} channels, and the 1×1s leave {span(left, str)}. From {small.channels} to "
        f"{large.channels} channels the operations grow {_two(macs)} times, the vectors of them {vectors:g} times, and "
        f"the time of direct {span(as_vectors.values(), _two)} times."
    )
    if others:
        text += f" Vectors do not explain its growth elsewhere: {listed(others)}."
    return Finding(f"What stops it at {cells[0].channels} channels?", text, [cell for pair in pairs for cell in pair])


def _filling(run: Run, threads: int, lanes: int) -> list[tuple[Cell, Cell]]:
    """Pairs of cells of one direct convolution: the fewest channels, which fill no vector, and the first that do."""
    found: dict[str, list[Cell]] = {}
    for cell in sorted(run.single, key=lambda cell: cell.channels):
        keeps_channels = "→" not in cell.name or cell.name.endswith("c→c")
        if (cell.threads, cell.algorithm) == (threads, "direct") and keeps_channels:
            found.setdefault(cell.name, []).append(cell)
    pairs = []
    for series in found.values():
        full = [cell for cell in series if cell.channels >= lanes]
        if full and series[0].channels < lanes:
            pairs.append((series[0], full[0]))
    return [(a, b) for a, b in pairs if (a.channels, b.channels) == (pairs[0][0].channels, pairs[0][1].channels)]


def _multiplications(run: Run, cells: list[Cell]) -> Finding | None:
    """That Winograd needs fewer multiplications for what the blocks replace, and a 1×1 cannot."""
    direct = {(c.name, c.channels, c.threads): c for c in run.spatial if c.algorithm == "direct"}
    gains: dict[str, str] = {}
    behind: list[Cell] = []
    for plain in dict.fromkeys(cell.replaced for cell in cells):
        layer = plain.name.removeprefix("plain ")
        slow = direct.get((layer, plain.channels, plain.threads))
        if slow and run.taken(layer, plain.channels) == "winograd" and slow.time.median > NEAR * plain.time.median:
            gains[plain.name] = _two(slow.time.median / plain.time.median)
            behind += slow, plain
    if not gains:
        return None
    channels, threads = cells[0].channels, cells[0].threads
    text = (
        f"Winograd makes the {listed(gains)} {listed(gains.values())} times as fast as direct does, with fewer "
        "multiplications for the same result. For 1×1s there is no such algorithm"
    )
    ones = [c for c in run.pointwise if (c.channels, c.threads, c.algorithm) == (channels, threads, "direct")]
    if ones and threads in run.peak:
        best = max(ones, key=lambda cell: cell.gflops)
        behind.append(best)
        text += f": they reach {percent(best.gflops / run.peak[threads])} of the multiply-add units' limit"
    return Finding(f"What stops it at {channels} channels?", f"{text}.", behind)


def _beside(run: Run, cells: list[Cell]) -> Finding | None:
    """What calls and memory count for at the fewest channels, where the run tells."""
    channels, threads = cells[0].channels, cells[0].threads
    said = []
    if call := run.calls.get(("time_plan",)):
        least = min(cell.time.median for cell in cells)
        said.append(
            f"Calls {'hardly' if call < _LITTLE * least else 'in part'}: one of a small plan takes {seconds(call)}, "
            f"arithmetic included, and one of a block {seconds(least)} or more at {channels} channels."
        )
    # More channels are more bytes, in caches no nearer: where they move faster, these could too.
    rates = [_rate(cell) for cell in cells if cell.bytes]
    others = [_rate(c) for c in run.blocks if c.bytes and c.threads == threads and c.channels > channels]
    if rates and others and NEAR * max(rates) < max(others):
        said.append(
            f"Memory not: the blocks move {span(rates, _two)} GB/s there with {team(threads)}, and up to "
            f"{_two(max(others))} at more channels."
        )
    return Finding("Do calls or memory stop it?", " ".join(said), cells) if said else None


def _rate(cell: Cell) -> float:
    """10⁹ bytes a second of the least memory traffic."""
    return 1e-9 * cell.bytes / cell.time.median


def _two(value: float) -> str:
    return significant(value, 2)
