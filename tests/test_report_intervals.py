"""What the report calls a difference: what lies beyond the quartiles, and beyond other timings of the same call."""

import re
from dataclasses import replace

import pytest

pytest.importorskip("asv.results")

from asv_run import MACS, cell_of, said, store

from benchmarks.report import answer, data, tables, words


@pytest.fixture
def run(tmp_path):
    return data.load(store(tmp_path))


def test_threads_change_what_is_saved_only_where_the_quartiles_say_so(run):
    """With two threads the blocks are twice as fast, as the plain convolution at 256 channels and hardly less at 16."""

    def with_bands(width):
        blocks = []
        for cell in run.blocks:
            median = cell.time.median / (2 if cell.threads == 2 and cell.plain else 1)
            blocks.append(
                replace(cell, plain=None, time=data.Timing(median, median * (1 - width), median * (1 + width)))
            )
        return said(replace(run, blocks=data._with_plain(blocks)), "On how many cores?")

    undecided = "Whether less of the saving is left with 2 threads, the quartiles do not decide"
    assert with_bands(0.001).endswith(
        "More of the saving is left with 2 threads up to 64 channels. " + undecided + " at 256 channels."
    )
    assert with_bands(0.3).endswith(f". {undecided} at every channel count.")
    assert "less of the saving is left with" not in with_bands(0.3).partition("Whether")[0]


def test_slower_is_what_the_quartiles_say(run):
    """0.998 times as fast is no loss where half of the samples span 2 %."""

    def shown(speed, width):
        (cell,) = (c for c in run.series("fire/8 3×3", 1) if c.channels == 256)
        median = cell.plain.time.median / speed
        cell = replace(cell, time=data.Timing(median, median * (1 - width), median * (1 + width)))
        found = replace(run, blocks=[cell, cell.plain])
        (row,) = (row for row in tables.blocks_table(found).rows if row[0] == cell.name)
        faster = tables.savings_table(found).rows[0][-1]
        answered = said(found, "At which channel counts?")
        return row[3], faster, "at no channel count" not in answered, answer.answer(found).text

    for speed, width, text, faster, is_faster in (
        (0.998, 0.01, "0.998×", "none", False),
        (1.002, 0.01, "1.00×", "none", False),
        (0.9, 0.01, "slower 0.900×", "none", False),
        (1.1, 0.01, "1.10×", "all", True),
        (0.9, 0.2, "0.900×", "none", False),
    ):
        found = shown(speed, width)
        assert found[:3] == (text if width < 0.2 else f"~{text}", faster, is_faster)
        if width < 0.2:
            assert ("slower" in found[3]) == text.startswith("slower")


def contradicting(run, factor, width=0.01):
    """The run with the 3×3 of 64 channels and two threads timed again, so many times as slow as in the block."""
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
    assert said(run, "How steady the machine was").endswith(
        " Of 6 calls that were timed more than once, in two benchmarks or as auto and by name, the medians lie at most "
        "0% apart (plain 3×3, 16 channels, 1 thread), and the quartiles overlap."
    )
    odd = contradicting(run, 58.9 / 42.5)
    warning, busy = words.block_warnings(odd)
    assert busy.startswith("The machine was busy or unsteady: in 1 of the 9 timings of blocks with 2 threads")
    assert warning.startswith("Of 6 calls that were timed more than once")
    assert re.search(
        r"1 took different times, .*: at worst \S+ µs as plain 3×3, auto, and \S+ µs as 3×3, auto", warning
    )
    assert "(64 channels, 2 threads). So differences of up to 1.39× may be the machine's." in warning
    assert words.warnings(odd)[0] == warning
    marked = [row[:2] for row in tables.blocks_table(odd).rows if any("~" in cell for cell in row)]
    assert marked == [[name, "64"] for name in MACS]
    assert said(odd, "How steady the machine was").endswith(
        "lie at most 39% apart (plain 3×3, 64 channels, 2 threads); of 1 the quartiles do not overlap."
    )
    assert words.warnings(contradicting(run, 1.1)) == []
    assert "10% apart (plain 3×3, 64 channels, 2 threads); of 1 the quartiles" in said(
        contradicting(run, 1.1), "How steady the machine was"
    )
    assert ", and the quartiles overlap." in said(contradicting(run, 1.1, 0.2), "How steady the machine was")


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
