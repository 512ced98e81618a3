"""The race: every engine gets the graph that fastconv runs, and the tables tell what was measured."""

import json
import pickle
import re

import numpy as np
import pytest
from cases import normals

pytest.importorskip("asv")

import fastconv
from benchmarks.engines import ENGINES
from benchmarks.engines.model import Model
from benchmarks.race import __main__ as race
from benchmarks.race import exporter, field, page
from benchmarks.race.engine import Engine
from benchmarks.race.results import Result, foot, line
from benchmarks.race.rows import ALL, OURS, groups

RNG = np.random.default_rng(0)
GROUPS = groups()


def small_plan():
    """A plan with every operation that can be exported, whose arguments are unlike one another."""
    g = fastconv.Graph()

    def arrays(*shape):
        return normals(RNG, shape, "float32"), normals(RNG, shape[-1:], "float32")

    a = g.conv2d(g.x, *arrays(3, 5, 4, 8), stride=(2, 1), padding=((1, 0), (2, 1)), activation="relu", name="one.a")
    a = g.identity(g.local_response_norm(a, 3, alpha=0.3, k=2.0))
    b = g.conv2d(a, *arrays(3, 3, 4, 8), padding=2, dilation=(2, 2), groups=2, residual=a)
    c = g.max_pool2d(g.relu(b), (3, 2), stride=1, padding=((1, 1), (1, 0)))
    d = g.scale(g.batch_norm(b, *(abs(normals(RNG, (8,), "float32")) for _ in range(4))), *arrays(2, 8)[0])
    d = g.relu6(g.avg_pool2d(d, 3, stride=1, padding=1))
    e = g.conv2d(g.clip(g.concat(c, g.add(d, b), a), -1, 2.5), arrays(1, 1, 24, 5)[0] / 4, activation="relu6")
    f = g.avg_pool2d(g.max_pool2d(e, 3, stride=2, ceil_mode=True), 2, padding=1, count_include_pad=False)
    y = g.linear(g.dropout(g.flatten(f)), *arrays(2 * 2 * 5, 5), activation="relu")
    pooled = g.flatten(g.add(g.global_max_pool2d(e), g.global_avg_pool2d(e)))
    return g.plan(g.softmax(g.linear(g.add(y, pooled), arrays(5, 3)[0] / 32)))


# Two images in turn, as in a row's batch; eight, since onnx's evaluator normalises only as many of a map's channels.
PLAN, X = small_plan(), normals(RNG, (2, 9, 8, 4), "float32")[np.arange(8) % 2]


def put(folder, plan, x):
    """What a row's folder holds."""
    exporter.exported(plan, x).save(folder)
    (folder / "plan.pickle").write_bytes(pickle.dumps(plan))
    return folder


@pytest.mark.parametrize("title", ["blocks", "networks, batch 1", "networks, batch 8"])
def test_blocks_and_networks_are_raced_against_every_engine(title):
    assert {OURS, *GROUPS[title].peers} == {name for name in ENGINES if not name.startswith(f"{OURS}_")}


@pytest.mark.parametrize("title", GROUPS)
def test_rows_are_made_and_exported(title):
    names = [row.name for row in GROUPS[title].rows]
    assert len(set(names)) == len(names)
    for row in GROUPS[title].rows[: 1 if "networks" in title else None]:
        plan, x = row.make(num_threads=1), np.zeros(row.x_shape, np.float32)
        model, graph = exporter.exported(plan, x), plan._graph
        n, *pixels, channels = plan(x).shape
        assert model.y_shape == (n, channels, *pixels)
        assert sum(array.size for array in model.arrays.values()) == graph.params


def test_batch_norms_are_exported_as_weights():
    g = fastconv.Graph()
    y = g.conv2d(g.x, normals(RNG, (1, 1, 4, 2), "float32"))
    plan = g.plan(g.batch_norm(y, *np.ones((2, 2), np.float32)))
    assert [node["op"] for node in exporter.exported(plan, X).nodes] == ["Conv"]


def test_every_operation_that_can_be_exported_is_tested():
    assert {node.operation.kind for node in PLAN._graph.nodes} == exporter.TRANSLATIONS.keys()


def test_the_onnx_model_computes_what_the_graph_does(tmp_path):
    evaluator = pytest.importorskip("onnx.reference").ReferenceEvaluator
    model = Model.load(put(tmp_path, PLAN, X))
    (y,) = evaluator(model.onnx_proto()).run(None, {"x": model.x})
    assert field.is_right(y, field.reference(PLAN, X))


@pytest.mark.parametrize("name", ENGINES)
def test_an_engine_computes_what_the_graph_does(name, tmp_path):
    """Of those that are installed, where PEERS_PYTHON says or here; one that died of a question goes on."""
    engine = Engine(name, 1)
    if "error" in (started := engine.start()):
        pytest.skip(started["error"])
    try:
        assert engine.prepare(put(tmp_path, PLAN, X)) is None
        assert field.is_right(np.load(tmp_path / f"{name}.npy"), field.reference(PLAN, X))
        assert "nowhere" in engine.prepare(tmp_path / "nowhere")
        engine.process.kill()
        engine.process.wait()
        assert engine.prepare(tmp_path) is None
        assert engine.turn(0)["median"] > 0
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
    for name in (OURS, *ALL):
        assert f"without {name}: " in printed or re.search(rf"winograd 5×5 .*\b{name}\b", printed)
    written = json.loads(file.read_text())
    assert [result["threads"] for result in written["results"]] == [1, 1]
    assert written["versions"][OURS] == fastconv.__version__


def test_an_answer_is_right_within_a_ten_thousandth_of_the_largest_value():
    expected = np.array([[1.0, -2.0]])
    assert field.is_right(expected + np.array([0, 1.9e-4]), expected)
    assert not field.is_right(expected + np.array([2.1e-4, 0]), expected)
    assert not field.is_right(expected * np.nan, expected)


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
    assert "| Fire 2 | 1 | 2.50 | 2000 | 6000 | 5000 | 500* |\n| Fire 2 | 2 | 4.00 | 1 | – | – | 4 |\n" in written
    assert "| layers, direct | 1 | 2.00 (2.00) | – (–) |\n| blocks | 1 | 2.50 (2.50) | 4.00 (4.00) |\n" in written
    assert "A CPU, 2 CPUs, 2026-01-02, commit abc, PyTorch 2.0." in written
    path.write_text("no markers", "utf-8")
    with pytest.raises(ValueError, match="must have the lines"):
        page.write(path, run, [layer])


def test_the_readme_has_the_markers():
    text = page.README.read_text("utf-8")
    assert text.count(page.BEGIN) == text.count(page.END) == 1
