"""The report, made from small asv results of known figures."""

import re
from contextlib import redirect_stdout
from dataclasses import replace
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest

pytest.importorskip("asv.results")

from asv.results import Results
from asv.util import write_json
from asv_run import CHANNELS, MACHINE, MACS, add, cell_of, seconds, store

from benchmarks import __main__ as suite
from benchmarks.report import data, page, panels, plots, summaries, tables, terminal, text, words


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """What the command makes: (results, page, figure, what it prints). The figures take seconds."""
    folder = tmp_path_factory.mktemp("made")
    results, output, figure = store(folder / "results"), folder / "new" / "report.html", folder / "figure.svg"
    told = ["report", "--results", str(results), "--output", str(output), "--figure", str(figure)]
    with redirect_stdout(StringIO()) as printed:
        assert suite.main(told) == 0
    return results, output, figure, printed.getvalue()


@pytest.fixture(scope="module")
def run(made):
    return data.load(made[0])


@pytest.fixture(scope="module")
def html(made):
    return made[1].read_text(encoding="utf-8")


def test_cells_hold_what_was_measured(run):
    cell = cell_of(run, "fire/8 3×3", 256, 2)
    assert cell.macs == 588 * 256**2
    assert cell.time.median == pytest.approx(seconds(256, 2, "fire/8 3×3"))
    assert cell.time.low < cell.time.median < cell.time.high
    assert cell.gflops == pytest.approx(2e-9 * cell.macs / cell.time.median)
    assert cell.plain == cell_of(run, "plain 3×3", 256, 2)
    assert cell.macs_saved == 12
    expected = seconds(256, 2, "plain 3×3") / seconds(256, 2, "fire/8 3×3")
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


def test_failed_cells_are_named_and_left_out(tmp_path, drawn_alone):
    run = data.load(store(tmp_path, fails=[(64, 2, "fire/8 3×3")]))
    assert [cell.channels for cell in run.series("fire/8 3×3", 2)] == [16, 256]
    assert len(run.failed) == 1
    assert "64" in run.failed[0]
    assert any("Failed cells" in text for text in words.warnings(run))
    assert "fire/8 3×3" in page.render(run)


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1234.5, "1,230"), (12.345, "12.3"), (0.99951, "1.00"), (0.012345, "0.0123"), (9.999, "10.0"), (0, "0")],
)
def test_significant(value, expected):
    assert text.significant(value) == expected


@pytest.mark.parametrize(
    ("form", "value", "expected"),
    [
        (text.seconds, 1.5e-3, "1.50 ms"),
        (text.seconds, 9.9999e-4, "1.00 ms"),
        (text.seconds, 2e-8, "20.0 ns"),
        (text.count, 120_422_400, "120 M"),
        (text.count, 784, "784"),
        (text.size, 1536, "1.50 KiB"),
    ],
)
def test_units(form, value, expected):
    assert form(value) == expected


def test_the_page_gives_memory_a_unit(run, without_figures):
    assert "23.5 GiB" in page.render(replace(run, machine={"ram": "25276502016"}))


def test_the_machine_is_told_once_and_in_words(run):
    machine = {"cpu": "A CPU", "ram": "25276502016", "python": "/somewhere/python", "os": "An OS"}
    facts = {
        "isas_compiled": ["scalar", "avx2"],
        "openmp": True,
        "cpu": "The CPU",
        "OMP_NUM_THREADS": "2",
        "choices": {},
    }
    assert words.measured_on(replace(run, facts=facts, machine=machine)) == {
        "isas_compiled": "scalar, avx2",
        "openmp": "yes",
        "cpu": "The CPU",
        "OMP_NUM_THREADS": "2",
        "os": "An OS",
        "ram": "23.5 GiB",
    }
    assert words.measured_on(replace(run, facts={}, machine=machine))["cpu"] == "A CPU"


@pytest.mark.parametrize("draw", [plots.saved_against_saved, plots.speed_against_intensity])
def test_the_sizes_of_dots_stand_in_the_legend(run, draw):
    (legend,) = draw(run, panels.WIDE).legends
    assert "16 and 256 channels" in {label.get_text() for label in legend.get_texts()}


def test_panels_stand_below_each_other_on_a_narrow_page(run):
    def columns(width):
        figure = plots.times_against_channels(run, width)
        return len({round(axis.get_position().x0, 2) for axis in figure.axes})

    assert (columns(panels.WIDE), columns(panels.NARROW)) == (3, 1)


def test_the_limit_is_drawn_beside_the_speeds_of_algorithms(run):
    def levels(run):
        lines = plots.algorithm_speeds(run, panels.WIDE).axes[0].get_lines()
        return {line.get_ydata()[0] for line in lines if line.get_linestyle() == "--"}

    assert levels(run) == {run.peak[1]}
    assert levels(replace(run, peak={})) == set()
    with_adders = replace(run, facts=run.facts | {"fip": True})
    lines = plots.algorithm_speeds(with_adders, panels.WIDE).axes[0].get_lines()
    assert {line.get_ydata()[0] for line in lines if line.get_linestyle() == ":"} == {1.5 * run.peak[1]}
    assert plots.algorithm_speeds(replace(run, pointwise=[], spatial=[]), panels.WIDE) is None
    assert plots.algorithm_times(replace(run, pointwise=[], spatial=[]), panels.WIDE) is None


def test_panels_beside_a_hole_are_as_tall_as_those_above_it(run):
    """Of 7 panels in rows of 4 all have ticks, so that none is taller; of 4 none but the lowest."""
    for count in (7, 4):
        spatial = [replace(cell, name=f"{i}×{i}") for i in range(1, count) for cell in run.spatial]
        figure = plots.algorithm_times(replace(run, spatial=spatial), panels.WIDE)
        figure.draw_without_rendering()
        heights = {round(axis.get_position().height, 3) for axis in figure.axes[:count]}
        assert len(heights) == 1
        assert all(axis.get_xlabel() for axis in figure.axes[:count])


def test_algorithms_are_drawn_without_auto_which_is_one_of_them(run):
    (legend,) = plots.algorithm_times(run, panels.WIDE).legends
    assert {label.get_text() for label in legend.get_texts()} == {"blas", "direct", "numpy.matmul", "winograd"}
    markers = {line.get_marker() for line in plots.algorithm_times(run, panels.WIDE).axes[0].get_lines()}
    assert len(markers - {"None"}) == 4


def test_of_many_channel_counts_not_every_one_has_a_tick(run):
    many = [replace(cell, channels=cell.channels * n) for cell in run.blocks for n in (1, 2, 32)]
    (axis, *_) = plots.times_against_channels(replace(run, blocks=many), panels.WIDE).axes
    assert list(axis.get_xticks()) == [8192, 512, 128, 32]


def test_terminal_lines_are_aligned_below_their_headings(run, capsys):
    terminal.show(tables.blocks_table(run))
    printed = capsys.readouterr().out.splitlines()
    lines = [line for line in printed if re.match(r" +\d+ ", line)]
    assert len(lines) == len(MACS) * len(CHANNELS)
    assert len({len(line) for line in lines}) == 1
    groups, header = printed[2:4]
    assert [heading.split() for heading in (groups.replace("-", ""), header)] == [
        ["fewer", "times", "as", "fast", "time"],
        ["channels", "MACs", "1", "thr", "2", "thr", "1", "thr", "2", "thr"],
    ]
    ends = [found.end() for found in re.finditer("-* (times as fast|time) -*|fewer", groups)]
    assert ends == [found.end() for found in re.finditer("2 thr|MACs", header)]


class _Loaded(HTMLParser):
    """Collects whatever a browser would load, and the text."""

    def __init__(self):
        super().__init__()
        self.sources, self.text = [], []

    def handle_starttag(self, tag, attrs):
        self.sources += [value for name, value in attrs if name in ("src", "href", "srcset", "data")]

    def handle_data(self, text):
        self.text.append(text)


def test_page_holds_the_tables_and_loads_nothing(run, html):
    loaded = _Loaded()
    loaded.feed(html)
    assert len(loaded.sources) == 2 * len(page.FIGURES)  # for wide pages and narrow ones
    assert all(source.startswith("data:image/svg+xml;base64,") for source in loaded.sources)
    assert not re.search(r"https?://|@import|url\(|<script", html)
    shown = set(loaded.text)
    for table in [summaries.answer_table(run), *summaries.all_summaries(run), *tables.all_tables(run)]:
        assert shown.issuperset([table.title, table.note])
        for cells in table.rows:
            assert shown.issuperset(cell for cell in cells if cell)


def test_the_answer_comes_first(html):
    order = [summaries.QUESTION + "</h1>", "The blocks", "What each block saves", "<img", "Blocks by channel count"]
    assert [html.index(said) for said in order] == sorted(html.index(said) for said in order)


def test_a_run_without_plain_convolutions_or_threads(tmp_path, drawn_alone):
    """Only one block at one channel count and one thread: whatever compares is left out, the page is made."""
    result = Results(MACHINE, {}, "c" * 40, 0, "3.11", "existing", {})
    add(result, data.BLOCKS, ((16,), (1,), ("fire/8 3×3",), ("auto",)), lambda *_: [1e-4])
    add(result, data.BLOCK_MACS, ((16,), ("fire/8 3×3",)), lambda *_: 1000)
    result.save(str(tmp_path))
    write_json(str(tmp_path / "known" / "machine.json"), MACHINE, 1)
    run = data.load(tmp_path)
    assert summaries.answer_table(run).rows == []
    assert "fire/8 3×3" in page.render(run)
    assert any("without its facts" in text for text in words.warnings(run))


def test_command_line(made, html, tmp_path, capsys):
    results, output, figure, printed = made
    assert str(output) in printed
    assert "Blocks by channel count" in printed
    assert (
        printed.index("Blocks by channel count") < printed.index(summaries.QUESTION) < printed.index("256 channels\n")
    )
    assert all(len(line) <= 80 for line in printed.splitlines() if not line.startswith(("Report: ", "Figure: ")))
    assert figure.read_text("utf-8") == panels.svg(plots.times_against_channels, data.load(results))
    assert html.startswith("<!DOCTYPE html>")
    assert suite.main(["report", "--results", str(tmp_path / "none")]) == 1
    assert "make bench" in capsys.readouterr().err


@pytest.mark.parametrize("output", ["folder", "file/report.html", "file/in/report.html", "/dev/full"])
def test_a_report_that_cannot_be_written_is_one_line(output, tmp_path, capsys, monkeypatch, without_figures):
    if output == "/dev/full" and not Path(output).exists():
        pytest.skip("there is no /dev/full here")
    monkeypatch.chdir(tmp_path)
    Path("folder").mkdir()
    Path("file").touch()
    results = str(store(tmp_path / "results"))
    assert suite.main(["report", "--results", results, "--output", output]) == 1
    errors = capsys.readouterr().err
    assert len(errors.splitlines()) == 1
    assert Path(output).parts[-1] in errors or Path(output).parts[0] in errors
