"""The benchmark suite: it runs, times what it means to, and its formulas are right. No test looks at a time."""

import os
import re
import subprocess
import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("asv")

from asv.config import Config
from asv_runner.discovery import disc_benchmarks, update_sys_path

from benchmarks.report import data
from fastconv import networks

SUITE = Path(__file__).parents[2] / "benchmarks"
update_sys_path(str(SUITE))

from benchmarks import WarmTimeBenchmark, cold, common, configs, peak  # noqa: E402
from benchmarks.__main__ import QUICK, Progress  # noqa: E402

BENCHMARKS = {benchmark.name: benchmark for benchmark in disc_benchmarks(str(SUITE))}


class _Once:
    """What `asv run --quick` sets."""

    number = repeat = rounds = 1
    warmup_time = 0


def cells(benchmark):
    """The parameters of every cell."""
    return list(product(*benchmark._params))


def smallest(benchmark):
    """The cells of the fewest channels; of the published layers, those of the least work."""
    if "Published" in benchmark.name:
        least = min(configs.published(), key=lambda name: configs.published()[name].cost().macs)
        return [cell for cell in cells(benchmark) if cell[-1] == least]
    if benchmark.param_names[:1] == ["channels"]:
        return [cell for cell in cells(benchmark) if cell[0] == min(benchmark._params[0])]
    return cells(benchmark)


@pytest.mark.parametrize("name", BENCHMARKS)
def test_runs_once_at_its_smallest_size(name):
    benchmark = BENCHMARKS[name]
    benchmark._attr_sources.insert(0, _Once)
    ran = 0
    for cell in smallest(benchmark):
        benchmark.set_param_idx(cells(benchmark).index(cell))
        if benchmark.do_setup():  # n/a here
            continue
        result = benchmark.do_run()
        benchmark.do_teardown()
        value = result["samples"][0] if isinstance(result, dict) else result
        assert np.isfinite(value)
        assert value >= 0
        ran += 1
    assert ran


def test_time_benchmarks_are_set_up_once_and_timed_in_a_loop():
    class Counted:
        setups = calls = 0
        warmup_time, repeat = 0.001, 2

        def setup(self):
            self.setups += 1

        def time_it(self):
            self.calls += 1

    counted = Counted()
    benchmark = WarmTimeBenchmark("Counted.time_it", counted.time_it, [counted.time_it, counted])
    benchmark.do_setup()
    result = benchmark.do_run()
    assert counted.setups == 1
    assert result["number"] > 1
    assert counted.calls >= 2 * result["number"]
    timed = [benchmark for name, benchmark in BENCHMARKS.items() if ".time_" in name]
    assert timed
    assert all(type(benchmark).__name__ == "WarmTimeBenchmark" for benchmark in timed)


MACS = {  # for each pixel and c², by hand
    "plain 3x3": 9,
    "reduced/2 3x3": 1 / 2 + 9 / 2,
    "reduced/4 3x3": 1 / 4 + 9 / 4,
    "reduced/8 3x3": 1 / 8 + 9 / 8,
    "bottleneck/4 3x3": 1 / 4 + 9 / 16 + 1 / 4,
    "fire/8 3x3": 1 / 8 + 1 / 16 + 9 / 16,
    "plain 5x5": 25,
    "reduced/8 5x5": 1 / 8 + 25 / 8,
}


@pytest.mark.parametrize("channels", configs.CHANNELS)
@pytest.mark.parametrize("name", configs.BLOCKS)
def test_formulas(name, channels):
    layer = configs.BLOCKS[name](channels)
    assert layer.cost().macs == MACS[name] * channels**2 * configs.MAP_SIZE**2
    assert layer.x_shape == layer.out_shape == (configs.MAP_SIZE, configs.MAP_SIZE, channels)
    plan = common.plan(layer, num_threads=1)
    assert plan.cost(layer.x_shape) == layer.cost()
    assert configs.BLOCKS[data.plain_name(name)](channels).out_shape == layer.out_shape


def test_published_layers():
    layers = configs.published()
    macs = {name: layer.cost().macs for name, layer in layers.items()}
    assert macs["googlenet 3a"] == 128_049_152
    assert macs["squeezenet fire2"] == 35_622_400
    assert macs["resnet layer1.1"] == 218_365_952
    assert macs["alexnet conv2"] == 223_948_800
    shapes = [tuple(layer.conv_shapes().values()) for layer in layers.values()]
    assert all(shapes)
    assert len(set(shapes)) == len(shapes)


def test_a_wrong_result_is_not_timed(monkeypatch):
    layer = configs.BLOCKS["fire/8 3x3"](16)
    call = common.Call(layer, 1)
    expected = common.reference_call(layer)()
    common.check(call.y, expected)
    for place in ((0, 0, 0), (-1, -1, -1), (13, 14, 8)):
        wrong = expected.copy()
        wrong[place] += 1
        with pytest.raises(AssertionError, match="1 of 12544 values are wrong"):
            common.check(call.y, wrong)
        with pytest.raises(AssertionError, match="1 of 12544 values are wrong"):
            common.check(call.y + 0.4, wrong, may_round=True)
    common.check(expected + 0.4, expected, may_round=True)
    with pytest.raises(AssertionError, match="12544 of 12544"):
        common.check(expected + 0.4, expected)
    with pytest.raises(AssertionError, match="shape"):
        common.check(call.y, expected[1:])
    monkeypatch.setattr(common, "reference_call", lambda layer: lambda: wrong)
    with pytest.raises(AssertionError, match="values are wrong"):
        common.Call(layer, 1)


def test_data_start_on_a_cache_line_and_stay_the_same():
    array = common.integers((28, 28, 3), 2)
    assert array.ctypes.data % 64 == 0
    assert array is common.integers((28, 28, 3), 2)
    assert set(np.unique(array)) == {-2, -1, 0, 1, 2}


def test_quick_expressions_select_what_they_name():
    names = [
        f"{name}({', '.join(map(repr, cell))})" if benchmark._params else name
        for name, benchmark in BENCHMARKS.items()
        for cell in cells(benchmark)
    ]
    for expression in QUICK:
        assert any(re.search(expression, name) for name in names), expression
    quick = [name for name in names if any(re.search(expression, name) for expression in QUICK)]
    assert sum(".time_block(" in name for name in quick) == 5 * 6 * len(common.THREADS)
    assert sum(".track_" in name and "bench_blocks" in name for name in quick) == 5 * 6 * 2
    for algorithms, rows in (
        (("auto", "direct", "winograd"), ("3x3", "5x5")),
        (("auto", "direct", "blas"), ("1x1 c→c",)),
    ):
        for layer in rows:
            cells_of = [
                name for name in quick if f"'{layer}', '" in name and ".time_" in name and "bench_layers" in name
            ]
            for algorithm in algorithms:
                assert sum(f"'{algorithm}'" in name for name in cells_of) == 4 * len(common.THREADS)


def test_choices_are_those_that_plans_describe():
    for name, spans in common.choices().items():
        assert spans[0][0] == 1
        assert spans[-1][1] == max(configs.LAYER_CHANNELS)
        for first, last, algorithm in spans:
            for channels in {first, min(last, 64)}:
                layer = configs.CHOICES[name](channels)
                described = common.plan(layer, num_threads=1).describe(layer.x_shape)
                assert algorithm.split()[0] == described.algorithm
                assert described.algorithm != "winograd" or algorithm.removeprefix("winograd ") in described.tile


def test_report_knows_the_benchmarks_by_name():
    known = {value for name, value in vars(data).items() if name.isupper() and isinstance(value, str)}
    for name in known - {data.CALLS, data.AUTO}:
        assert name in BENCHMARKS
    assert any(name.startswith(data.CALLS) for name in BENCHMARKS)
    order = ["channels", "threads", "block", "algorithm"]
    assert BENCHMARKS[data.BLOCKS].param_names == order
    assert (
        BENCHMARKS[data.POINTWISE].param_names
        == BENCHMARKS[data.SPATIAL].param_names
        == [*order[:2], "layer", order[3]]
    )


def test_asv_knows_every_key_of_its_configuration(monkeypatch):
    """It ignores others in silence. build_cache_size is read by asv without a default of its own."""
    monkeypatch.chdir(SUITE)
    given = vars(Config.load()).keys()
    assert given - vars(Config()).keys() == {"build_cache_size"}


def test_progress_tells_the_parameters_but_not_the_recorded_facts(capsys):
    progress = Progress()
    progress.total = 2
    params = {
        name: [list(map(repr, values)) for values in BENCHMARKS[name]._params] for name in (data.FACTS, data.PEAK)
    }
    progress.benchmarks = {name: {"params": values} for name, values in params.items()}
    for name in params:
        progress.show(name, 0)
        progress.last = -1000
    assert re.fullmatch(
        r"\[ +1/2\] about \S+ min left: track_facts\n\[ +2/2\] about \S+ min left: track_peak 1\n",
        capsys.readouterr().out,
    )


def test_peak_counts_what_is_met(monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["peak", "odd channels", "small groups", "--seconds", "0", "--threads", "1"])
    peak.main()
    printed = capsys.readouterr().out
    rows = re.findall(r"^  3×3 \d.*@\S+.*? +(\d+\.\d+)(<?) +(\S+) +\d+\.\d+$", printed, re.MULTILINE)
    assert len(rows) == 5
    assert all(
        (float(value) < float(wanted)) == bool(mark) or float(value) == float(wanted) for value, mark, wanted in rows
    )
    met = sum(not mark for _, mark, _ in rows)
    assert f"{met} of 5 wanted figures met, {5 - met} missed" in printed


def test_cold_passes_chain_their_layers(monkeypatch, capsys):
    beginning = cold.convolutions(networks.resnet())[:8]  # to the end of the second bottleneck
    monkeypatch.setattr(cold, "convolutions", lambda network: beginning)
    monkeypatch.setattr(cold, "TURNS", 1)
    monkeypatch.setattr("sys.argv", ["cold", "--threads", "1", "--passes", "1"])
    cold.main()
    printed = capsys.readouterr().out
    assert "2 × 3×3 64→64@56², F(4×4, 3×3)" in printed
    arrays = cold.Arrays()
    steps = [cold.Step(layer, arrays, 1) for layer in beginning]
    reduce, conv, expand = steps[-3:]
    assert conv.x is reduce.y
    assert expand.x is conv.y
    assert reduce.x is steps[-4].y
    assert all(step.x is not step.y for step in steps)


def test_a_program_of_the_suite_without_its_extra_tells_its_name(tmp_path):
    (tmp_path / "asv_runner.py").touch()  # found before the package
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path])}
    command = sys.executable, "-m", "benchmarks.models"
    result = subprocess.run(command, capture_output=True, text=True, cwd=SUITE.parent, env=environment)
    (line,) = result.stderr.splitlines()
    assert "the extra bench: python -m pip install '.[bench]'" in line
