"""The figures of the report: each takes a run and returns a matplotlib figure, or None if the run has nothing for it.

`svg` draws one. A colour is a number of threads, a block or an algorithm; dashes are what the operation count alone
would give.
"""

from io import StringIO

from fastconv.report.data import AUTO
from fastconv.report.tables import team

_COLOURS = ("#0b6fb8", "#d1495b", "#2a8a5f", "#c08a00", "#7a52a8", "#00868b", "#8c4a1f", "#5b6770")
_GREY = "#66717d"
_DASHES = (0, (4, 3))
_DASHED = {"color": _GREY, "linewidth": 1, "linestyle": _DASHES}  # what the operations alone would give
_STYLE = {
    "svg.fonttype": "path",  # the same everywhere, whatever fonts the reader has
    "svg.hashsalt": "fastconv",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#9aa4ae",
    "axes.labelcolor": "#2b3440",
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e6eaee",
    "grid.linewidth": 0.8,
    "xtick.color": "#9aa4ae",
    "ytick.color": "#9aa4ae",
    "xtick.labelcolor": "#48525c",
    "ytick.labelcolor": "#48525c",
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 4.5,
}


def svg(draw, run):
    """The SVG text of the figure that `draw` makes of the run, or None."""
    import matplotlib

    with matplotlib.rc_context(_STYLE):
        figure = draw(run)
        if figure is None:
            return None
        text = StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


def time_against_channels(run):
    """Time on log axes, and the line that time would follow if it were proportional to the MACs."""
    names = run.names()
    figure, axes = _panels(len(names))
    for axis, name in zip(axes, names, strict=True):
        for threads, colour in zip(run.thread_counts, _COLOURS, strict=False):
            cells = run.series(name, threads)
            if not cells:
                continue
            last = cells[-1]
            per_mac = 1e6 * last.time.median / last.macs
            channels = [cell.channels for cell in cells]
            axis.plot(channels, [per_mac * cell.macs for cell in cells], color=colour, linewidth=1, linestyle=_DASHES)
            ranges = [(1e6 * cell.time.low, 1e6 * cell.time.high) for cell in cells]
            _line(axis, channels, [1e6 * cell.time.median for cell in cells], ranges, colour, team(threads))
        axis.set_title(name)
        axis.set_yscale("log")
        _plain_numbers(axis.yaxis)
        _channel_axis(axis, run.blocks)
    figure.supylabel("time of one call, µs", fontsize="medium")
    return _with_legend(figure, {"proportional to the MACs": _DASHED})


def saving_against_channels(run):
    """How many times as fast as the plain convolution, and how many times fewer MACs."""
    names = _savers(run)
    if not names:
        return None
    figure, axes = _panels(len(names))
    for axis, name in zip(axes, names, strict=True):
        axis.axhline(1, color=_GREY, linewidth=0.8)
        for threads, colour in zip(run.thread_counts, _COLOURS, strict=False):
            cells = run.saving(name, threads)
            channels = [cell.channels for cell in cells]
            axis.plot(channels, [cell.macs_saved for cell in cells], **_DASHED)
            ranges = [cell.time_saved_range for cell in cells]
            _line(axis, channels, [cell.time_saved for cell in cells], ranges, colour, team(threads))
        axis.set_title(name)
        axis.set_yscale("log")
        _plain_numbers(axis.yaxis, "×")
        _channel_axis(axis, run.blocks)
    figure.supylabel("times as fast", fontsize="medium")
    return _with_legend(figure, {"times fewer MACs": _DASHED})


def saved_against_saved(run):
    """MACs saved against time saved, a point for each block and channel count; on the diagonal nothing is lost."""
    names = _savers(run)
    if not names:
        return None
    figure, axes = _panels(len(run.thread_counts), columns=2, height=4)
    cells = [cell for cell in run.blocks if cell.plain]
    most = 1.6 * max(cell.macs_saved for cell in cells)
    for axis, threads in zip(axes, run.thread_counts, strict=True):
        axis.plot((1, most), (1, most), **_DASHED)
        axis.axhline(1, color=_GREY, linewidth=0.8)
        _dots(axis, run, names, threads, lambda cell: (cell.macs_saved, cell.time_saved) if cell.plain else None)
        axis.set(title=team(threads), xlabel="times fewer MACs", xscale="log", yscale="log", xlim=(1, most))
        _plain_numbers(axis.xaxis, "×")
        _plain_numbers(axis.yaxis, "×")
    axes[0].set_ylabel("times as fast")
    return _with_legend(figure, {"time shrinks as MACs do": _DASHED} | _dot_sizes(run))


def speed_against_intensity(run):
    """Effective speed against MACs for each byte of the least memory traffic."""
    cells = [cell for cell in run.blocks if cell.bytes]
    if not cells:
        return None
    figure, axes = _panels(len(run.thread_counts), columns=2, height=3.6)
    for axis, threads in zip(axes, run.thread_counts, strict=True):
        if threads in run.peak:
            axis.axhline(run.peak[threads], **_DASHED)
        _dots(axis, run, run.names(), threads, lambda cell: (cell.intensity, cell.gflops) if cell.bytes else None)
        axis.set(title=team(threads), xlabel="MACs for each byte", xscale="log")
        _plain_numbers(axis.xaxis)
    axes[0].set_ylabel("GFLOP/s")
    axes[0].set_ylim(bottom=0)
    peak = {"most the multiply-add units can do": _DASHED} if run.peak else {}
    return _with_legend(figure, peak | _dot_sizes(run))


def thread_scaling(run):
    """How many times faster the most threads are than the fewest, for every block against channels."""
    teams = run.thread_counts
    if len(teams) < 2:
        return None
    figure, (axis,) = _panels(1, height=3.4)
    for name, colour in _colours(run).items():
        slow = {cell.channels: cell.time.median for cell in run.series(name, teams[0])}
        gains = {
            c.channels: slow[c.channels] / c.time.median for c in run.series(name, teams[-1]) if c.channels in slow
        }
        axis.plot(list(gains), list(gains.values()), color=colour, marker="o", label=name)
    for level, width in ((1, 0.8), (teams[-1] / teams[0], 1)):
        axis.axhline(level, color=_GREY, linewidth=width, linestyle="solid" if level == 1 else _DASHES)
    axis.set_ylim(bottom=0)
    axis.set_ylabel(f"times as fast as with {team(teams[0])}")
    _channel_axis(axis, run.blocks)
    return _with_legend(figure, {"all threads count fully": _DASHED})


def algorithm_times(run):
    """Time of each algorithm on the single convolutions of the suite, and where the choice of "auto" changes."""
    return _algorithms(run, "time of one call, µs", lambda cell: 1e6 * cell.time.median, is_log=True)


def algorithm_speeds(run):
    """The same cells in GFLOP/s."""
    return _algorithms(run, "GFLOP/s", lambda cell: cell.gflops)


def _algorithms(run, label, value, is_log=False):
    """A panel for each single convolution: `value` of its cells against channels, a line for each algorithm."""
    cells = run.single
    if not cells:
        return None
    names = list(dict.fromkeys(cell.name for cell in cells))
    colours = dict(zip(dict.fromkeys(cell.algorithm for cell in cells), _COLOURS, strict=False))
    teams = sorted({cell.threads for cell in cells})
    figure, axes = _panels(len(names), height=3 if len(names) < 4 else 2.5)
    for axis, name in zip(axes, names, strict=True):
        for first, _, _ in run.choices.get(name, ())[1:]:
            axis.axvline(first, color=_GREY, linewidth=0.8)
        for algorithm, colour in colours.items():
            for threads in teams:
                found = [c for c in cells if (c.name, c.algorithm, c.threads) == (name, algorithm, threads)]
                found.sort(key=lambda cell: cell.channels)
                thin = threads != teams[-1]
                halo = algorithm == AUTO  # broad and pale behind the line of the algorithm that it takes
                axis.plot(
                    [cell.channels for cell in found],
                    [value(cell) for cell in found],
                    color=colour,
                    alpha=0.4 if halo else 1,
                    zorder=1 if halo else 2,
                    linewidth=(1 if thin else 1.8) + 3 * halo,
                    linestyle=":" if thin else "solid",
                    marker="o",
                    markersize=2.5 if thin else 4,
                    label=None if thin else algorithm,
                )
        axis.set_title(name)
        if is_log:
            axis.set_yscale("log")
            _plain_numbers(axis.yaxis)
        _channel_axis(axis, cells)
    if not is_log:
        axes[0].set_ylim(bottom=0)
    figure.supylabel(label, fontsize="medium")
    thin = {team(teams[0]): {"color": _GREY, "linewidth": 1, "linestyle": ":"}} if len(teams) > 1 else {}
    return _with_legend(figure, thin | {team(teams[-1]): {"color": _GREY, "linestyle": "solid"}})


def _colours(run):
    """A colour for each block, the same in every figure."""
    return dict(zip(run.names(), _COLOURS, strict=False))


def _savers(run):
    """The blocks that have their plain convolution beside them."""
    return list(dict.fromkeys(cell.name for cell in run.blocks if cell.plain))


def _panels(count, columns=None, height=2.5):
    """A figure and its axes, one a panel, in rows."""
    from matplotlib.figure import Figure

    columns = min(count, columns or (3 if count in (3, 5, 6) else 4))
    rows = -(-count // columns)
    figure = Figure(figsize=(10, height * rows + 0.4), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=True).ravel()
    for axis in axes[count:]:
        axis.set_axis_off()
    for axis in axes[max(0, count - columns) : count]:  # the lowest of each column
        axis.tick_params(labelbottom=True)
    return figure, list(axes[:count])


def _line(axis, x, y, ranges, colour, label):
    """A line with its quartiles as a band."""
    low, high = zip(*ranges, strict=True) if ranges else ((), ())
    axis.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
    axis.plot(x, y, color=colour, marker="o", label=label)


def _channel_axis(axis, cells):
    """The channels of these cells, doubling from tick to tick."""
    channels = sorted({cell.channels for cell in cells})
    axis.set_xscale("log", base=2)
    axis.set_xticks(channels, map(str, channels))
    axis.set_xticks([], minor=True)
    if axis.get_subplotspec().is_last_row():
        axis.set_xlabel("channels")


def _dots(axis, run, names, threads, place):
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


def _sizes(run):
    """{channels: area of a dot}."""
    return {channels: 14 + 10 * i for i, channels in enumerate(sorted({cell.channels for cell in run.blocks}))}


def _dot_sizes(run):
    """The dots of the fewest and the most channels for a legend: labels beside them would cover each other."""
    sizes, dot = _sizes(run), {"color": _GREY, "marker": "o", "linestyle": "none"}
    return {f"{c} channels": dot | {"markersize": sizes[c] ** 0.5} for c in (min(sizes), max(sizes))}


def _plain_numbers(axis, unit=""):
    """Ticks 1, 2, 5, 10, … or, over many decades, 1, 10, 100, … on a log axis, without exponents."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 300 * low else (1,)))
    axis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:,.0f}{unit}" if value >= 1 else f"{value:g}{unit}")
    )
    axis.set_minor_formatter(NullFormatter())


def _with_legend(figure, extra):
    """The figure with one legend above it: every label once, then the lines of `extra`, {label: properties}."""
    from matplotlib.lines import Line2D

    handles = {}
    for axis in figure.axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    handles |= {label: Line2D([], [], **properties) for label, properties in extra.items()}
    figure.legend(handles.values(), handles, loc="outside upper left", ncols=5, fontsize="small")
    return figure
