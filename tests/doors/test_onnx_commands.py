"""`fastconv profile`, `fastconv run` and the example, on files."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import FLOAT, by_onnxruntime, model

import fastconv
from fastconv import cli

X = np.random.default_rng(0).standard_normal((1, 3, 12, 12), np.float32)
pytestmark = pytest.mark.filterwarnings("ignore:.*did fewer multiply-adds")


@pytest.fixture
def path(tmp_path):
    rng = np.random.default_rng(1)
    weights = {"a": rng.standard_normal((2, 3, 1, 1), np.float32), "b": rng.standard_normal((4, 2, 3, 3), np.float32)}
    nodes = [("Conv", "x a", "u", {}), ("Conv", "u b", "v", {}), ("Atan", "v", "y", {})]
    proto = model(nodes, weights, shapes={"x": ["N", 3, 12, 12]})
    onnx.save(proto, tmp_path / "net.onnx")
    return tmp_path / "net.onnx"


def test_profile(path, capsys):
    assert cli.main(["profile", str(path)]) == 0
    printed = capsys.readouterr().out
    assert "onnx.reference" in printed
    assert "reduces 3 to 2" in printed
    assert cli.main(["profile", str(path), "--shape", "2x3x12x12", "--threads", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["shapes"], found["threads"]) == ({"x": [2, 3, 12, 12]}, 1)
    assert [step["operation"] for step in found["steps"]] == ["layout", "conv2d", "conv2d", "Atan", "layout"][
        : len(found["steps"])
    ]
    assert found["pointwise"][0]["macs"] == 2 * (144 * 6 + 100 * 9 * 8)


def test_profile_of_saved_inputs(tmp_path, capsys):
    """On what the numbers decide; what is not saved is random."""
    less = [helper.make_tensor_value_info("p", FLOAT, None)]
    more = [helper.make_tensor_value_info("q", FLOAT, None)]
    branches = {
        "then_branch": helper.make_graph([helper.make_node("Exp", ["x"], ["p"])], "then", [], less),
        "else_branch": helper.make_graph([helper.make_node("Sqrt", ["x"], ["q"])], "else", [], more),
    }
    nodes = [("Equal", "rate hz", "c", {}), ("If", "c", "y", branches)]
    proto = model(nodes, {"hz": np.array(16000)}, ("x", "rate"), shapes={"x": ["N", 40], "rate": []})
    proto.graph.input[1].type.tensor_type.elem_type = 7
    onnx.save(proto, tmp_path / "net.onnx")
    for rate, kind in (16000, "exp"), (8000, "sqrt"):
        np.savez(tmp_path / "in.npz", rate=np.array(rate))
        options = ["--input", str(tmp_path / "in.npz"), "--shape", "2x40", "--json"]
        assert cli.main(["profile", str(tmp_path / "net.onnx"), *options]) == 0
        found = json.loads(capsys.readouterr().out)
        assert found["shapes"] == {"rate": [], "x": [2, 40]}
        assert kind in [step["operation"] for step in found["steps"]]
    assert cli.main(["profile", str(tmp_path / "net.onnx"), "--input", str(tmp_path / "net.onnx")]) == 2
    assert "--input must be a .npy or .npz file of numbers" in capsys.readouterr().err


def test_wrong_shapes(path, capsys):
    for given, told in (
        ("3x3", "x must have shape (N, 3, 12, 12), got (3, 3)"),
        ("1x2y", "--shape must be sizes with x between them"),
        ("1x-3x12x12", "--shape must be sizes with x between them"),
        ("z=1x2", "--shape must be that of an input, once for each of x, got 'z=1x2'"),
    ):
        assert cli.main(["profile", str(path), "--shape", given]) == 2
        assert told in capsys.readouterr().err
    assert cli.main(["profile", str(path), "--shape", "1x3x12x12", "--shape", "x=2x3x12x12"]) == 2
    assert "once for each of x, got 'x=2x3x12x12'" in capsys.readouterr().err
    np.save(path.with_name("x.npy"), np.zeros((1, 3, 12, 12), np.float32))
    assert cli.main(["profile", str(path), "--input", str(path.with_name("x.npy")), "--shape", "1x3x12x12"]) == 2
    assert capsys.readouterr().err == ("fastconv: --shape must be left out where no input needs one, got '1x3x12x12'\n")
    assert cli.main(["profile", str(path), "--threads", "0"]) == 2
    assert capsys.readouterr().err == "fastconv: --threads must be at least 1, got 0\n"


def test_inputs_without_sizes(tmp_path, capsys):
    """A scalar has no batch, and a model that leaves sizes open is quoted."""
    nodes = [("Add", "x s", "y", {})]
    onnx.save(model(nodes, {}, ("x", "s"), shapes={"x": ["N", 3], "s": []}), tmp_path / "scalar.onnx")
    assert cli.main(["profile", str(tmp_path / "scalar.onnx"), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["shapes"] == {"x": [1, 3], "s": []}
    onnx.save(model([("Relu", "x", "y", {})], {}, shapes={"x": ["N", 3, "H", None]}), tmp_path / "open.onnx")
    assert cli.main(["profile", str(tmp_path / "open.onnx")]) == 2
    said = "fastconv: --shape x=... must be given: the model leaves sizes of (N, 3, H, ?) open\n"
    assert capsys.readouterr().err == said


def test_run(path, tmp_path, capsys):
    np.save(tmp_path / "x.npy", X)
    assert cli.main(["run", str(path), str(tmp_path / "x.npy"), "-o", str(tmp_path / "y.npz")]) == 0
    assert capsys.readouterr().out == "y: float32 (1, 4, 10, 10)\n"
    (wanted,) = by_onnxruntime(str(path), X)
    np.testing.assert_allclose(np.load(tmp_path / "y.npz")["y"], wanted, atol=1e-5)
    np.savez(tmp_path / "x.npz", x=X)
    assert cli.main(["run", str(path), str(tmp_path / "x.npz"), "-o", str(tmp_path / "z")]) == 0
    np.testing.assert_array_equal(np.load(tmp_path / "z")["y"], np.load(tmp_path / "y.npz")["y"])


def test_results_of_any_name(tmp_path):
    """Also of those that are parameters of np.savez."""
    nodes = [("Relu", "x", "file", {}), ("Exp", "x", "allow_pickle", {})]
    onnx.save(model(nodes, {}, outputs=("file", "allow_pickle")), tmp_path / "net.onnx")
    np.save(tmp_path / "x.npy", X)
    paths = [str(tmp_path / name) for name in ("net.onnx", "x.npy", "y.npz")]
    assert cli.main(["run", *paths[:2], "-o", paths[2]]) == 0
    with np.load(paths[2]) as found:
        np.testing.assert_array_equal(found["file"], np.maximum(X, 0))
        np.testing.assert_allclose(found["allow_pickle"], np.exp(X), rtol=1e-6)


def test_results_of_a_dtype_that_cannot_be_saved(tmp_path, capsys):
    """The file stays as it was."""
    onnx.save(model([("Cast", "x", "y", {"to": onnx.TensorProto.BFLOAT16})], {}), tmp_path / "net.onnx")
    np.save(tmp_path / "x.npy", X)
    (tmp_path / "y.npz").write_bytes(b"before")
    paths = [str(tmp_path / name) for name in ("net.onnx", "x.npy", "y.npz")]
    assert cli.main(["run", *paths[:2], "-o", paths[2]]) == 2
    assert capsys.readouterr().err == "fastconv: result y cannot be saved: a .npz file has no bfloat16\n"
    assert (tmp_path / "y.npz").read_bytes() == b"before"


def test_results_that_are_no_arrays(tmp_path, capsys):
    onnx.save(model([("SequenceConstruct", "x", "y", {})], {}), tmp_path / "sequence.onnx")
    np.save(tmp_path / "x.npy", X)
    paths = [str(tmp_path / name) for name in ("sequence.onnx", "x.npy", "y.npz")]
    assert cli.main(["run", *paths[:2], "-o", paths[2]]) == 2
    assert capsys.readouterr().err == "fastconv: result y cannot be saved: it is a list, no array\n"


def test_bad_files_are_one_line(path, capsys):
    path.write_bytes(b"no model")
    assert cli.main(["profile", str(path)]) == 2
    assert capsys.readouterr().err.startswith("fastconv: model is not an ONNX file")
    for content in (b"no array", b"", b"PK\x03\x04"):
        path.with_suffix(".npy").write_bytes(content)
        assert cli.main(["run", str(path), str(path.with_suffix(".npy")), "-o", str(path)]) == 2
        assert capsys.readouterr().err.startswith("fastconv: INPUT must be a .npy or .npz file of numbers, got")


def test_without_the_library(run_python):
    """fastconv is what it is without onnx, and says what to install."""
    program = """
import sys
sys.modules["onnx"] = None
import fastconv
from fastconv import cli
assert fastconv.onnx.load
try:
    fastconv.onnx.load("model.onnx")
except ImportError as error:
    assert str(error).endswith("pip install 'onnx>=1.19'")
try:
    fastconv.onnx.Model
except ImportError as error:
    assert str(error).endswith("pip install 'onnx>=1.19'")
assert dir(fastconv.onnx) == ["Backend", "Model", "load"]
assert cli.main(["profile", "model.onnx"]) == 1
"""
    run_python("-c", program)


def test_conformance_without_the_library():
    program = (
        "import sys, runpy; sys.modules['onnx'] = None; runpy.run_module('fastconv.onnx.conformance', None, '__main__')"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.endswith("pip install 'onnx>=1.19'\n")


def test_importing_fastconv_imports_no_onnx(run_python):
    run_python("-c", "import sys, fastconv, fastconv.onnx; assert 'onnx' not in sys.modules, fastconv")


def test_the_example(path):
    example = Path(fastconv.__file__).parents[1] / "examples" / "profile_onnx.py"
    printed = subprocess.run([sys.executable, example, path], capture_output=True, text=True, check=True).stdout
    assert "3 nodes, 8,064 MACs, 78 parameters" in printed
    assert "The 1×1s beside larger convolutions save about" in printed
    done = subprocess.run([sys.executable, example, path, "--threads", "0"], capture_output=True, text=True)
    assert done.stderr.endswith("error: num_threads must be at least 1, got 0\n")
