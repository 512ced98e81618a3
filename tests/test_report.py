"""The report, made from small asv results of known figures."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import product

import pytest

asv_results = pytest.importorskip("asv.results")

from asv.runner import BenchmarkResult  # noqa: E402
from asv.util import write_json  # noqa: E402

from fastconv import cli  # noqa: E402
from fastconv.report import data, page, tables, terminal, words  # noqa: E402

CHANNELS, THREADS = (16, 64, 256), (1, 2)
MACS = {"plain 3x3": 9 * 784, "reduced/4 3x3": 784 * 5 // 2, "fire/8 3x3": 784 * 3 // 4}  # for each c²
MACHINE = {"machine": "known", "cpu": "A CPU", "num_cpu": "2"}
FACTS = {
    "isa": "avx2",
    "threads": 2,
    "cpu": "A CPU",
    "fastconv": "1.2.3",
    "source": "commit 0123456789ab",
    "blocks_input": "28×28",
    "choices": {"1x1 c→c": [[1, 512, "direct"]], "3x3": [[1, 30, "direct"], [31, 512, "winograd F(4×4, 3×3)"]]},
}
SPEEDS = {  # seconds of a 3×3; the choice, at 31 channels, is wrong at 16
    "auto": lambda c: 1e-9 * c**2,
    "direct": lambda c: 2e-9 * c**2,
    "winograd": lambda c: 1e-9 * c**2,
}


def seconds(channels, threads, block):
    """30 µs a call, and 50 GFLOP/s a thread, of which only the plain convolution reaches the second."""
    return 3e-5 + 2 * MACS[block] * channels**2 / (5e10 * (threads if block.startswith("plain") else 1))


def add(result, name, params, value_of):
    """Store what `value_of` gives for each combination of params: a number, or samples where it gives a list."""
    combinations = list(product(*params)) or [()]
    values = [value_of(*combination) for combination in combinations]
    timed = [isinstance(value, list) for value in values]
    outcome = BenchmarkResult(
        result=[True if t else value for t, value in zip(timed, values, strict=True)],
        samples=[value if t else None for t, value in zip(timed, values, strict=True)],
        number=[1 if t else None for t in timed],
        errcode=0,
        stderr="",
        profile=None,
    )
    benchmark = {"name": name, "version": "1", "params": [[repr(value) for value in values] for values in params]}
    result.add_result(benchmark, outcome)


def store(folder, *, commit="0123456789abcdef", scale=1.0, fails=(), facts=FACTS):
    """A folder of results with one run; `scale` stretches the samples' spread, `fails` are keys of failed cells."""

    def samples(channels, threads, block, algorithm):
        middle = seconds(channels, threads, block)
        spread = [middle * (1 + 0.01 * scale * step) for step in (-2, -1, 0, 1, 2)]
        return None if (channels, threads, block) in fails else spread

    result = asv_results.Results(MACHINE, {}, commit, 0, "3.11", "existing", {})
    add(result, data.BLOCKS, (CHANNELS, THREADS, tuple(MACS), ("auto",)), samples)
    add(result, data.BLOCK_MACS, (CHANNELS, tuple(MACS)), lambda c, block: MACS[block] * c * c)
    add(result, data.BLOCK_BYTES, (CHANNELS, tuple(MACS)), lambda c, block: 8 * 784 * c)
    add(result, data.REFERENCE, ((16,), tuple(MACS)), lambda c, block: [1e-3])
    algorithms = ("blas", "direct", "numpy.matmul")
    add(result, data.POINTWISE, (CHANNELS, THREADS, ("1x1 c→c",), algorithms), lambda c, *_: [1e-9 * c**2] * 2)
    add(result, data.SPATIAL, (CHANNELS, THREADS, ("3x3",), tuple(SPEEDS)), lambda c, _, __, a: [SPEEDS[a](c)] * 2)
    add(result, data.LAYER_MACS, (CHANNELS, ("1x1 c→c", "3x3")), lambda c, _: 784 * c * c)
    add(result, "bench_calls.Overhead.time_plan", (), lambda: [2.5e-6, 2.5e-6])
    add(result, data.PEAK, (THREADS,), lambda threads: 55.0 * threads)
    add(result, data.FACTS, ((json.dumps(facts),),), lambda recorded: 1)
    result.save(str(folder))
    write_json(str(folder / "known" / "machine.json"), MACHINE, 1)
    return folder


@pytest.fixture
def run(tmp_path):
    return data.load(store(tmp_path))


def cell_of(run, name, channels, threads):
    return next(cell for cell in run.series(name, threads) if cell.channels == channels)


def test_cells_hold_what_was_measured(run):
    cell = cell_of(run, "fire/8 3x3", 256, 2)
    assert cell.macs == 588 * 256**2
    assert cell.time.median == pytest.approx(seconds(256, 2, "fire/8 3x3"))
    assert cell.time.low < cell.time.median < cell.time.high
    assert cell.gflops == pytest.approx(2e-9 * cell.macs / cell.time.median)
    assert cell.plain == cell_of(run, "plain 3x3", 256, 2)
    assert cell.macs_saved == 12
    expected = seconds(256, 2, "plain 3x3") / seconds(256, 2, "fire/8 3x3")
    assert cell.time_saved == pytest.approx(expected)
    assert cell.kept == pytest.approx(expected / 12)
    assert cell.plain.plain is None


def test_the_latest_run_is_taken_unless_another_is_asked_for(tmp_path):
    store(tmp_path, commit="a" * 40)
    store(tmp_path, commit="b" * 40)
    assert data.load(tmp_path).commit == "b" * 40
    assert data.load(tmp_path, commit="aaaa").commit == "a" * 40
    there = "there are commit aaaaaaaa on machine known, commit bbbbbbbb on machine known"
    with pytest.raises(FileNotFoundError, match=f"no result of machine another and commit b under .*; {there}$"):
        data.load(tmp_path, machine="another", commit="b")
    with pytest.raises(FileNotFoundError, match="no result of commit c under "):
        data.load(tmp_path, commit="c")
    with pytest.raises(FileNotFoundError, match="no timed blocks"):
        data.load(tmp_path / "none", commit="c")


def test_failed_cells_are_named_and_left_out(tmp_path):
    run = data.load(store(tmp_path, fails=[(64, 2, "fire/8 3x3")]))
    assert [cell.channels for cell in run.series("fire/8 3x3", 2)] == [16, 256]
    assert len(run.failed) == 1
    assert "64" in run.failed[0]
    assert any("1 cells failed" in text for text in words.warnings(run))
    assert "fire/8 3x3" in page.render(run)


def test_warnings(tmp_path):
    assert words.warnings(data.load(store(tmp_path / "steady"))) == []
    unsteady = data.load(store(tmp_path / "unsteady", scale=30))
    assert any("busy or unsteady" in text for text in words.warnings(unsteady))
    assert words.answer(unsteady).startswith("This run is too unsteady to tell.")
    changed = data.load(store(tmp_path / "changed", facts={"source": "commit 0123 with uncommitted changes"}))
    assert any("uncommitted" in text for text in words.warnings(changed))


def test_a_disturbed_peak_is_no_limit(run):
    def limit(peak):
        found = words.findings(replace(run, peak={1: peak}))
        return next(finding.text for finding in found if finding.heading == "The machine's limit")

    best = max(cell.gflops for cell in run.blocks if cell.threads == 1)
    assert "reaches 50% with 256 channels" in limit(2 * best)
    assert "unknown" in limit(best / 2)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1234.5, "1,230"), (12.345, "12.3"), (0.99951, "1.00"), (0.012345, "0.0123"), (9.999, "10.0"), (0, "0")],
)
def test_significant(value, text):
    assert tables.significant(value) == text


@pytest.mark.parametrize(
    ("form", "value", "text"),
    [
        (tables.seconds, 1.5e-3, "1.50 ms"),
        (tables.seconds, 9.9999e-4, "1.00 ms"),
        (tables.seconds, 2e-8, "20.0 ns"),
        (tables.count, 120_422_400, "120 M"),
        (tables.count, 784, "784"),
        (tables.size, 1536, "1.50 KiB"),
    ],
)
def test_units(form, value, text):
    assert form(value) == text


def test_blocks_table(run):
    table = tables.blocks_table(run)
    row = next(row for row in table.rows if row[:2] == ["fire/8 3x3", "256"])
    cells = [cell_of(run, "fire/8 3x3", 256, threads) for threads in THREADS]
    assert row[2:] == [
        "38.5 M",
        *(tables.seconds(cell.time.median) for cell in cells),
        *(tables.significant(cell.gflops) for cell in cells),
        "12.0×",
        *(tables.times(cell.time_saved) for cell in cells),
    ]
    assert sum(width for _, width in table.groups) == len(table.columns) == len(row)
    assert len(table.rows) == len(MACS) * len(CHANNELS)


def test_terminal_lines_are_aligned(run, capsys):
    terminal.show(tables.blocks_table(run))
    lines = [line for line in capsys.readouterr().out.splitlines() if re.match(r" +\d+ ", line)]
    assert len(lines) == len(MACS) * len(CHANNELS)
    assert len({line.index("M" if " M" in line else "k") for line in lines}) == 1


def test_words_follow_the_figures(run):
    last = [cell_of(run, name, 256, 1).kept for name in ("reduced/4 3x3", "fire/8 3x3")]
    assert f"{100 * (last[0] * last[1]) ** 0.5:.0f}% with 1 thread" in words.answer(run)
    fire = next(finding.text for finding in words.findings(run) if finding.heading == "fire/8 3x3")
    assert fire.startswith("12.0× fewer multiply-accumulates than the plain 3x3")
    assert "Slower" not in fire
    for threads in THREADS:
        kept = [cell.channels for cell in run.series("fire/8 3x3", threads) if cell.kept >= words.KEPT]
        assert kept == [] or f"from {kept[0]} channels on" in fire


def test_words_say_where_the_choice_changes_and_what_it_loses(run):
    said = {finding.heading: finding.text for finding in words.findings(run)}
    assert "3x3: direct up to 30 and winograd F(4×4, 3×3) from 31 channels on." in said["What auto takes"]
    assert "1x1 c→c: direct at every channel count." in said["What auto takes"]
    assert (
        "3x3 with 1 thread and 3x3 with 2 threads: winograd at 16, 64 and 256 channels."
        in said["The fastest algorithm"]
    )
    assert "at worst it takes 2.00× as long (3x3, 16 channels, 2 threads)" in said["The fastest algorithm"]
    assert "in 10 of 12 cells" in said["The fastest algorithm"]
    assert "What auto takes" not in {finding.heading for finding in words.findings(replace(run, facts={}))}


class _Loaded(HTMLParser):
    """Collects whatever a browser would load, and the text."""

    def __init__(self):
        super().__init__()
        self.sources, self.text = [], []

    def handle_starttag(self, tag, attrs):
        self.sources += [value for name, value in attrs if name in ("src", "href", "srcset", "data")]

    def handle_data(self, text):
        self.text.append(text)


def test_page_holds_the_tables_and_loads_nothing(run):
    html = page.render(run)
    loaded = _Loaded()
    loaded.feed(html)
    assert len(loaded.sources) == len(page.FIGURES)
    assert all(source.startswith("data:image/svg+xml;base64,") for source in loaded.sources)
    assert not re.search(r"https?://|@import|url\(|<script", html)
    text = set(loaded.text)
    for table in tables.all_tables(run):
        assert table.title in text
        for row in table.rows:
            assert text.issuperset(cell for cell in row if cell)
    assert text.issuperset([words.answer(run), *(finding.text for finding in words.findings(run))])


def test_a_run_without_plain_convolutions_or_threads(tmp_path):
    """Only one block at one channel count and one thread: whatever compares is left out, the page is made."""
    result = asv_results.Results(MACHINE, {}, "c" * 40, 0, "3.11", "existing", {})
    add(result, data.BLOCKS, ((16,), (1,), ("fire/8 3x3",), ("auto",)), lambda *_: [1e-4])
    add(result, data.BLOCK_MACS, ((16,), ("fire/8 3x3",)), lambda *_: 1000)
    result.save(str(tmp_path))
    write_json(str(tmp_path / "known" / "machine.json"), MACHINE, 1)
    run = data.load(tmp_path)
    assert words.answer(run) is None
    assert "fire/8 3x3" in page.render(run)
    assert any("without its facts" in text for text in words.warnings(run))


def test_command_line(tmp_path, capsys):
    results, output = store(tmp_path / "results"), tmp_path / "made" / "report.html"
    assert cli.main(["report", "--results", str(results), "--output", str(output)]) == 0
    printed = capsys.readouterr().out
    assert str(output) in printed
    assert "Blocks by channel count" in printed
    assert output.read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert cli.main(["report", "--results", str(tmp_path / "none")]) == 1
    assert "make bench" in capsys.readouterr().err
