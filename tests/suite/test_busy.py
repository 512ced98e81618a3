"""Beside other work: what is busy ends with who started it, and the tables tell what was measured."""

import json
import signal
import subprocess
import sys
import time
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

pytest.importorskip("asv")

from benchmarks.busy import __main__ as busy
from benchmarks.busy.processes import Busy
from benchmarks.busy.results import Result, fair_cpu, head, lines, slowdown, verdicts
from benchmarks.engines import ENGINES, VARIABLES
from benchmarks.engines.__main__ import MIN_CALLS, turn
from benchmarks.race.engine import Engine

ROOT = Path(__file__).parents[2]


def test_a_fair_system_gives_each_thread_the_same():
    assert [fair_cpu(n, cpus=2) for n in (1, 2, 4)] == [1, 1, 0.5]
    assert [slowdown(n, threads=2, cpus=2) for n in (0, 1, 2, 4)] == [1, 1.5, 2, 3]
    assert [slowdown(n, threads=1, cpus=2) for n in (0, 1, 2, 3)] == [1, 1, 1.5, 2]
    assert [slowdown(n, threads=8, cpus=2) for n in (0, 4, 8)] == [1, 1.5, 2]  # which is slow without others too
    assert slowdown(2, threads=2, cpus=4) == 1


def test_busy_processes_compute_until_the_context_ends():
    with Busy(2) as spinning:
        assert all(process.poll() is None for process in spinning.processes)
        assert all(share > 0 for share in spinning.cpus(0.1))
    assert all(process.poll() is not None for process in spinning.processes)


def test_busy_processes_end_where_one_of_them_cannot_start(monkeypatch):
    start, started = subprocess.Popen, []

    def fail_at_the_second(*args, **options):
        if started:
            raise OSError("no more processes")
        started.append(start(*args, **options))
        return started[0]

    monkeypatch.setattr(subprocess, "Popen", fail_at_the_second)
    with pytest.raises(OSError, match="no more processes"), Busy(2):
        pass
    assert started[0].poll() is not None


def alive(session):
    """The processes of a session that have not ended."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, own = stat.read_text().rpartition(")")[2].split()[:4]
        except OSError:  # it ended meanwhile
            continue
        if int(own) == session and state != "Z":
            found.append(stat.parent.name)
    return found


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_nothing_is_left_of_what_is_interrupted(sent):
    command = [sys.executable, "-u", "-m", "benchmarks.busy", "--engines", "fastconv", "--seconds", "1", "--busy", "2"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
    heed = partial(signal.signal, signal.SIGINT, signal.SIG_DFL)  # which shells let their background jobs ignore
    process = subprocess.Popen(command, cwd=ROOT, text=True, start_new_session=True, preexec_fn=heed, **pipes)
    told = iter(process.stdout.readline, "")
    assert any("quiet, ms" in line for line in told)  # the first row begins
    while len(alive(process.pid)) < 4:  # the engine, and two that are busy
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(sent)
    process.wait(60)
    end = time.monotonic() + 60
    while alive(process.pid) and time.monotonic() < end:
        time.sleep(0.01)
    assert alive(process.pid) == []


def test_calls_are_apart_by_the_gap():
    starts = []
    record = turn(lambda: starts.append(time.perf_counter()), 0, gap=0.01)
    assert record["calls"] == MIN_CALLS == len(starts) - 1  # one call warms up
    assert all(later - earlier >= 0.01 for earlier, later in pairwise(starts))
    assert record["worst"] >= record["mean"] > 0


def test_the_measurement_runs_with_the_engines_that_are_installed(monkeypatch, capsys, tmp_path):
    file = tmp_path / "busy.json"
    options = ["--rows", "1×1 512→128@28²", "--busy", "1", "--rounds", "1", "--seconds", "0", "--json", str(file)]
    monkeypatch.setattr("sys.argv", ["busy", *options, "--engines", "fastconv_openmp"])
    busy.main()
    printed = capsys.readouterr().out
    assert "1×1 512→128@28²" in printed
    assert "| fastconv, OpenMP " in printed
    assert "fastconv, OpenMP: at most 1.3 fair shares in " in printed
    (result,) = json.loads(file.read_text())["results"]
    assert result["turns"].keys() == {"0", "1"}
    assert result["burnt"]["fastconv_openmp"] >= 0


@pytest.mark.parametrize("layer", ["pool", "openmp"])
def test_an_engine_has_the_threads_of_its_layer(layer):
    code = "from benchmarks.engines.__main__ import main; main(); import fastconv, sys; "
    code += "print(fastconv.get_config()['threading'], file=sys.stderr)"
    command = [sys.executable, "-c", code, f"fastconv_{layer}", "1"]
    done = subprocess.run(command, cwd=ROOT, input="", capture_output=True, text=True, check=True)
    assert done.stderr == f"{layer}\n"


def test_fastconv_runs_in_this_interpreter_and_others_where_they_are(monkeypatch):
    monkeypatch.setenv("PEERS_PYTHON", "/elsewhere/python")
    pythons = {name: Engine(name, 1).command[0] for name in busy.ENGINES}
    ours = {"fastconv_pool", "fastconv_openmp"}
    assert pythons == {name: sys.executable if name in ours else "/elsewhere/python" for name in busy.ENGINES}


def test_rows_and_engines_are_known():
    assert len({row.name for row in busy.rows(busy.ROWS)}) == len(busy.ROWS)
    assert ENGINES.keys() >= {*busy.ENGINES, *VARIABLES}
    with pytest.raises(SystemExit, match="no row of the race has 'Fire 99'"):
        busy.rows(["Fire 99"])


def record(calls, mean, worst):
    """A turn in milliseconds; the median is half the mean, so that it shows which is taken."""
    return {"calls": calls, "mean": mean / 1e3, "median": mean / 2e3, "worst": worst / 1e3}


def result():
    turns = {
        0: {"fastconv_pool": [record(1000, 2, 3)], "onnxruntime": [record(1000, 4, 5)]},
        1: {"fastconv_pool": [record(1, 8, 9), record(3, 1, 2)], "onnxruntime": [record(10, 2, 30)]},
        2: {"fastconv_pool": [record(1, 2, 2)], "onnxruntime": [record(1, 2.5, 2.5)]},
    }
    apart = {"fastconv_pool": [record(9, 3, 3)], "onnxruntime": [record(9, 4, 4)], "ncnn": []}
    burnt = {"fastconv_pool": 0.0012, "onnxruntime": 0.03}
    return Result("a row", 2, turns, apart, burnt, ["onnxruntime"], {"ncnn": "crashed"})


def test_a_mean_is_that_of_all_calls_in_shares_of_the_quiet_median(monkeypatch):
    monkeypatch.setattr("benchmarks.busy.results.slowdown", lambda busy, threads: 1 + busy / threads)
    assert result().mean("fastconv_pool", 1) == pytest.approx(2.75e-3)  # (8 + 3 · 1) / 4
    assert result().shares("fastconv_pool", 1) == pytest.approx(2.75 / 1.5)
    assert result().worst("fastconv_pool", 1) == 0.009
    assert [" ".join(line.split()) for line in lines(result(), [1, 2]).split("\n")] == [
        "| **a row** | | | | | |",
        "| fastconv, pool | 1.000 (3.0) | 1.83 (9.0) | 1.00 (2.0) | 1.50 | 1.2 |",
        "| ONNX Runtime* | 2.000 (5.0) | 0.67 (30) | 0.62 (2.5) | 1.00 | 30.0 |",
        "ncnn: crashed",
    ]
    assert "| beside 1 |" in " ".join(head([1, 2], 1e-4).split())
    assert "100 µs apart" in head([1, 2], 1e-4)
    assert verdicts([result()], [1, 2]) == (
        "fastconv, pool: at most 1.3 fair shares in 1 of 2 cells (most 1.83); no call above 20 ms in 2 of 2 cells "
        "(most 9 ms); a mean no longer than that of ONNX Runtime in 1 of 2 cells (most 1.38 of it)."
    )
