"""The figures: each function takes a run and returns a drawing as SVG text, or None where the run has nothing for it."""

from io import StringIO

from fastconv.report.data import AUTO, plain_name
from fastconv.report.tables import count, team

COLOURS = ("#0b6fb8", "#d1495b", "#2a8a5f", "#b07a00", "#7a52a8", "#00868b", "#a04500", "#5b6770")
_STYLE = {
    "svg.fonttype": "path",
    "svg.hashsalt": "fastconv",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8a94a0",
    "axes.labelcolor": "#2b3440",
    "axes.titlesize": 10,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e4e8ec",
    "grid.linewidth": 0.8,
    "xtick.color": "#55606c",
    "ytick.color": "#55606c",
    "xtick.minor.bottom": False,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
}
_WIDTH = 10.0  # inches; the page scales it


def time_against_channels(run):
    """One panel a block: time on log axes, and the line the time would follow if it were proportional to the MACs."""
    names = run.names()
    figure, axes = _grid(len(names), share=True)
    for axis, name in zip(axes, names, strict=True):
        for threads, colour in zip(run.thread_counts, COLOURS, strict=False):
            cells = run.series(name, threads)
            if not cells:
                continue
            channels = [cell.channels for cell in cells]
            last = cells[-1]
            ideal = [1e6 * last.time.median * cell.macs / last.macs for cell in cells]
            axis.plot(channels, ideal, color=colour, linewidth=1, linestyle=(0, (4, 3)))
            _line(axis, cells, colour, team(threads), lambda time: 1e6 * time)
        axis.set_title(name)
        _channel_axis(axis, run)
        axis.set_yscale("log")
    _share_labels(figure, axes, "time of one call, µs")
    proportional = _dashes("proportional to the MACs, from the most channels down")
    return _finish(figure, axes[0], [proportional])


def saving_against_channels(run):
    """One panel a block: how many times less time than the plain convolution, and how many times fewer MACs."""
    names = [name for name in run.names(savers_only=True) if any(c.plain for c in run.blocks if c.name == name)]
    if not names:
        return None
    figure, axes = _grid(len(names), share=True)
    for axis, name in zip(axes, names, strict=True):
        for threads, colour in zip(run.thread_counts, COLOURS, strict=False):
            cells = [cell for cell in run.series(name, threads) if cell.plain]
            if not cells:
                continue
            channels = [cell.channels for cell in cells]
            _band(axis, channels, [cell.time_saved_range for cell in cells], colour)
            axis.plot(channels, [c.time_saved for c in cells], color=colour, marker="o", label=team(threads))
            axis.plot(channels, [c.macs_saved for c in cells], color="#55606c", linewidth=1, linestyle=(0, (4, 3)))
        axis.axhline(1, color="#8a94a0", linewidth=1)
        axis.set_title(f"{name} for {plain_name(name)}")
        _channel_axis(axis, run)
        _factor_axis(axis.yaxis)
    _share_labels(figure, axes, "times less than the plain convolution")
    return _finish(figure, axes[0], [_dashes("MACs saved", "#55606c")])


def saved_against_saved(run):
    """MACs saved against time saved, a point for each block and channel count; the diagonal keeps the whole saving."""
    names = [name for name in run.names(savers_only=True) if any(c.plain for c in run.blocks if c.name == name)]
    if not names:
        return None
    figure, axes = _grid(len(run.thread_counts), columns=2, height=4.4, share=True)
    ends = []
    for axis, threads in zip(axes, run.thread_counts, strict=True):
        for name, colour in zip(names, COLOURS, strict=False):
            cells = [cell for cell in run.series(name, threads) if cell.plain]
            if not cells:
                continue
            x, y = [cell.macs_saved for cell in cells], [cell.time_saved for cell in cells]
            ends += x + y
            axis.plot(x, y, color=colour, linewidth=1, alpha=0.5)
            axis.scatter(x, y, s=_areas(run, cells), color=colour, edgecolor="white", linewidth=0.6, label=name, zorder=3)
            for cell in (cells[0], cells[-1]):
                offset = (7, -3)
                axis.annotate(
                    cell.channels, (cell.macs_saved, cell.time_saved), offset, textcoords="offset points", fontsize=7
                )
        axis.set_title(team(threads))
        axis.set_xlabel("times fewer MACs")
    limits = 0.8 * min([*ends, 1]), 1.3 * max(ends)
    for axis in axes:
        axis.plot(limits, limits, color="#55606c", linewidth=1, linestyle=(0, (4, 3)), zorder=1)
        axis.axhline(1, color="#8a94a0", linewidth=1, zorder=1)
        axis.set_xlim(max(0.8, limits[0]), limits[1])
        axis.set_ylim(limits)
        _factor_axis(axis.xaxis)
        _factor_axis(axis.yaxis)
    axes[0].set_ylabel("times less time")
    return _finish(figure, axes[0], [_dashes("the whole saving", "#55606c")])


def thread_scaling(run):
    """How many times faster the most threads are than one, for every block against channels."""
    if len(run.thread_counts) < 2:
        return None
    one, most = run.thread_counts[0], run.thread_counts[-1]
    figure, (axis,) = _grid(1, columns=1, height=3.6)
    for name, colour in zip(run.names(), COLOURS, strict=False):
        slow = {cell.channels: cell for cell in run.series(name, one)}
        cells = [cell for cell in run.series(name, most) if cell.channels in slow]
        gains = [slow[cell.channels].time.median / cell.time.median for cell in cells]
        axis.plot([cell.channels for cell in cells], gains, color=colour, marker="o", label=name)
    axis.axhline(most / one, color="#55606c", linewidth=1, linestyle=(0, (4, 3)))
    axis.axhline(1, color="#8a94a0", linewidth=1)
    axis.set_ylim(0, 1.15 * most / one)
    axis.set_ylabel(f"speed of {team(most)} over {one}")
    _channel_axis(axis, run)
    return _finish(figure, axis, [_dashes(f"{most / one:g} times", "#55606c")])


def algorithms(run):
    """GFLOP/s of each algorithm on the single convolutions, against channels; a panel a convolution."""
    cells = run.pointwise + run.spatial
    names = list(dict.fromkeys(cell.name for cell in cells))
    if not names:
        return None
    threads = max(cell.threads for cell in cells)
    styles = dict(zip(dict.fromkeys(cell.algorithm for cell in cells), COLOURS, strict=False))
    figure, axes = _grid(len(names), columns=4, height=2.5, share=True)
    for axis, name in zip(axes, names, strict=True):
        for algorithm, colour in styles.items():
            for n, dash in ((1, (0, (1, 1))), (threads, "solid")):
                found = [c for c in cells if (c.name, c.algorithm, c.threads) == (name, algorithm, n)]
                found.sort(key=lambda cell: cell.channels)
                label = algorithm if dash == "solid" else None
                x, y = [c.channels for c in found], [c.gflops for c in found]
                axis.plot(x, y, color=colour, linestyle=dash, marker="o", markersize=3, label=label)
        axis.set_title(name)
        _channel_axis(axis, run)
        axis.set_ylim(bottom=0)
    _share_labels(figure, axes, "GFLOP/s")
    from matplotlib.lines import Line2D

    shapes = {team(n): Line2D([], [], color="#2b3440", linestyle=dash) for n, dash in ((1, (0, (1, 1))), (threads, "-"))}
    handles = {h.get_label(): h for axis in axes for h in axis.get_lines() if not h.get_label().startswith("_")}
    return _finish(figure, None, [(label, line) for label, line in (handles | shapes).items()])


def _grid(panels, columns=3, height=2.6, share=False):
    """A figure and the axes of this many panels, in rows of `columns`."""
    import matplotlib
    from matplotlib.figure import Figure

    matplotlib.rcParams.update(matplotlib.rcParamsDefault | _STYLE)
    columns = min(columns, panels)
    rows = -(-panels // columns)
    figure = Figure(figsize=(_WIDTH, height * rows + 0.5), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=share, sharey=share).ravel()
    for axis in axes[panels:]:
        axis.set_visible(False)
    return figure, list(axes[:panels])
