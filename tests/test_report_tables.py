"""The tables of the report, made from small asv results of known figures."""

from dataclasses import replace
from itertools import product

import pytest

pytest.importorskip("asv.results")

from asv_run import CHANNELS, MACS, THREADS, cell_of, store

from benchmarks.report import answer, data, page, tables, text


@pytest.fixture
def run(tmp_path):
    return data.load(store(tmp_path))


def around(median, low=1, high=1):
    return data.Timing(median, low * median, high * median)


def test_blocks_table(run):
    table, speeds = tables.blocks_table(run), tables.speeds_table(run)
    row, speed = (next(row for row in made.rows if row[:2] == ["fire/8 3×3", "256"]) for made in (table, speeds))
    cells = [cell_of(run, "fire/8 3×3", 256, threads) for threads in THREADS]
    fast, time = ([form(cell) for cell in cells] for form in (text.as_fast, lambda c: text.seconds(c.time.median)))
    assert row[2:] == ["12.0×", *fast, *time]
    assert speed[2:] == ["38.5 M", *(text.significant(cell.gflops) for cell in cells)]
    for made in (table, speeds):
        assert sum(width for _, width in made.groups) == len(made.columns) == len(made.rows[0])
        assert len(made.rows) == len(MACS) * len(CHANNELS)


def test_figures_of_unsteady_cells_are_marked(tmp_path):
    run = data.load(store(tmp_path, unsteady=[(16, 2, "plain 3×3"), (64, 1, "3×3", "direct")]))
    blocks, algorithms = tables.blocks_table(run), tables.algorithms_table(run)
    marked = [(*row[:2], i) for row in blocks.rows for i, cell in enumerate(row) if cell.startswith("~")]
    with_two = [blocks.columns.index((group, "2 threads")) for group in ("time", "times as fast")]
    assert marked == [("plain 3×3", "16", with_two[0]), *((name, "16", with_two[1]) for name in list(MACS)[1:])]
    assert sum(cell.startswith("~") for row in algorithms.rows for cell in row) == 1
    for table in (blocks, algorithms):
        assert "~ is unsteady, itself or what it is compared with: the quartiles, or" in table.note
    assert "unsteady" not in tables.reference_table(run).note


def test_the_1x1_against_numpy(run):
    fast = [replace(c, time=data.Timing(*[c.time.median / 4] * 3)) for c in run.pointwise if c.algorithm == "direct"]
    fast[0] = replace(fast[0], time=data.Timing(*[fast[0].time.median * 8] * 3))
    rest = [c for c in run.pointwise if c.algorithm != "direct"]
    assert tables.pointwise_table(replace(run, pointwise=rest + fast)).rows == [
        ["blas", "1", "1.00×", "1.00× (16)", "1.00× (256)"],
        ["blas", "2", "1.00×", "1.00× (16)", "1.00× (256)"],
        ["direct", "1", "2.00×", "0.500× (16)", "4.00× (256)"],
        ["direct", "2", "4.00×", "4.00× (16)", "4.00× (256)"],
    ]
    assert tables.pointwise_table(replace(run, pointwise=fast)).rows == []


def test_single_convolutions_are_sorted_by_name_then_channels(run):
    twice = replace(run, spatial=run.spatial + [replace(cell, name="5×5") for cell in run.spatial])
    rows = [(name, int(channels), int(threads)) for name, channels, threads, *_ in tables.algorithms_table(twice).rows]
    assert rows == list(product(("1×1 c→c", "3×3", "5×5"), CHANNELS, THREADS))


def test_memory_is_explained_where_it_was_measured(run, tmp_path):
    assert tables.memory_table(run).rows == []
    measured = data.load(store(tmp_path, calls=["track_first_call"]))
    table = tables.memory_table(measured)
    assert table.rows == [["plain 3×3", "16", "3.00 MiB"]]
    assert "The result, the packed weights" in table.note
    assert table in tables.all_tables(measured)


def test_calls_are_told_apart(run):
    """Small calls, functions that pack and imports have tables of their own."""
    calls = {("time_plan",): 2e-6, ("timeraw_import_numpy",): 4e-2, ("time_function", "3×3", "auto"): 1e-4}
    calls |= {("time_function", "3×3", "direct"): 2e-4, ("time_function", "5×5", "direct"): 3e-4}
    run = replace(run, calls=calls)
    assert tables.calls_table(run).rows == [["a plan, into a given output", "2.00 µs"]]
    assert tables.imports_table(run).rows == [["of which import numpy", "40.0 ms"]]
    functions = tables.functions_table(run)
    assert [heading for _, heading in functions.columns] == ["layer", "auto", "direct"]
    assert functions.rows == [["3×3", "100 µs", "200 µs"], ["5×5", "–", "300 µs"]]
    assert all(heading for made in tables.all_tables(run) for _, heading in made.columns)


def test_savings_table(tmp_path):
    run = data.load(store(tmp_path, unsteady=[(256, 2, "fire/8 3×3")]))
    fast = {16: 0.9, 64: 11, 256: 10}  # Fire's 12 times fewer MACs with two threads; the other is as it was
    wide = {16: (1, 1), 64: (1, 1), 256: (0.8, 1.1)}
    blocks = [
        replace(cell, time=around(cell.plain.time.median / fast[cell.channels], *wide[cell.channels]))
        if (cell.name, cell.threads) == ("fire/8 3×3", 2)
        else cell
        for cell in run.blocks
    ]
    table = tables.savings_table(replace(run, blocks=blocks))
    row = dict(zip(table.columns, next(row for row in table.rows if row[0] == "fire/8 3×3"), strict=True))
    one = cell_of(run, "fire/8 3×3", 256, 1)
    assert row["fewer", "MACs"] == "12.0×"
    assert row["times as fast", "1 thread"] == text.times(one.time_saved)
    assert row["times as fast", "2 threads"] == "~10.0×"
    assert row["share kept", "2 threads"] == "~83%"
    assert row["faster", "1 thread"] == "all"
    assert row["faster", "2 threads"] == "from 64"
    assert "share kept: at 256 channels." in table.note
    assert "~ is unsteady" in table.note


def test_savings_where_cells_are_missing(tmp_path):
    fails = [(256, 2, "fire/8 3×3"), *((c, 1, "reduced/4 3×3") for c in CHANNELS)]
    run = data.load(store(tmp_path, fails=fails))
    rows = {row[0]: row[2:] for row in tables.savings_table(run).rows}
    assert rows["fire/8 3×3"][1] == rows["fire/8 3×3"][3] == "–"
    assert rows["fire/8 3×3"][4:] == ["all", "all"]
    assert rows["reduced/4 3×3"][::2] == ["–"] * 3
    without = data.load(store(tmp_path / "none", fails=list(product(CHANNELS, THREADS, ["plain 3×3"]))))
    assert tables.savings_table(without).rows == []
    assert answer.answer(without) is None
    assert answer.reasons(without) == []
    assert "fire/8 3×3" in page.render(without)
