"""What a reader of the report must know before trusting it."""

from dataclasses import replace
from itertools import product

import pytest

pytest.importorskip("asv.results")

from asv_run import CHANNELS, MACS, SPEEDS, THREADS, store

from benchmarks.report import data, records, summaries, tables, words


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
    assert {row[2] for row in summaries.answer_table(all_unsteady).rows} == {"unsteady"}
    some = [(16, 2, "fire/8 3×3"), (64, 2, "fire/8 3×3"), (64, 2, "plain 3×3")]
    run = data.load(store(tmp_path / "some", unsteady=some))
    (warning,) = words.warnings(run)
    assert ": 3 of the 9 timings of blocks with 2 threads, marked with ~, cannot be relied on." in warning
    marked = [row[:2] for row in summaries.answer_table(run).rows if row[4].startswith("~")]
    assert marked == [["16 channels", "2"], ["64 channels", "2"]]


def test_single_convolutions_count_for_steadiness_but_numpy_does_not(tmp_path):
    unsteady = [(c, 2, "3×3", algorithm) for c, algorithm in product(CHANNELS, SPEEDS)]
    run = data.load(store(tmp_path, unsteady=unsteady))
    (warning,) = words.warnings(run)
    assert ": 9 of the 15 timings of single convolutions with 2 threads" in warning
    assert words.block_warnings(run) == []
    shaky = [
        replace(c, time=replace(c.time, high=2 * c.time.median)) if c.algorithm == records.NUMPY else c
        for c in run.pointwise
    ]
    assert words.warnings(replace(run, pointwise=shaky, spatial=[])) == []


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
    for made in (tables.algorithms_table(narrow), summaries.pointwise_table(narrow)):
        assert ("narrower" in made.note) == is_narrow
    asked = words.narrow_blas(facts | {"OPENBLAS_CORETYPE": "Haswell"})
    assert ("OPENBLAS_CORETYPE=Haswell was set." in asked) == is_narrow
