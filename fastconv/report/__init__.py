"""The report: asv's results as a summary in the terminal and one self-contained page.

    data.py       asv's results as plain records
    tables.py     records as rows of text          words.py      the answer and the warnings
                                                   findings.py   the statements beside them
    plots.py      records as figures               page.py       all of it as one HTML file
    terminal.py   tables in the terminal

Needs the extra `bench`.
"""

from pathlib import Path

from fastconv.report import data, page, tables, terminal, words


def make(results, output, machine=None, commit=None):
    """Print the summary of the latest asv result and write its page.

    Parameters
    ----------
    results : path
        asv's folder of results.
    output : path
        The HTML file to write.
    machine, commit : str, optional
        Only results of this machine, of commits that start so.

    Raises
    ------
    FileNotFoundError
        If there is no such result.
    """
    run = data.load(results, machine, commit)
    terminal.show(tables.blocks_table(run).without("GFLOP/s"))
    if answer := words.answer(run):
        terminal.say("", answer.heading, answer.text, *filter(None, [answer.doubt]))
    terminal.say("", *(f"Warning: {warning}" for warning in words.block_warnings(run)))
    output = Path(output)
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(page.render(run), encoding="utf-8")
    print(f"Report: {output.resolve()}")
