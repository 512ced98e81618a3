"""The tables of the report, made from small asv results of known figures."""

from dataclasses import replace
from itertools import product

import pytest

pytest.importorskip("asv.results")

from asv_run import CHANNELS, MACS, THREADS, cell_of, store

from benchmarks.report import data, tables, text


@pytest.fixture
def run(tmp_path):
    return data.load(store(tmp_path))


def test_blocks_table(run):
    table, speeds = tables.blocks_table(run), tables.speeds_table(run)
    row, speed = (next(row for row in made.rows if row[:2] == ["fire/8 3×3", "256"]) for made in (table, speeds))
    cells = [cell_of(run, "fire/8 3×3", 256, threads) for threads in THREADS]
    fast, time = ([form(cell) for cell in cells] for form in (text.as_fast, lambda c: text.seconds(c.time.median)))
    assert row[2:] == ["12.0×", *fast, *time]
    rates = [cell.gflops for cell in cells] + [cell.bytes / cell.time.median / 1e9 for cell in cells]
    assert speed[2:] == ["38.5 M", *(text.significant(rate) for rate in rates)]
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
