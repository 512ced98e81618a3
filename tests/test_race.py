"""The race: every engine gets the graph that fastconv runs, and the tables tell what was measured."""

import json
import pickle
import re

import numpy as np
import pytest
from cases import normals
from compare import assert_close
from graph_cases import magnitude, terms

pytest.importorskip("asv")

import fastconv
from benchmarks.engines import ENGINES
from benchmarks.engines.model import Model
from benchmarks.race import __main__ as race
from benchmarks.race import exporter, page
from benchmarks.race.engine import Engine
from benchmarks.race.results import Result, foot, line
from benchmarks.race.rows import OURS, groups
from fastconv import reference

RNG = np.random.default_rng(0)
GROUPS = groups()


def small_plan():
    """A plan with every operation that can be exported, whose arguments are unlike one another."""
    g = fastconv.Graph()

    def arrays(*shape):
        return normals(RNG, shape, "float32"), normals(RNG, shape[-1:], "float32")

    a = g.conv2d(g.x, *arrays(3, 5, 4, 8), stride=(2, 1), padding=((1, 0), (2, 1)), activation="relu", name="one.a")
    b = g.conv2d(a, *arrays(3, 3, 4, 8), padding=2, dilation=(2, 2), groups=2, residual=a)
    c = g.max_pool2d(b, (3, 2), stride=1, padding=((1, 1), (1, 0)))
    d = g.avg_pool2d(g.relu(b), 3, stride=1, padding=1)
    e = g.concat(c, g.add(d, b), a)
    return g.plan(g.global_avg_pool2d(g.conv2d(e, arrays(1, 1, 24, 5)[0])))


PLAN, X = small_plan(), normals(RNG, (2, 9, 8, 4), "float32")


def assert_right(y):
    """Assert that y, NCHW, is the output of PLAN for X within the bound."""
    graph = PLAN._graph
    assert_close(y.transpose(0, 2, 3, 1), reference.graph(PLAN, X), magnitude(graph, X), terms(graph) + 1, X.dtype)


def put(folder, plan, x):
    """What a row's folder holds."""
    exporter.exported(plan, x).save(folder)
    (folder / "plan.pickle").write_bytes(pickle.dumps(plan))
    return folder


@pytest.mark.parametrize("title", GROUPS)
def test_rows_are_made_and_exported(title):
    names = [row.name for row in GROUPS[title].rows]
    assert len(set(names)) == len(names)
    for row in GROUPS[title].rows[: 1 if "networks" in title else None]:
        plan, x = row.make(num_threads=1), np.zeros(row.x_shape, np.float32)
        model, graph = exporter.exported(plan, x), plan._graph
        n, height, width, channels = graph.shapes(x.shape)[graph.output]
        assert model.y_shape == (n, channels, height, width)
        assert sum(array.size for array in model.arrays.values()) == graph.params


def test_every_operation_that_can_be_exported_is_tested():
    known = {kind for kind in exporter.TRANSLATIONS if kind.__name__ != "Operation"}
    assert {type(node.operation) for node in PLAN._graph.nodes} == known


def test_the_onnx_model_computes_what_the_graph_does(tmp_path):
    evaluator = pytest.importorskip("onnx.reference").ReferenceEvaluator
    model = Model.load(put(tmp_path, PLAN, X))
    assert_right(evaluator(model.onnx_proto()).run(None, {"x": model.x})[0])


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_computes_what_the_graph_does(name, tmp_path):
    """Of those that are installed, where PEERS_PYTHON says or here; one that died of a question goes on."""
    engine = Engine(name, 1)
    if "error" in (started := engine.start()):
        pytest.skip(started["error"])
    try:
        assert engine.prepare(put(tmp_path, PLAN, X)) is None
        assert_right(np.load(tmp_path / f"{name}.npy"))
        assert "nowhere" in engine.prepare(tmp_path / "nowhere")
        engine.process.kill()
        engine.process.wait()
        assert engine.prepare(tmp_path) is None
        assert engine.seconds_a_call(0) > 0
    finally:
        engine.close()


def test_the_race_runs_with_the_engines_that_are_installed(monkeypatch, capsys, tmp_path):
    monkeypatch.delenv("PEERS_PYTHON", raising=False)
    file = tmp_path / "race.json"
    options = ["--rows", "24→64@14²", "--rounds", "1", "--seconds", "0", "--threads", "1", "--json", str(file)]
    monkeypatch.setattr("sys.argv", ["race", *options])
    race.main()
    printed = capsys.readouterr().out
    rows = re.findall(r"^  .*5×5 24→64@14² +(\S+)", printed, re.MULTILINE)
    assert len(rows) == 2  # by itself and as a layer of GoogLeNet
    assert all(float(time) > 0 for time in rows)
    for name in ENGINES:
        assert f"without {name}: " in printed or re.search(rf"winograd 5×5 .*\b{name}\b", printed)
    written = json.loads(file.read_text())
    assert [result["threads"] for result in written["results"]] == [1, 1]
    assert written["versions"][OURS] == fastconv.__version__


SECONDS = {OURS: [1.0, 2.0, 4.0], "torch": [3.0, 6.0, 8.0], "ncnn": [5.0, 5.0, 5.0], "mnn": [0.5, 0.5, 0.5]}
RESULT = Result("blocks", "Fire 2", 1, SECONDS, wrong=["mnn"], errors={"opencv": "crashed"})


def test_a_ratio_is_taken_round_by_round_to_the_fastest_that_is_right():
    assert RESULT.fastest == "ncnn"  # whose median is the least, 5
    assert RESULT.ratio == 2.5  # of 5, 2.5 and 1.25
    assert Result("blocks", "Fire 2", 1, {OURS: [1.0]}).ratio is None
    assert Result("blocks", "Fire 2", 1, {"torch": [1.0]}).ratio is None


def test_the_table_tells_what_is_wrong_slow_or_missing():
    told = line(RESULT, [OURS, "torch", "mnn", "opencv"], 3).split("\n")
    assert told[0].split()[-5:] == ["2000", "6000", "500*", "–", "2.50<"]
    assert told[1:] == ["    opencv: crashed"]
    other = Result("blocks", "Fire 3", 1, {OURS: [1.0], "torch": [10.0]})
    assert foot([RESULT, other], 3) == "  geometric mean 5.00, least 2.50<, at least 3 in 1 of 2 rows"


def test_the_readme_gets_tables_between_its_markers(tmp_path):
    path = tmp_path / "README.md"
    path.write_text(f"before\n{page.BEGIN}\nold\n{page.END}\nafter\n", "utf-8")
    run = page.Run("A CPU", 2, "2026-01-02", "abc", {OURS: "0.1", "torch": "2.0", "torch_compiled": "2.0"})
    exact = Result("blocks", "Fire 2", 2, {OURS: [0.001], "mnn": [0.001], "mnn_exact": [0.004]}, wrong=["mnn"])
    layer = Result("layers, direct", "1×1", 1, {OURS: [0.001], "torch": [0.002]})
    page.write(path, run, [layer, RESULT, exact])
    written = path.read_text("utf-8")
    assert written.startswith(f"before\n{page.BEGIN}\n")
    assert written.endswith(f"{page.END}\nafter\n")
    assert "old" not in written
    assert "| Fire 2 | 1 | 2000 | 6000 | 5000 | 500* | 2.50 |\n| Fire 2 | 2 | 1 | – | – | 4 | 4.00 |\n" in written
    assert "| layers, direct | 1 | 2.00 (2.00) | – (–) |\n| blocks | 1 | 2.50 (2.50) | 4.00 (4.00) |\n" in written
    assert "A CPU, 2 CPUs, 2026-01-02, commit abc; PyTorch 2.0." in written
    path.write_text("no markers", "utf-8")
    with pytest.raises(ValueError, match="must have the lines"):
        page.write(path, run, [layer])


def test_the_readme_has_the_markers():
    text = page.README.read_text("utf-8")
    assert text.count(page.BEGIN) == text.count(page.END) == 1
