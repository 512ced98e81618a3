"""What the figures are made of: panels side by side or below each other, their axes, and one legend above them."""

from collections.abc import Callable, Sequence
from io import StringIO
from typing import TYPE_CHECKING, Any

from benchmarks.report.records import Cell, Run

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.figure import Figure

Draw = Callable[[Run, float], "Figure | None"]

COLOURS = ("#0b6fb8", "#d1495b", "#2a8a5f", "#c08a00", "#7a52a8", "#00868b", "#8c4a1f", "#5b6770")
GREY = "#66717d"
DASHES = (0, (4, 3))
# What the operations alone would give, or a limit.
DASHED: dict[str, Any] = {"color": GREY, "linewidth": 1, "linestyle": DASHES}
WIDE, NARROW = 10, 5  # inches: a page on a desk, and on a telephone, where fewer panels stand side by side
_MAX_TICKS = 6  # of channels under a panel
_STYLE: dict[Any, object] = {
    "svg.fonttype": "path",  # the same everywhere, whatever fonts the reader has
    "svg.hashsalt": "fastconv",
    "text.parse_math": False,  # names come from a file
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


def svg(draw: "Draw", run: Run, width: float = WIDE) -> str | None:
    """The SVG text of the figure that `draw` makes of the run at this width, or None."""
    import matplotlib

    with matplotlib.rc_context(_STYLE):
        figure = draw(run, width)
        if figure is None:
            return None
        text = StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None})
    return text.getvalue()


def panels(
    width: float, count: int, columns: int | None = None, height: float = 2.5, share_y: bool = True
) -> "tuple[Figure, list[Axes]]":
    """A figure and its axes, one a panel, in rows; `columns` is for a wide one."""
    from matplotlib.figure import Figure

    columns = min(count, columns or (3 if count in (3, 5, 6) else 4))
    if width != WIDE:
        columns = 1 if count % 2 or columns < 3 else 2
    rows = -(-count // columns)
    figure = Figure(figsize=(width, height * rows + 0.4), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False, sharex=True, sharey=share_y).ravel()
    for axis in axes[count:]:
        axis.set_axis_off()
    for axis in axes[:count]:
        if count < len(axes) or axis.get_subplotspec().is_last_row():  # beside a hole all have ticks, to be as tall
            axis.tick_params(labelbottom=True)
    return figure, list(axes[:count])


def label_rows(axes: "Sequence[Axes]", label: str) -> None:
    """A label for the vertical axis of every row of panels."""
    for axis in axes:
        if (place := axis.get_subplotspec()) and place.is_first_col():
            axis.set_ylabel(label)


def line(
    axis: "Axes", x: list[int], y: list[float], ranges: list[tuple[float, float]], colour: str, label: str
) -> None:
    """A line with its quartiles as a band."""
    low, high = zip(*ranges, strict=True) if ranges else ((), ())
    axis.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
    axis.plot(x, y, color=colour, marker="o", label=label)


def channel_axis(axis: "Axes", cells: list[Cell]) -> None:
    """The channels of these cells, doubling from one to the next; of many every second or third has a tick."""
    channels = sorted({cell.channels for cell in cells})
    step = -(-len(channels) // _MAX_TICKS)
    shown = channels[::-1][::step]
    axis.set_xscale("log", base=2)
    axis.set_xticks(shown, map(str, shown))
    axis.set_xticks([], minor=True)
    if axis.xaxis.get_tick_params()["labelbottom"]:
        axis.set_xlabel("channels")


def plain_numbers(axis: "Axis", unit: str = "") -> None:
    """Ticks 1, 2, 5, 10, … or, over many decades, 1, 10, 100, … on a log axis, without exponents."""
    from matplotlib.ticker import LogLocator, NullFormatter

    low, high = axis.get_view_interval()
    axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 300 * low else (1,)))
    grouped_numbers(axis, unit)
    axis.set_minor_formatter(NullFormatter())


def grouped_numbers(axis: "Axis", unit: str = "") -> None:
    """Ticks as the tables write numbers: 1,000, and 0.5."""
    from matplotlib.ticker import FuncFormatter

    axis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:,.0f}{unit}" if value >= 1 else f"{value:g}{unit}")
    )


def with_legend(figure: "Figure", extra: dict[str, Any]) -> "Figure":
    """The figure with one legend above it: every label once, then the lines of `extra`, {label: properties}.

    Where properties are several, their lines stand side by side before one label.
    """
    from matplotlib.legend_handler import HandlerTuple
    from matplotlib.lines import Line2D

    handles: dict[str, Any] = {}
    for axis in figure.axes:
        for handle, label in zip(*axis.get_legend_handles_labels(), strict=True):
            handles.setdefault(label, handle)
    for label, properties in extra.items():
        several = properties if isinstance(properties, tuple) else (properties,)
        handles[label] = tuple(Line2D([], [], **each) for each in several)
    columns = 5 if figure.get_figwidth() == WIDE else 2
    labels = [label for i in range(columns) for label in list(handles)[i::columns]]  # matplotlib fills columns
    figure.legend(
        [handles[label] for label in labels],
        labels,
        loc="outside upper left",
        ncols=columns,
        fontsize=8,
        handler_map={tuple: HandlerTuple(ndivide=None)},
    )
    return figure
