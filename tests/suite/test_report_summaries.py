"""The tables that answer the question, made from small asv results of known figures: they say what the figures do."""

from dataclasses import replace
from itertools import product

import pytest

pytest.importorskip("asv.results")

from asv_run import CHANNELS, THREADS, cell_of, row, seconds, store

from benchmarks.report import data, page, summaries, text


@pytest.fixture
def run(tmp_path):
    return data.load(store(tmp_path))


def timing(median, low=1, high=1):
    return data.Timing(median, low * median, high * median)


@pytest.mark.parametrize(
    ("speeds", "answer", "slower"),
    [
        ((0.5, 0.5), "no", "2/2"),
        ((0.5, 8), "no", "1/2"),
        ((3.6, 12), "yes", "0/2"),
        ((2.4, 8), "mostly", "0/2"),
        ((1.2, 4), "partly", "0/2"),
        ((1.2, 1.2), "hardly", "0/2"),
    ],
)
def test_the_answer_follows_the_figures(run, speeds, answer, slower):
    """The blocks of 3.6 and of 12 times fewer MACs, and how many times as fast they are."""
    blocks = []
    for name, speed in zip(("reduced/4 3×3", "fire/8 3×3"), speeds, strict=True):
        cell = cell_of(run, name, 256, 1)
        blocks.append(replace(cell, time=timing(cell.plain.time.median / speed)))
    (answered,) = summaries.answer_table(replace(run, blocks=blocks)).rows
    mean = (speeds[0] * speeds[1]) ** 0.5
    kept = mean / (3.6 * 12) ** 0.5
    assert answered == [
        "256 channels",
        "1",
        answer,
        "6.57×",
        f"{text.significant(mean)}×",
        f"{100 * kept:.0f}%",
        slower,
    ]


def test_what_more_threads_bring(run):
    table = summaries.cores_table(run)
    gain = seconds(16, 1, "plain 3×3") / seconds(16, 2, "plain 3×3")
    assert table.rows[0][:3] == ["16", f"{gain:.2f}× ({gain:.2f} to {gain:.2f})", "1.00× (1.00 to 1.00)"]
    low, high = (float(end.strip("×")) for end in table.rows[0][3].split(" to "))
    assert low < 1 / gain < high < 1
    one = replace(run, blocks=[cell for cell in run.blocks if cell.threads == 1])
    assert summaries.cores_table(one).rows == []


def test_threads_change_what_is_saved_only_where_the_quartiles_say_so(run):
    """With two threads the blocks are twice as fast, as the plain convolution at 256 channels and hardly less at 16."""

    def left(width):
        blocks = []
        for cell in run.blocks:
            median = cell.time.median / (2 if cell.threads == 2 and cell.plain else 1)
            blocks.append(replace(cell, plain=None, time=timing(median, 1 - width, 1 + width)))
        rows = summaries.cores_table(replace(run, blocks=data._with_plain(blocks))).rows
        return [[float(end.strip("×")) for end in cells[3].split(" to ")] for cells in rows]

    assert [low > 1 for low, _ in left(0.001)] == [True, True, False]
    assert all(low < 1 < high for low, high in left(0.3))


def test_vectors_that_are_not_full(run):
    """Direct timed at 4 channels too, half a vector of AVX2: from there to 16 its time grows 8 times."""

    def at_few(channels, cells):
        return cells + [
            replace(c, channels=channels, macs=c.macs // 16, time=timing(c.time.median / 8))
            for c in cells
            if c.channels == 16 and c.algorithm == "direct"
        ]

    few = replace(run, spatial=at_few(4, run.spatial))
    assert summaries.vectors_table(run).rows == []  # direct was not timed at fewer channels
    assert summaries.vectors_table(few).rows == [["3×3", "4", "16", "16.0×", "8.00×", "8.00×"]]
    assert summaries.vectors_table(replace(run, spatial=at_few(8, run.spatial))).rows == []  # these fill a vector
    renamed = [replace(cell, name="1×1 c→4c") for cell in few.spatial]
    assert summaries.vectors_table(replace(run, spatial=renamed)).rows == []  # whose outputs do
    assert summaries.vectors_table(replace(few, facts={})).rows == []


def test_the_limit_is_held_against_direct_and_winograd(run):
    best = max(cell.gflops for cell in run.pointwise + run.spatial if cell.algorithm == "direct")
    limits = row(summaries.limit_table(replace(run, peak={1: 2 * best})), "1")
    assert limits["", "limit"] == text.significant(2 * best)
    assert limits["direct", "most"] == f"{text.significant(best)} (50%)"
    assert limits["direct", "cell"] == "1×1 c→c, 16 channels"
    fast = [replace(c, time=replace(c.time, median=c.time.median / 900)) for c in run.spatial if c.algorithm == "auto"]
    fast = [cell for cell in fast if cell.channels > 30]  # from 31 on it is Winograd
    limits = row(summaries.limit_table(replace(run, peak={1: 2 * best}, spatial=fast)), "1")
    assert limits["winograd", "cell"] == "3×3, 256 channels"
    assert summaries.limit_table(replace(run, peak={})).rows == []


def test_the_1x1_against_numpy(run):
    fast = [replace(c, time=timing(c.time.median / 4)) for c in run.pointwise if c.algorithm == "direct"]
    fast[0] = replace(fast[0], time=timing(fast[0].time.median * 8))
    rest = [c for c in run.pointwise if c.algorithm != "direct"]
    assert summaries.pointwise_table(replace(run, pointwise=rest + fast)).rows == [
        ["blas", "1", "1.00×", "1.00× (16)", "1.00× (256)"],
        ["blas", "2", "1.00×", "1.00× (16)", "1.00× (256)"],
        ["direct", "1", "2.00×", "0.500× (16)", "4.00× (256)"],
        ["direct", "2", "4.00×", "4.00× (16)", "4.00× (256)"],
    ]
    assert summaries.pointwise_table(replace(run, pointwise=fast)).rows == []


def test_savings_table(tmp_path):
    run = data.load(store(tmp_path, unsteady=[(256, 2, "fire/8 3×3")]))
    fast = {16: 0.9, 64: 11, 256: 10}  # Fire's 12 times fewer MACs with two threads; the other is as it was
    wide = {16: (1, 1), 64: (1, 1), 256: (0.8, 1.1)}
    blocks = [
        replace(cell, time=timing(cell.plain.time.median / fast[cell.channels], *wide[cell.channels]))
        if (cell.name, cell.threads) == ("fire/8 3×3", 2)
        else cell
        for cell in run.blocks
    ]
    table = summaries.savings_table(replace(run, blocks=blocks))
    fire = row(table, "fire/8 3×3")
    one = cell_of(run, "fire/8 3×3", 256, 1)
    assert fire["fewer", "MACs"] == "12.0×"
    assert fire["times as fast", "1 thread"] == text.times(one.time_saved)
    assert fire["times as fast", "2 threads"] == "~10.0×"
    assert fire["share kept", "2 threads"] == "~83%"
    assert fire["faster", "1 thread"] == "all"
    assert fire["faster", "2 threads"] == "from 64"
    assert "share kept: at 256 channels." in table.note
    assert "~ is unsteady" in table.note


def test_savings_where_cells_are_missing(tmp_path, drawn_alone):
    fails = [(256, 2, "fire/8 3×3"), *((c, 1, "reduced/4 3×3") for c in CHANNELS)]
    run = data.load(store(tmp_path, fails=fails))
    rows = {row[0]: row[2:] for row in summaries.savings_table(run).rows}
    assert rows["fire/8 3×3"][1] == rows["fire/8 3×3"][3] == "–"
    assert rows["fire/8 3×3"][4:] == ["all", "all"]
    assert rows["reduced/4 3×3"][::2] == ["–"] * 3
    without = data.load(store(tmp_path / "none", fails=list(product(CHANNELS, THREADS, ["plain 3×3"]))))
    assert summaries.savings_table(without).rows == []
    assert summaries.answer_table(without).rows == []
    assert "fire/8 3×3" in page.render(without)


def test_where_the_choice_changes_and_what_it_loses(tmp_path):
    run = data.load(store(tmp_path, unsteady=[(64, 1, "3×3", "direct")]))  # there neither taken nor the fastest
    rows = summaries.choice_table(run).rows
    assert rows[0][:3] == ["1×1 c→c", "direct to 512", "6/6"]
    assert rows[1] == ["3×3", "direct to 30, winograd F(4×4, 3×3) to 512", "3/5", "2.00×", "16 channels, 2 threads"]
    assert summaries.choice_table(replace(run, facts={})).rows == []
    assert summaries.choice_table(replace(run, spatial=[], pointwise=[])).rows[0][2:] == ["0/0", "–", "–"]


def test_how_steady_the_machine_was(tmp_path):
    run = data.load(store(tmp_path, unsteady=[(16, 2, "fire/8 3×3")]))
    assert summaries.steadiness_table(run).rows == [
        ["1", "2%", "2%", "plain 3×3, 16 channels", "3/3", "0%", "plain 3×3, 16 channels"],
        ["2", "2%", "60%", "fire/8 3×3, 16 channels", "3/3", "0%", "plain 3×3, 16 channels"],
    ]
