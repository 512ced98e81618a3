"""What stops the time from shrinking: each reason stands only where the run shows it."""

from dataclasses import replace

import pytest

pytest.importorskip("asv.results")

from asv_run import cell_of, store

from benchmarks.report import data, reasons


@pytest.fixture
def run(tmp_path):
    return data.load(store(tmp_path))


def said(run, heading):
    return next((reason.text for reason in reasons.stops(run) if reason.heading == heading), None)


def at_few(run, small=4, growth=8, ones=None):
    """The run with direct timed at so many channels too, the 3×3 and, where `ones` is given, the 1×1: from there to 16
    channels its time grows so many times.
    """

    def with_few(cells, growth):
        return cells + [
            replace(c, channels=small, macs=c.macs // 16, time=data.Timing(*[c.time.median / growth] * 3))
            for c in cells
            if c.channels == 16 and c.algorithm == "direct"
        ]

    pointwise = with_few(run.pointwise, ones) if ones else run.pointwise
    return replace(run, spatial=with_few(run.spatial, growth), pointwise=pointwise)


def test_vectors_that_are_not_full_stop_it_where_the_run_shows_that(run):
    heading = "What stops it at 16 channels?"
    assert said(run, heading) is None  # direct was not timed at fewer channels
    assert said(at_few(run), heading) == (
        "A vector that is not full costs as much as a full one in the 3×3. One of avx2 holds 8 channels, and the 1×1s "
        "leave 2 to 4. From 4 to 16 channels the operations grow 16 times, the vectors of them 8 times, and the time "
        "of direct 8.0 times."
    )
    assert " the time of direct 7.0 to 8.0 times." in said(at_few(run, ones=7), heading)
    spatial = [replace(cell, name="1×1 c→4c") for cell in at_few(run).spatial]
    assert said(replace(run, spatial=spatial), heading) is None  # whose outputs fill vectors
    assert said(at_few(run, small=8), heading) is None  # these fill a vector
    assert said(replace(at_few(run), facts={"isa": "scalar"}), heading) is None
    assert said(replace(at_few(run), facts={}), heading) is None
    spatial = [replace(c, time=data.Timing(*[1e-9 * c.macs] * 3)) for c in at_few(run).spatial]
    assert said(replace(run, spatial=spatial), heading) is None  # the time grows as the operations do
    assert said(at_few(run, growth=1.1), heading) is None  # and here far less than the vectors do
    assert said(at_few(run, ones=1.1), heading).endswith(
        " times. Vectors do not explain its growth elsewhere: 1.1 times (1×1 c→c)."
    )
    wide = [cell for cell in run.blocks if cell.channels == 256]
    assert said(replace(at_few(run), blocks=wide), heading) is None


def test_winograd_stops_it_where_it_is_faster_than_direct(run):
    heading = "What stops it at 256 channels?"
    plain = cell_of(run, "plain 3×3", 256, 1)
    direct = next(c for c in run.spatial if (c.channels, c.threads, c.algorithm) == (256, 1, "direct"))

    def stops(factor, **changes):
        """The words where direct takes so many times the time of the plain convolution."""
        slow = replace(direct, time=data.Timing(*[factor * plain.time.median] * 3))
        return said(replace(run, spatial=[slow], **changes), heading)

    one = next(c for c in run.pointwise if (c.channels, c.threads, c.algorithm) == (256, 1, "direct"))
    assert stops(3, peak={1: 2 * one.gflops}) == (
        "Winograd makes the plain 3×3 3.0 times as fast as direct does, with fewer multiplications for the same "
        "result. For 1×1s there is no such algorithm: they reach 50% of the multiply-add units' limit."
    )
    assert stops(3, peak={}).endswith("For 1×1s there is no such algorithm.")
    assert stops(1) is None
    assert stops(3, facts={}) is None  # nothing says what "auto" took
    assert said(replace(run, spatial=[]), heading) is None


def test_calls_and_memory_are_ruled_out_only_by_figures(run):
    heading = "Do calls or memory stop it?"
    text = said(run, heading)
    assert text.startswith(
        "Calls hardly: one of a small plan takes 2.50 µs, arithmetic included, and one of a block 36.0"
    )
    assert " Memory not: the blocks move " in text  # 256 channels move more bytes a second
    assert said(replace(run, calls={("time_plan",): 2e-5}), heading).startswith("Calls in part: ")
    slow = [replace(c, time=data.Timing(*[100 * c.time.median] * 3)) if c.channels > 16 else c for c in run.blocks]
    assert "Memory" not in said(replace(run, blocks=slow), heading)
    few = [cell for cell in run.blocks if cell.channels == 16]
    assert "Memory" not in said(replace(run, blocks=few), heading)
    assert said(replace(run, blocks=few, calls={}), heading) is None
