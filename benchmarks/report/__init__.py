"""The report: asv's results as a summary in the terminal and one self-contained page.

asv takes what is called time_…, track_… or the like anywhere under benchmarks/ for a benchmark: nothing is, here.

    files.py      asv's result files as checked values
    data.py       these values as records       records.py    timings, cells, runs
    text.py       numbers as text               tables.py     records as rows of text
    summaries.py  tables of what follows        words.py      where and when; warnings
    plots.py      records as figures            panels.py     panels, axes and legends of figures
    page.py       all of it as one HTML file    terminal.py   tables in the terminal

Needs the extra `bench`.
"""

from pathlib import Path

from benchmarks.report import data, page, panels, plots, summaries, tables, terminal, words


def make(
    results: str | Path,
    output: str | Path,
    machine: str | None = None,
    commit: str | None = None,
    figure: str | Path | None = None,
) -> None:
    """Print the summary of the latest asv result, and write its page and, to `figure`, the first figure of that.

    Parameters
    ----------
    results : path
        asv's folder of results.
    output : path
        The HTML file to write.
    machine, commit : str, optional
        Only results of this machine, of commits that start so.
    figure : path, optional
        The SVG file to write: time against channels.

    Raises
    ------
    FileNotFoundError
        If there is no such result.
    """
    run = data.load(results, machine, commit)
    terminal.show(tables.blocks_table(run))
    print()
    terminal.show(summaries.answer_table(run))
    terminal.say("", *(f"Warning: {warning}" for warning in words.block_warnings(run)))
    if figure is not None:
        _write("Figure", Path(figure), panels.svg(plots.times_against_channels, run) or "")
    _write("Report", Path(output), page.render(run))


def _write(what: str, file: Path, text: str) -> None:
    """Write a file and print where it is."""
    file.parent.mkdir(parents=True, exist_ok=True)
    try:
        file.write_text(text, encoding="utf-8")
    except OSError as error:  # that of a full disk does not name the file
        raise OSError(error.errno, error.strerror, str(file)) from None
    print(f"{what}: {file.resolve()}")
