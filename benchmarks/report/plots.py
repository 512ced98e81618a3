"""The figures of the report: each takes a run and a width, and returns a matplotlib figure, or None if the run has
nothing for it.

A colour is a number of threads, a block or an algorithm; dashes are what the operation count alone would give, or a
limit.
"""

from collections.abc import Callable, Sequence
from itertools import cycle
from typing import TYPE_CHECKING, Any

from benchmarks.report.panels import (
    COLOURS,
    DASHED,
    DASHES,
    GREY,
    channel_axis,
    grouped_numbers,
    label_rows,
    line,
    panels,
    plain_numbers,
    with_legend,
)
from benchmarks.report.records import AUTO, Cell, Run
from benchmarks.report.text import team

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

_DOTTED = DASHED | {"linestyle": ":"}
_MARKERS = "os^Dvp*"  # of algorithms, to be told apart where lines meet


def times_against_channels(run: Run, width: float) -> "Figure":
    """Time on log axes, and the line that time would follow if it were proportional to the MACs."""
    names = run.names()
    figure, axes = panels(width, len(names))
    for axis, name in zip(axes, names, strict=True):
        for threads, colour in zip(run.thread_counts, cycle(COLOURS), strict=False):
            cells = run.series(name, threads)
            if not cells:
                continue
            last = cells[-1]
            per_mac = 1e6 * last.time.median / last.macs
            channels = [cell.channels for cell in cells]
            axis.plot(channels, [per_mac * cell.macs for cell in cells], color=colour, linewidth=1, linestyle=DASHES)
            ranges = [(1e6 * cell.time.low, 1e6 * cell.time.high) for cell in cells]
            line(axis, channels, [1e6 * cell.time.median for cell in cells], ranges, colour, team(threads))
        axis.set_title(name)
        axis.set_yscale("log")
        plain_numbers(axis.yaxis)
        channel_axis(axis, run.blocks)
    label_rows(axes, "time of one call, µs")
    return with_legend(figure, {"proportional to the MACs": DASHED})


def saving_against_channels(run: Run, width: float) -> "Figure | None":
    """How many times as fast as the plain convolution, and how many times fewer MACs."""
    names = _savers(run)
    if not names:
        return None
    figure, axes = panels(width, len(names))
    for axis, name in zip(axes, names, strict=True):
        axis.axhline(1, color=GREY, linewidth=0.8)
        for threads, colour in zip(run.thread_counts, cycle(COLOURS), strict=False):
            cells = run.saving(name, threads)
            channels = [cell.channels for cell in cells]
            axis.plot(channels, [cell.macs_saved for cell in cells], **DASHED)
            ranges = [cell.time_saved_range for cell in cells]
            line(axis, channels, [cell.time_saved for cell in cells], ranges, colour, team(threads))
        axis.set_title(name)
        axis.set_yscale("log")
        plain_numbers(axis.yaxis, "×")
        channel_axis(axis, run.blocks)
    label_rows(axes, "times as fast")
    return with_legend(figure, {"times fewer MACs": DASHED})


def saved_against_saved(run: Run, width: float) -> "Figure | None":
    """MACs saved against time saved, a point for each block and channel count; on the diagonal nothing is lost."""
    names = _savers(run)
    if not names:
        return None
    figure, axes = panels(width, len(run.thread_counts), columns=2, height=4)
    cells = [cell for cell in run.blocks if cell.plain]
    most = 1.6 * max(cell.macs_saved for cell in cells)
    for axis, threads in zip(axes, run.thread_counts, strict=True):
        axis.tick_params(labelbottom=True)
        axis.plot((1, most), (1, most), **DASHED)
        axis.axhline(1, color=GREY, linewidth=0.8)
        _dots(axis, run, names, threads, lambda cell: (cell.macs_saved, cell.time_saved) if cell.plain else None)
        axis.set(title=team(threads), xlabel="times fewer MACs", xscale="log", yscale="log", xlim=(1, most))
        plain_numbers(axis.xaxis, "×")
        plain_numbers(axis.yaxis, "×")
    label_rows(axes, "times as fast")
    return with_legend(figure, {"time shrinks as MACs do": DASHED} | _dot_sizes(run))


def speed_against_intensity(run: Run, width: float) -> "Figure | None":
    """Effective speed against MACs for each byte of the least memory traffic."""
    cells = [cell for cell in run.blocks if cell.bytes]
    if not cells:
        return None
    figure, axes = panels(width, len(run.thread_counts), columns=2, height=3.6)
    for axis, threads in zip(axes, run.thread_counts, strict=True):
        axis.tick_params(labelbottom=True)
        _limits(axis, run, [threads])
        _dots(axis, run, run.names(), threads, lambda cell: (cell.intensity, cell.gflops) if cell.bytes else None)
        axis.set(title=team(threads), xlabel="MACs for each byte", xscale="log")
        plain_numbers(axis.xaxis)
        grouped_numbers(axis.yaxis)
    axes[0].set_ylim(bottom=0)
    label_rows(axes, "GFLOP/s")
    return with_legend(figure, _limit_label(run) | _dot_sizes(run))


def thread_scaling(run: Run, width: float) -> "Figure | None":
    """How many times faster the most threads are than the fewest, for every block against channels."""
    teams = run.thread_counts
    if len(teams) < 2:
        return None
    figure, (axis,) = panels(width, 1, height=3.4)
    for name, colour in _colours(run).items():
        slow = {cell.channels: cell.time.median for cell in run.series(name, teams[0])}
        gains = {
            c.channels: slow[c.channels] / c.time.median for c in run.series(name, teams[-1]) if c.channels in slow
        }
        axis.plot(list(gains), list(gains.values()), color=colour, marker="o", label=name)
    axis.axhline(1, color=GREY, linewidth=0.8)
    axis.axhline(teams[-1] / teams[0], **DASHED)
    axis.set_ylim(bottom=min(0.8, axis.get_ylim()[0]))
    axis.set_ylabel(f"times as fast as with {team(teams[0])}")
    channel_axis(axis, run.blocks)
    return with_legend(figure, {"all threads count fully": DASHED})


def algorithm_times(run: Run, width: float) -> "Figure | None":
    """Time of each algorithm on the single convolutions of the suite, and where the choice of "auto" changes."""
    figure, axes = _algorithms(run, width, lambda cell: 1e6 * cell.time.median)
    for axis in axes:
        axis.set_yscale("log")
        plain_numbers(axis.yaxis)
    label_rows(axes, "time of one call, µs")
    return figure and with_legend(figure, {})


def algorithm_speeds(run: Run, width: float) -> "Figure | None":
    """The same cells in GFLOP/s, and the limit of the multiply-add units."""
    figure, axes = _algorithms(run, width, lambda cell: cell.gflops)
    for axis in axes:
        _limits(axis, run, run.thread_counts[:1])
        axis.set_ylim(bottom=0)
        grouped_numbers(axis.yaxis)
    label_rows(axes, "GFLOP/s")
    return figure and with_legend(figure, _limit_label(run))


def _algorithms(run: Run, width: float, value: Callable[[Cell], float]) -> "tuple[Figure | None, Sequence[Axes]]":
    """A panel for each single convolution: `value` of its cells against channels, a line for each algorithm.

    "auto" would lie on one of the others, and more threads among them: both are left to the table.
    """
    cells = [cell for cell in run.single if cell.algorithm != AUTO and cell.threads == run.thread_counts[0]]
    if not cells:
        return None, ()
    names = list(dict.fromkeys(cell.name for cell in cells))
    algorithms = dict.fromkeys(cell.algorithm for cell in cells)
    styles = dict(zip(algorithms, zip(cycle(COLOURS), cycle(_MARKERS), strict=False), strict=False))
    figure, axes = panels(width, len(names), height=3 if len(names) < 4 else 2.5, share_y=False)
    for axis, name in zip(axes, names, strict=True):
        for first, _, _ in run.choices.get(name, ())[1:]:
            axis.axvline(first, color=GREY, linewidth=0.8)
        for algorithm, (colour, marker) in styles.items():
            found = [cell for cell in cells if (cell.name, cell.algorithm) == (name, algorithm)]
            found.sort(key=lambda cell: cell.channels)
            x, y = [cell.channels for cell in found], list(map(value, found))
            axis.plot(x, y, color=colour, marker=marker, label=algorithm)
        axis.set_title(name)
        channel_axis(axis, cells)
    return figure, axes


def _limits(axis: "Axes", run: Run, teams: list[int]) -> None:
    """The most that the multiply-add units did, for each of these numbers of threads.

    With adders beside them fast inner products can do half as much again: of three channels two take one multiply-add
    and two additions.
    """
    for threads in teams:
        if threads in run.peak:
            axis.axhline(run.peak[threads], **DASHED)
            if run.facts.get("fip"):
                axis.axhline(1.5 * run.peak[threads], **_DOTTED)


def _limit_label(run: Run) -> dict[str, Any]:
    labels = {"limit of the multiply-add units": DASHED} if run.peak else {}
    return labels | ({"with the adders beside them": _DOTTED} if run.peak and run.facts.get("fip") else {})


def _colours(run: Run) -> dict[str, str]:
    """A colour for each block, the same in every figure."""
    return dict(zip(run.names(), cycle(COLOURS), strict=False))


def _savers(run: Run) -> list[str]:
    """The blocks that have their plain convolution beside them."""
    return list(dict.fromkeys(cell.name for cell in run.blocks if cell.plain))


def _dots(
    axis: "Axes", run: Run, names: list[str], threads: int, place: Callable[[Cell], tuple[float, float] | None]
) -> None:
    """A dot at `place` of every cell, larger for more channels."""
    sizes = _sizes(run)
    for name in names:
        colour = _colours(run)[name]
        dots = [(cell.channels, place(cell)) for cell in run.series(name, threads)]
        dots = [(channels, at) for channels, at in dots if at]
        if not dots:
            continue
        x, y = zip(*(at for _, at in dots), strict=True)
        axis.plot(x, y, color=colour, linewidth=1, alpha=0.4)
        areas = [sizes[channels] for channels, _ in dots]
        axis.scatter(x, y, areas, color=colour, edgecolor="white", linewidth=0.6, label=name, zorder=3)


def _sizes(run: Run) -> dict[int, int]:
    """{channels: area of a dot}."""
    return {channels: 14 + 10 * i for i, channels in enumerate(sorted({cell.channels for cell in run.blocks}))}


def _dot_sizes(run: Run) -> dict[str, Any]:
    """The dots of the fewest and the most channels for a legend: labels beside them would cover each other."""
    sizes, dot = _sizes(run), {"color": GREY, "marker": "o", "linestyle": "none"}
    ends = dict.fromkeys((min(sizes), max(sizes)))
    label = f"{' and '.join(map(str, ends))} channels"
    return {label: tuple(dot | {"markersize": sizes[channels] ** 0.5} for channels in ends)}
