"""The sentences of the report: they say what the figures do, and no more."""

import re
from dataclasses import replace
from itertools import product

import pytest

pytest.importorskip("asv.results")

from asv_run import CHANNELS, MACS, SPEEDS, THREADS, cell_of, said, seconds, store

from benchmarks.report import answer, data, findings, records, tables, words


@pytest.fixture
def run(tmp_path):
    return data.load(store(tmp_path))


def test_warnings(tmp_path):
    assert words.warnings(data.load(store(tmp_path / "steady"))) == []
    changed = data.load(store(tmp_path / "changed", facts={"source": "commit 0123 with uncommitted changes"}))
    assert any("uncommitted" in text for text in words.warnings(changed))
    unknown = data.load(store(tmp_path / "unknown", facts={"source": "unknown: not of this checkout"}))
    assert any("unknown which commit" in text for text in words.warnings(unknown))


def test_steadiness_is_judged_by_threads(tmp_path):
    every = set(product(CHANNELS, THREADS, MACS))
    all_unsteady = data.load(store(tmp_path / "all", unsteady=every))
    assert len(words.warnings(all_unsteady)) == len(THREADS)
    assert answer.answer(all_unsteady).text.startswith("At 256 channels, too unsteady to tell: 6.6 times fewer ")
    some = [(16, 2, "fire/8 3×3"), (64, 2, "fire/8 3×3"), (64, 2, "plain 3×3")]
    run = data.load(store(tmp_path / "some", unsteady=some))
    (warning,) = words.warnings(run)
    assert "in 3 of the 9 timings of blocks with 2 threads the quartiles, or the medians of" in warning
    assert answer.answer(run).doubt == "Unsteady behind this: 1 of the 6 timings with 2 threads."  # the ends' cells
    assert answer.doubt(run) == "Unsteady behind this: 3 of the 9 timings with 2 threads."
    steady = said(run, "How steady the machine was")
    assert re.search(r"2% in the worst \(.*3×3, \d+ channels.*\) with 1 thread; .* 60% .* with 2 threads", steady)
    assert "Above 25% a cell is unsteady." in steady


def test_single_convolutions_count_for_steadiness_but_numpy_does_not(tmp_path):
    unsteady = [(c, 2, "3×3", algorithm) for c, algorithm in product(CHANNELS, SPEEDS)]
    run = data.load(store(tmp_path, unsteady=unsteady))
    (warning,) = words.warnings(run)
    assert "in 9 of the 15 timings of single convolutions with 2 threads" in warning
    assert words.block_warnings(run) == []
    assert answer.doubt(run) is None  # which is of blocks alone
    shaky = [
        replace(c, time=replace(c.time, high=2 * c.time.median)) if c.algorithm == records.NUMPY else c
        for c in run.pointwise
    ]
    assert words.warnings(replace(run, pointwise=shaky, spatial=[])) == []


def test_findings_say_how_many_of_their_timings_were_unsteady(tmp_path):
    unsteady = [(16, 2, "fire/8 3×3"), (64, 1, "plain 3×3"), (256, 1, "3×3", "winograd"), (64, 1, "3×3", "direct")]
    run = data.load(store(tmp_path, unsteady=unsteady))
    doubts = {finding.heading: finding.doubt for finding in findings.all_findings(run)}
    assert doubts["What each block saves"] == (
        "Unsteady behind this: 2 of the 12 timings with 1 thread and 1 of the 12 timings with 2 threads."
    )
    assert doubts["The choice of algorithm"] == "Unsteady behind this: 2 of the 12 timings with 1 thread."
    assert doubts["The 1×1 itself"] is None
    # Of 64 channels the unsteady one is neither taken nor the fastest.
    assert "in 9 of 11 steady cells, of 12 in all; at worst" in said(run, "The choice of algorithm")


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
def test_a_blas_with_narrower_vectors_is_told(run, blas, isa, is_narrow):
    """It stands with the figures that it concerns, and not among the warnings."""
    facts = {"blas": blas, "isa": isa}
    narrow = replace(run, facts=facts)
    assert words.warnings(narrow) == []
    for made in (tables.algorithms_table(narrow), tables.pointwise_table(narrow)):
        assert ("narrower" in made.note) == is_narrow
    asked = words.narrow_blas(facts | {"OPENBLAS_CORETYPE": "Haswell"})
    assert ("OPENBLAS_CORETYPE=Haswell was set." in asked) == is_narrow


def test_the_limit_is_held_against_direct_convolution(run):
    def limit(run, peak):
        return said(replace(run, peak={1: peak}), "The machine's limit")

    best = max(cell.gflops for cell in run.pointwise + run.spatial if cell.algorithm == "direct")
    assert "Direct convolution reaches 50% of it with 1 thread (1×1 c→c, 16 channels)." in limit(run, 2 * best)
    assert "Winograd reaches" not in limit(run, 2 * best)
    assert limit(run, 2 * best).count("two FLOP for every MAC") == 1
    assert "More than 105%: the limit was measured at a lower clock, or beside other work." in limit(run, best / 2)
    padded = [replace(c, algorithm="direct", time=replace(c.time, median=c.time.median / 9)) for c in run.spatial]
    best_padded = max(cell.gflops for cell in padded if cell.threads == 1)
    padded_limit = limit(replace(run, spatial=padded, pointwise=[]), best_padded / 1.1)
    assert "reaches 110% of it" in padded_limit
    assert "clock" not in padded_limit
    faster = [
        replace(c, time=replace(c.time, median=c.time.median / 900)) for c in run.spatial if c.algorithm == "auto"
    ]
    passed = limit(replace(run, spatial=[c for c in faster if c.channels > 30]), 2 * best)  # from 31 on it is Winograd
    assert "reaches 50% of it" in passed
    assert passed.count("Winograd reaches") == 1
    assert "clock" not in passed


def test_words_follow_the_figures(run):
    fast = [cell_of(run, name, 256, 1).time_saved for name in ("reduced/4 3×3", "fire/8 3×3")]
    assert f"blocks on average {(fast[0] * fast[1]) ** 0.5:.1f} times as fast with 1 thread" in answer.answer(run).text
    cores = said(run, "On how many cores?")
    gains = [seconds(c, 1, "plain 3×3") / seconds(c, 2, "plain 3×3") for c in CHANNELS]
    assert cores.startswith(
        f"2 threads make the plain convolutions {gains[0]:.2f} times as fast at 16 channels and the blocks "
        f"1.00 times; at 256 channels {gains[-1]:.2f} and 1.00 times. "
    )
    assert "less of the saving is left with 2 threads at every channel count" in cores


def test_a_plain_convolution_counts_once_however_many_blocks_replace_it(run):
    """The plain 3×3, which two blocks replace, gains nothing by the second thread, the plain 5×5 four times."""
    plain = {(c.channels, c.threads): c for c in run.blocks if c.name == "plain 3×3"}
    even = {key: replace(cell, time=plain[key[0], 1].time) for key, cell in plain.items()}
    four = {
        key: replace(c, name="plain 5×5", time=data.Timing(*[c.time.median / (4 if key[1] == 2 else 1)] * 3))
        for key, c in even.items()
    }
    blocks = [replace(c, plain=even[c.channels, c.threads]) for c in run.blocks if c.plain]
    blocks += [
        replace(c, name="reduced/4 5×5", plain=four[c.channels, c.threads]) for c in blocks if "reduced" in c.name
    ]
    assert "make the plain convolutions 2.00 (1.00 to 4.00) times as fast" in said(
        replace(run, blocks=blocks), "On how many cores?"
    )


@pytest.mark.parametrize(
    ("speeds", "expected"),
    [
        ((0.5, 0.8), "no: 2 of 2 blocks with 1 thread are slower than the convolution that they replace."),
        ((0.5, 8), "no: 1 of 2 blocks with 1 thread are slower than the convolution that they replace."),
        ((3.6, 12), "yes: {} 6.6 times as fast with 1 thread."),
        ((2.4, 8), "mostly: {} 4.4 times as fast with 1 thread"),
        ((1.2, 4), "partly: {} 2.2 times as fast with 1 thread"),
        ((1.2, 1.2), "hardly: {} 1.2 times as fast with 1 thread"),
    ],
)
def test_the_answer_follows_the_figures(run, speeds, expected):
    """The blocks of 3.6 and of 12 times fewer MACs, so many times as fast."""
    blocks = []
    for name, speed in zip(("reduced/4 3×3", "fire/8 3×3"), speeds, strict=True):
        cell = cell_of(run, name, 256, 1)
        blocks.append(replace(cell, time=data.Timing(*[cell.plain.time.median / speed] * 3)))
    answered = answer.answer(replace(run, blocks=blocks)).text
    assert answered.startswith(
        "At 256 channels, " + expected.format("6.6 times fewer operations make the blocks on average")
    )


def test_the_answer_names_the_few_blocks_that_are_slower(run):
    fast = {"a/4 3×3": 3, "b/4 3×3": 3, "c/4 3×3": 0.9}
    cell = cell_of(run, "reduced/4 3×3", 256, 1)
    times = {name: data.Timing(*[cell.plain.time.median / speed] * 3) for name, speed in fast.items()}
    blocks = [replace(cell, name=name, time=time) for name, time in times.items()]
    assert "with 1 thread; 1 of 3 blocks with 1 thread are slower" in answer.answer(replace(run, blocks=blocks)).text


def test_which_block_keeps_the_most_of_its_saving(run):
    kept = {cell.name: f"{100 * cell.kept:.0f}%" for cell in run.compared if (cell.channels, cell.threads) == (256, 1)}
    reduced, fire = "reduced/4 3×3", "fire/8 3×3"
    assert said(run, "At which channel counts?").endswith(
        f" At 256 channels {reduced} turns most of its saving into time ({kept[reduced]}) and {fire} least "
        f"({kept[fire]}), with 1 thread."
    )
    alone = replace(run, blocks=[cell for cell in run.blocks if cell.name == fire])
    assert "least" not in said(alone, "At which channel counts?")


@pytest.mark.parametrize(
    ("speeds", "expected"),
    [
        ({16: 0.5, 64: 2, 256: 3}, "from 64 channels on with 1 thread"),
        ({16: 0.5, 64: 0.9, 256: 0.7}, "at no channel count with 1 thread"),
        ({16: 2, 64: 2, 256: 3}, "at every channel count with 1 thread"),
    ],
)
def test_where_blocks_are_faster(run, speeds, expected):
    cells = [cell for cell in run.blocks if cell.plain and cell.threads == 1]
    blocks = [replace(cell, time=data.Timing(*[cell.plain.time.median / speeds[cell.channels]] * 3)) for cell in cells]
    answered = said(replace(run, blocks=blocks), "At which channel counts?")
    assert answered.startswith(f"Every block is faster than the convolution that it replaces {expected}. ")


def test_one_thread_alone_is_not_compared_with_others(run):
    one = replace(run, blocks=[cell for cell in run.blocks if cell.threads == 1])
    assert said(one, "On how many cores?") is None
    assert "2 threads" not in " ".join(reason.text for reason in answer.reasons(one))


def test_threads_that_bring_nothing_or_lose_are_named(run):
    def gains(*factors):
        """The words where two threads are so many times as fast with Fire, by channel count."""
        cells = run.series("fire/8 3×3", 1)
        two = [
            replace(cell, threads=2, time=data.Timing(*[cell.time.median / factor] * 3))
            for cell, factor in zip(cells, factors, strict=True)
        ]
        return findings.thread_gains(replace(run, blocks=cells + two))

    assert gains(1.5, 1.6, 1.8) == (
        "2 threads are 1.80× as fast at 256 channels, 90% of what 2× would be; 1.50× as fast at 16 channels, 75% of "
        "what 2× would be."
    )
    assert gains(0.8, 0.999, 1.9).endswith(
        " They are slower than 1 thread for fire/8 3×3 at 16 channels. They are no faster than 1 thread, or the "
        "quartiles do not tell, for fire/8 3×3 at 64 channels."
    )
    alone = [cell for cell in run.blocks if (cell.channels, cell.threads) in ((16, 1), (64, 2))]
    assert findings.thread_gains(replace(run, blocks=alone)) == ""


def test_words_say_where_the_choice_changes_and_what_it_loses(run):
    choice = said(run, "The choice of algorithm")
    assert choice.startswith("The rule of auto: 1×1 c→c: direct at every channel count. 3×3: direct up to 30 and ")
    assert " winograd F(4×4, 3×3) from 31 channels on. Measured at 16, 64 and 256 channels, what it takes is" in choice
    assert "at worst it takes 2.00× as long (3×3, 16 channels, 2 threads)" in choice
    assert "in 10 of 12 cells" in choice
    assert said(replace(run, facts={}), "The choice of algorithm") is None
    assert "Measured" not in said(replace(run, spatial=[], pointwise=[]), "The choice of algorithm")
