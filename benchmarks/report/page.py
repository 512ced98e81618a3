"""The page: one HTML file with everything in it, styles, figures and tables; it loads nothing."""

from base64 import b64encode
from collections.abc import Callable
from importlib.resources import files

from benchmarks.report import panels, plots, summaries, tables, text, words
from benchmarks.report.panels import Draw
from benchmarks.report.records import Run

FIGURES = (
    (
        plots.times_against_channels,
        "Time against channels",
        "Time of one call on log axes, median and quartiles (band). Dashed: the time if it followed the number of "
        "multiply-accumulates (MACs) down from the most channels. Where the line leaves the dashes, a MAC takes "
        "longer.",
    ),
    (
        plots.saved_against_saved,
        "Operations saved against time saved",
        "Each block against the plain convolution of the same kernel and channels; a dot for each channel count, "
        "larger for more. On the dashed diagonal the time shrinks as the operations do; under the line at 1× the block "
        "is slower than what it replaces.",
    ),
    (
        plots.saving_against_channels,
        "At which channel counts the saving is real",
        "How many times as fast as the plain convolution a block is (solid; the band spans the quartiles of both) and "
        "how many times fewer MACs it needs (dashed).",
    ),
    (
        plots.speed_against_intensity,
        "Speed against MACs for each byte",
        "Bytes are those that must move at least: input, weights and output once. A dot for each channel count, larger "
        "for more. What lies above the dashed line needs fewer multiplications than MACs.",
    ),
    (plots.thread_scaling, "Threads", "How many times as fast the blocks are with all threads as with the fewest."),
    (
        plots.algorithm_times,
        "Time against channels, by algorithm",
        lambda run: (
            f"Median time of one call of single convolutions of c channels with {text.team(run.thread_counts[0])}. "
            "Upright: where the rule of auto changes its choice. numpy.matmul is the same matrix product without bias "
            "and activation."
        ),
    ),
    (
        plots.algorithm_speeds,
        "Speed by algorithm",
        "The same calls in GFLOP/s, each panel on its own scale. Dashed: what the multiply-add units can do.",
    ),
)


def render(run: Run) -> str:
    """The page as text."""
    from jinja2 import Environment

    template = Environment(autoescape=True).from_string(files(__package__).joinpath("template.html").read_text("utf-8"))
    return template.render(
        where=words.where(run),
        warnings=words.warnings(run),
        answer=summaries.answer_table(run),
        slower=text.SLOWER,
        blocks_input=run.facts.get("blocks_input"),
        summaries=summaries.all_summaries(run),
        figures=filter(None, (_figure(run, *figure) for figure in FIGURES)),
        tables=tables.all_tables(run),
        facts=words.measured_on(run),
    )


def _figure(run: Run, draw: Draw, title: str, caption: str | Callable[[Run], str]) -> dict[str, str] | None:
    """Title, caption, and the drawing for wide and narrow pages as data URIs: the identifiers in an SVG are its own."""
    wide, narrow = (panels.svg(draw, run, width) for width in (panels.WIDE, panels.NARROW))
    if not (wide and narrow):
        return None
    said = caption if isinstance(caption, str) else caption(run)
    return {"title": title, "caption": said, "wide": _data_uri(wide), "narrow": _data_uri(narrow)}


def _data_uri(svg: str) -> str:
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"
