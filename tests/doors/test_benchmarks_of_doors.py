"""`python -m benchmarks.models` and `python -m benchmarks.compiled` at their smallest."""

import json

import numpy as np
import onnx
import pytest
from onnx_models import model

pytest.importorskip("asv_runner")

from benchmarks import compiled, models


@pytest.fixture
def path(tmp_path):
    weight = np.random.default_rng(1).standard_normal((4, 3, 3, 3), np.float32)
    onnx.save(model([("Conv", "x w", "y", {})], {"w": weight}), tmp_path / "net.onnx")
    return tmp_path / "net.onnx"


def test_models_are_raced(path, tmp_path, capsys):
    to = tmp_path / "found.json"
    models.main([f"{path}:1x3x8x8", "--threads", "1", "--rounds", "1", "--seconds", "0", "--json", str(to)])
    (row,) = (line.split() for line in capsys.readouterr().out.splitlines() if line.startswith("  net "))
    assert row[1] == "1x3x8x8"
    assert float(row[2]) > 0 < float(row[3])  # fastconv and ONNX Runtime
    (record,) = json.loads(to.read_text())
    assert record["wrong"] == []


def test_a_model_whose_branches_read_its_input_is_raced(tmp_path, capsys):
    text = """<ir_version: 10, opset_import: ["" : 20]> agraph (float[1, 4] image) => (float[1, 4] y) {
        most = ReduceMax <keepdims = 0> (image)  zero = Constant <value = float {0}> ()  which = Greater (most, zero)
        y = If (which) <then_branch = positive () => (float[1, 4] a) { a = Exp (image) },
                        else_branch = negative () => (float[1, 4] b) { b = Neg (image) }> }"""
    onnx.save(onnx.parser.parse_model(text), tmp_path / "branches.onnx")
    models.main([f"{tmp_path}/branches.onnx:1x4", "--threads", "1", "--rounds", "1", "--seconds", "0"])
    assert "  branches 1x4 " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "told"), [("{}", "has no sizes"), ("{}:1x", "has no sizes"), ("{}x:1x3x8x8", "there is no file")]
)
def test_what_names_no_model_is_a_line(path, text, told, capsys):
    with pytest.raises(SystemExit):
        models.main([text.format(path)])
    assert told in capsys.readouterr().err.splitlines()[-1]


def test_the_backend_is_measured_beside_eager(monkeypatch, capsys):
    monkeypatch.setattr(compiled, "WAYS", ["eager", "fastconv"])  # PyTorch's own compiler takes a minute
    options = ["--threads", "1", "--size", "64", "--rounds", "1", "--seconds", "0"]
    compiled.main(["--networks", "squeezenet", *options])
    head, row = capsys.readouterr().out.splitlines()
    assert head.split() == ["network", "threads", "eager", "ms", "fastconv", "ms", "eager/fastconv"]
    assert row.split()[:2] == ["squeezenet", "1"]
    assert all(float(figure) > 0 for figure in row.split()[2:])


def test_an_unknown_network_is_a_line(capsys):
    with pytest.raises(SystemExit):
        compiled.main(["--networks", "alexnet"])
    assert "--networks must be among resnet18, " in capsys.readouterr().err
