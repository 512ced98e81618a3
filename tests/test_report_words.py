"""The sentences of the report: they say what the figures do, and no more."""

import re
from dataclasses import replace
from itertools import product

import pytest

pytest.importorskip("asv.results")

from asv_run import CHANNELS, MACS, SPEEDS, THREADS, cell_of, store

from fastconv.report import data, findings, tables, words


@pytest.fixture
def run(tmp_path):
    return data.load(store(tmp_path))


def said(run, heading):
    return next((finding.text for finding in findings.all_findings(run) if finding.heading == heading), None)


def test_warnings(tmp_path):
    assert words.warnings(data.load(store(tmp_path / "steady"))) == []
    changed = data.load(store(tmp_path / "changed", facts={"source": "commit 0123 with uncommitted changes"}))
    assert any("uncommitted" in text for text in words.warnings(changed))


def test_steadiness_is_judged_by_threads(tmp_path):
    every = set(product(CHANNELS, THREADS, MACS))
    all_unsteady = data.load(store(tmp_path / "all", unsteady=every))
    assert len(words.warnings(all_unsteady)) == len(THREADS)
    assert words.answer(all_unsteady).text.startswith("At 256 channels, too unsteady to tell: MACs ÷ ")
    some = [(16, 2, "fire/8 3×3"), (64, 2, "fire/8 3×3"), (64, 2, "plain 3×3")]
    run = data.load(store(tmp_path / "some", unsteady=some))
    (warning,) = words.warnings(run)
    assert "in 3 of the 9 timings of blocks with 2 threads the quartiles lie more than 25%" in warning
    assert words.answer(run).doubt == "Unsteady behind this: 1 of the 6 timings with 2 threads."  # the ends' cells
    steady = said(run, "How steady the machine was")
    assert re.search(r"2% in the worst \(.*3×3, \d+ channels.*\) with 1 thread; .* 60% .* with 2 threads", steady)
    assert "Above 25% a cell is unsteady." in steady


def test_single_convolutions_count_for_steadiness_but_numpy_does_not(tmp_path):
    unsteady = [(c, 2, "3×3", algorithm) for c, algorithm in product(CHANNELS, SPEEDS)]
    run = data.load(store(tmp_path, unsteady=unsteady))
    (warning,) = words.warnings(run)
    assert "in 9 of the 15 timings of single convolutions with 2 threads" in warning
    assert words.block_warnings(run) == []
    assert words.answer(run).doubt is None  # which is of blocks alone
    shaky = [
        replace(c, time=replace(c.time, high=2 * c.time.median)) if c.algorithm == data.NUMPY else c
        for c in run.pointwise
    ]
    assert words.warnings(replace(run, pointwise=shaky, spatial=[])) == []


def test_findings_say_how_many_of_their_timings_were_unsteady(tmp_path):
    unsteady = [(16, 2, "fire/8 3×3"), (64, 1, "plain 3×3"), (256, 1, "3×3", "winograd"), (64, 1, "3×3", "direct")]
    run = data.load(store(tmp_path, unsteady=unsteady))
    doubts = {finding.heading: finding.doubt for finding in findings.all_findings(run)}
    assert doubts["fire/8 3×3"] == (
        "Unsteady behind this: 1 of the 6 timings with 1 thread and 1 of the 6 timings with 2 threads."
    )
    assert doubts["reduced/4 3×3"] == "Unsteady behind this: 1 of the 6 timings with 1 thread."
    assert doubts["Threads"] == "Unsteady behind this: 1 of the 6 timings with 2 threads."
    assert doubts["The fastest algorithm"] == "Unsteady behind this: 2 of the 12 timings with 1 thread."
    assert doubts["The 1×1 itself"] is None
    # Of 64 channels the unsteady one is neither taken nor the fastest.
    assert "in 9 of 11 steady cells, of 12 in all; at worst" in said(run, "The fastest algorithm")


def test_a_limit_of_many_threads_below_that_of_one_is_a_warning(run):
    assert words.warnings(run) == []
    (warning,) = words.warnings(replace(run, peak={1: 55, 2: 50}))
    assert "the limit of 2 threads was measured as 50.0 GFLOP/s, less than the 55.0 of one" in warning


@pytest.mark.parametrize(
    ("blas", "isa", "is_narrow"),
    [
        ("openblas 0.3.30 (Haswell)", "avx512", True),
        ("openblas 0.3.30 (Haswell)", "avx2", False),
        ("openblas 0.3.30 (SkylakeX)", "avx512", False),
        ("openblas 0.3.30 (Nehalem)", "avx2", True),
        ("openblas 0.3.30 (Nehalem)", "scalar", False),
        ("blis 1.0 (zen2)", "avx512", True),
        ("mkl 2024.0 (None)", "avx512", False),
        ("unknown", "avx512", False),
    ],
)
def test_a_blas_with_narrower_vectors_is_a_warning(run, blas, isa, is_narrow):
    facts = {"blas": blas, "isa": isa}
    assert any("narrower" in text for text in words.warnings(replace(run, facts=facts))) == is_narrow
    asked = words.warnings(replace(run, facts=facts | {"OPENBLAS_CORETYPE": "Haswell"}))
    assert any("OPENBLAS_CORETYPE=Haswell" in text for text in asked) == is_narrow


def test_the_limit_is_held_against_direct_convolution(run):
    def limit(run, peak):
        return said(replace(run, peak={1: peak}), "The machine's limit")

    best = max(cell.gflops for cell in run.pointwise + run.spatial if cell.algorithm == "direct")
    assert "Direct convolution reaches 50% of it with 1 thread (1×1 c→c, 16 channels)." in limit(run, 2 * best)
    assert "Winograd" not in limit(run, 2 * best)
    assert "More than 105%: the limit was measured at a lower clock, or beside other work." in limit(run, best / 2)
    padded = [replace(c, algorithm="direct", time=replace(c.time, median=c.time.median / 9)) for c in run.spatial]
    best_padded = max(cell.gflops for cell in padded)
    text = limit(replace(run, spatial=padded), best_padded / 1.1)
    assert "reaches 110% of it" in text
    assert "Its operations are nominal: products with padding are left out" in text
    assert "clock" not in text
    faster = [replace(c, time=replace(c.time, median=c.time.median / 9)) for c in run.spatial if c.algorithm == "auto"]
    text = limit(replace(run, spatial=[c for c in faster if c.channels > 30]), 2 * best)  # from 31 on it is Winograd
    assert "reaches 50% of it" in text
    assert text.count("Winograd multiplies less than its MACs say: its nominal rate reaches") == 1
    assert "clock" not in text


def test_words_follow_the_figures(run):
    last = [cell_of(run, name, 256, 1).kept for name in ("reduced/4 3×3", "fire/8 3×3")]
    assert f"with 1 thread ({100 * (last[0] * last[1]) ** 0.5:.0f}% of the factor)" in words.answer(run).text
    fire = said(run, "fire/8 3×3")
    assert fire.startswith("12.0× fewer multiply-accumulates than the plain 3×3")
    assert f"it is {tables.times(cell_of(run, 'fire/8 3×3', 256, 1).time_saved)} as fast with 1 thread (" in fire
    assert "Slower" not in fire


@pytest.mark.parametrize(
    ("speeds", "text"),
    [
        ((0.5, 0.8), "no: with 1 thread 2 of 2 blocks are slower than the plain convolution."),
        ((0.5, 8), "no: with 1 thread 1 of 2 blocks are slower than the plain convolution."),
        ((3.6, 12), "yes: MACs ÷ 6.6, time ÷ 6.6 with 1 thread (100% of the factor), in the geometric mean"),
        ((2.4, 8), "mostly: MACs ÷ 6.6, time ÷ 4.4 with 1 thread (67% of the factor)"),
        ((1.2, 4), "partly: MACs ÷ 6.6, time ÷ 2.2 with 1 thread (33% of the factor)"),
        ((1.2, 1.2), "hardly: MACs ÷ 6.6, time ÷ 1.2 with 1 thread (18% of the factor)"),
    ],
)
def test_the_answer_follows_the_figures(run, speeds, text):
    """The blocks of 3.6 and of 12 times fewer MACs, so many times as fast."""
    blocks = []
    for name, speed in zip(("reduced/4 3×3", "fire/8 3×3"), speeds, strict=True):
        cell = cell_of(run, name, 256, 1)
        blocks.append(replace(cell, time=data.Timing(*[cell.plain.time.median / speed] * 3)))
    assert words.answer(replace(run, blocks=blocks)).text.startswith(f"At 256 channels, {text}")


@pytest.mark.parametrize(
    ("speeds", "text"),
    [
        ({16: 2, 64: 11, 256: 12}, "At least 80% of the saving is kept from 64 channels on with 1 thread."),
        ({16: 2, 64: 3, 256: 12}, "At least 80% of the saving is kept at 256 channels with 1 thread."),
        ({16: 12, 64: 3, 256: 12}, "At least 80% of the saving is kept at 16 and 256 channels with 1 thread."),
        ({16: 10, 64: 11, 256: 12}, "At least 80% of the saving is kept at every channel count with 1 thread."),
        ({16: 2, 64: 6, 256: 3}, "No channel count keeps 80% of the saving with 1 thread (at most 50%, at 64"),
    ],
)
def test_where_the_saving_is_kept(run, speeds, text):
    """The Fire block has 12 times fewer MACs."""
    cells = run.saving("fire/8 3×3", 1)
    medians = {cell.channels: cell.plain.time.median / speeds[cell.channels] for cell in cells}
    blocks = [replace(cell, time=replace(cell.time, median=medians[cell.channels])) for cell in cells]
    assert f" {text}" in said(replace(run, blocks=blocks), "fire/8 3×3")


def test_words_say_where_the_choice_changes_and_what_it_loses(run):
    choices, fastest = said(run, "What auto takes"), said(run, "The fastest algorithm")
    assert "3×3: direct up to 30 and winograd F(4×4, 3×3) from 31 channels on." in choices
    assert "1×1 c→c: direct at every channel count." in choices
    assert "1×1 c→c: blas at every channel count. 3×3: winograd at every channel count." in fastest
    slow = [replace(c, threads=3, time=data.Timing(*[9] * 3)) for c in run.spatial if c.algorithm == "winograd"]
    slow += [replace(c, threads=3) for c in run.spatial if c.algorithm == "direct" and c.threads == 1]
    both = said(replace(run, pointwise=[], spatial=run.spatial + slow), "The fastest algorithm")
    assert "3×3 with 1 thread and 2 threads: winograd at every channel count. 3×3 with 3 threads: direct at" in both
    assert "at worst it takes 2.00× as long (3×3, 16 channels, 2 threads)" in fastest
    assert "in 10 of 12 cells" in fastest
    assert said(replace(run, facts={}), "What auto takes") is None
