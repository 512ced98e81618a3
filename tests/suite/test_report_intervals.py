"""What the report calls a difference: what lies beyond the quartiles, and beyond other timings of the same call."""

from dataclasses import replace

import pytest

pytest.importorskip("asv.results")

from asv_run import MACS, cell_of, row, store

from benchmarks.report import data, summaries, tables, words


@pytest.fixture
def run(tmp_path):
    return data.load(store(tmp_path))


def test_slower_is_what_the_quartiles_say(run):
    """0.998 times as fast is no loss where half of the samples span 2 %."""

    def shown(speed, width):
        (cell,) = (c for c in run.series("fire/8 3×3", 1) if c.channels == 256)
        median = cell.plain.time.median / speed
        cell = replace(cell, time=data.Timing(median, median * (1 - width), median * (1 + width)))
        found = replace(run, blocks=[cell, cell.plain])
        (cells,) = (cells for cells in tables.blocks_table(found).rows if cells[0] == cell.name)
        (answered,) = summaries.answer_table(found).rows
        return cells[3], summaries.savings_table(found).rows[0][-1], answered[-1]

    for speed, width, *expected in (
        (0.998, 0.01, "0.998×", "none", "0/1"),
        (1.002, 0.01, "1.00×", "none", "0/1"),
        (0.9, 0.01, "slower 0.900×", "none", "1/1"),
        (1.1, 0.01, "1.10×", "all", "0/1"),
        (0.9, 0.2, "~0.900×", "none", "0/1"),
    ):
        assert list(shown(speed, width)) == expected


def contradicting(run, factor, width=0.01):
    """The run with the 3×3 of 64 channels and two threads timed again, `factor` times as slow as in the block."""
    plain = cell_of(run, "plain 3×3", 64, 2)
    median = factor * plain.time.median
    again = data.Timing(median, median * (1 - width), median * (1 + width))
    spatial = [
        replace(c, time=again) if (c.channels, c.threads, c.algorithm) == (64, 2, "auto") else c for c in run.spatial
    ]
    clear = [replace(c, time=replace(c.time, repeats=())) for c in run.blocks]
    return data._linked(replace(run, blocks=clear, spatial=spatial))


def test_timings_of_one_call_are_compared(run):
    """The same call 42.5 µs in one benchmark and 58.9 in another, both steady by themselves."""
    assert words.warnings(run) == []

    def repeated(run):
        found = row(summaries.steadiness_table(run), "2")
        return [found["repeated", heading] for heading in ("overlap", "apart", "cell")]

    where = "plain 3×3, 64 channels"
    assert repeated(run)[:2] == ["3/3", "0%"]
    odd = contradicting(run, 58.9 / 42.5)
    warning, busy = words.block_warnings(odd)
    assert busy.startswith("The machine was busy or unsteady: 1 of the 9 timings of blocks with 2 threads")
    assert warning == (
        "Of 6 calls that were timed more than once, 1 took different times, and bear a ~: differences of up to 1.39× "
        f"may be the machine's ({where}, 2 threads)."
    )
    assert words.warnings(odd)[0] == warning
    marked = [cells[:2] for cells in tables.blocks_table(odd).rows if any("~" in cell for cell in cells)]
    assert marked == [[name, "64"] for name in MACS]
    assert repeated(odd) == ["2/3", "39%", where]
    assert words.warnings(contradicting(run, 1.1)) == []
    assert repeated(contradicting(run, 1.1)) == ["2/3", "10%", where]
    assert repeated(contradicting(run, 1.1, 0.2))[0] == "3/3"


def test_a_difference_within_that_of_two_timings_of_a_call_is_none(run):
    """Fire 1.2 times as slow as the plain 3×3, which took 1.39 times as long a second time."""
    plain = cell_of(run, "plain 3×3", 64, 2)
    blocks = [
        replace(c, time=data.Timing(*[1.2 * plain.time.median] * 3))
        if (c.name, c.channels, c.threads) == ("fire/8 3×3", 64, 2)
        else c
        for c in run.blocks
    ]
    slow = replace(run, blocks=blocks)
    assert cell_of(slow, "fire/8 3×3", 64, 2).is_slower
    assert not cell_of(contradicting(slow, 1.39), "fire/8 3×3", 64, 2).is_slower
