"""Models that would take more memory or nodes than there are: they are refused before these are made."""

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import FLOAT, model, normal, one

import fastconv

X = normal(2, 3, 8, 9)


def test_functions_that_grow_exponentially():
    body = "t = mine.f{0}(a)  b = mine.f{0}(t)"
    functions = "".join(
        f"""<domain: "mine", opset_import: ["" : 18, "mine" : 1]> f{i} (a) => (b) {{ {body.format(i - 1)} }}"""
        for i in range(1, 60)
    )
    text = f"""<ir_version: 8, opset_import: ["" : 18, "mine" : 1]>
        agraph (float[N] x) => (float[N] y) {{ y = mine.f59(x) }}
        <domain: "mine", opset_import: ["" : 18]> f0 (a) => (b) {{ b = Relu(a) }} {functions}"""
    with pytest.raises(ValueError, match=f"they would be {2**59} nodes, more than"):
        fastconv.onnx.load(onnx.parser.parse_model(text))
    with pytest.raises(ValueError, match="they call each other in a cycle"):
        fastconv.onnx.load(onnx.parser.parse_model(text.replace("b = Relu(a)", "b = mine.f9(a)")))


def test_results_larger_than_any_memory():
    for proto in (
        one("Expand", X, np.array([2**50, 1, 1, 1, 1])),
        one("Pad", X, np.array([0, 0, 0, 2**44, 0, 0, 0, 0])),
    ):
        with pytest.raises(ValueError, match="larger than th"):
            fastconv.onnx.load(proto, max_bytes=2**62)(X)


HUGE = {
    "ConstantOfShape": ([("ConstantOfShape", "n", "c", {}), ("Add", "x c", "y", {})], [70000, 70000]),
    "Expand": ([("Expand", "x n", "y", {})], [3_000_000, 1, 1, 1, 1]),
    "Tile": ([("Tile", "x n", "y", {})], [3_000_000, 1, 1, 1]),
    "Range": ([("Range", "zero n one", "r", {}), ("Cast", "r", "y", {"to": FLOAT})], 10**10),
    "Pad": ([("Pad", "x n", "y", {})], [0, 0, 0, 0, 0, 0, 20000, 20000]),
    "Add": ([("Reshape", "many n", "c", {}), ("Add", "many c", "s", {}), ("ReduceSum", "s", "y", {})], [70000, 1]),
    "MatMul": (
        [
            *(("Reshape", "many n", "c", {}), ("Transpose", "c", "r", {})),
            *(("MatMul", "c r", "s", {}), ("ReduceSum", "s", "y", {})),
        ],
        [70000, 1],
    ),
}


@pytest.mark.parametrize("kind", HUGE)
def test_huge_arrays_are_refused(kind):
    """Before they are made; max_bytes moves the limit."""
    nodes, n = HUGE[kind]
    many = np.zeros(70000, np.float32)
    proto = model(nodes, {"n": np.array(n), "zero": np.array(0), "one": np.array(1), "many": many})
    with pytest.raises(ValueError, match=rf"{kind} .*its result of shape \(.*\) takes .* bytes, more than max_bytes"):
        fastconv.onnx.load(proto)(X)


def test_max_bytes():
    proto = one("Relu", X)
    assert fastconv.onnx.load(proto, max_bytes=X.nbytes)(X).shape == X.shape
    told = r"Relu 'y0': its result of shape \(2, 3, 8, 9\) takes 1,728 bytes, more than max_bytes, 1,727; load"
    with pytest.raises(ValueError, match=told):
        fastconv.onnx.load(proto, max_bytes=X.nbytes - 1)(X)
    with pytest.raises(ValueError, match="max_bytes must be at least 1, got 0"):
        fastconv.onnx.load(proto, max_bytes=0)


EXACT = {  # a node, and the bytes of its result, whose dtype is not that of every input
    "Expand": (one("Expand", X[:1, :1, :1, :1], np.array([1, 1, 10, 10])), 400),
    "Tile": (one("Tile", X[:1, :1, :1, :1], np.array([1, 1, 10, 10])), 400),
    "Pad": (one("Pad", X[:1, :1, :1, :1], np.array([0, 0, 0, 0, 0, 0, 9, 9])), 400),
    "Resize": (one("Resize", X[:1, :1, :1, :1], None, None, np.array([1, 1, 10, 10])), 400),
    "Pow": (one("Pow", X[:1, :1, :1, :1], np.ones((10, 10), np.int64)), 400),
    "Greater": (one("Greater", X[:1, :1, :1, :1], np.zeros((1, 1, 10, 10), np.float32)), 100),
    "OneHot": (one("OneHot", np.zeros(10, np.int64), np.array(10), np.float32([0, 1])), 400),
    "RandomNormal": (
        model([("RandomNormal", "", "r", {"shape": [10, 10], "dtype": 11}), ("Gather", "r x", "y", {})], {}, dtype=7),
        800,
    ),
}


@pytest.mark.parametrize("kind", EXACT)
def test_the_bytes_of_a_result_are_those_of_its_dtype(kind):
    proto, nbytes = EXACT[kind]
    x = np.zeros(10, np.int64) if kind in ("OneHot", "RandomNormal") else X[:1, :1, :1, :1]
    fastconv.onnx.load(proto, max_bytes=nbytes)(x)
    with pytest.raises(ValueError, match=f"takes {nbytes} bytes, more than max_bytes, {nbytes - 1}"):
        fastconv.onnx.load(proto, max_bytes=nbytes - 1)(x)


LATE = {  # nodes that make more than a call needs of the n that it gives
    "ConstantOfShape": ([("ConstantOfShape", "n", "y", {})], [70000, 70000]),
    "Expand": ([("Expand", "few n", "y", {})], [70000, 70000, 1]),
    "Tile": ([("Tile", "few n", "y", {})], [3_000_000_000]),
    "Range": ([("Range", "zero n one", "y", {})], 10**10),
    "Pad": ([("Pad", "few n", "y", {})], [0, 3_000_000_000]),
    "OneHot": ([("OneHot", "few n ends", "y", {})], [3_000_000_000]),
}


@pytest.mark.parametrize("kind", LATE)
def test_huge_arrays_of_a_call_are_refused(kind):
    nodes, n = LATE[kind]
    constants = {"few": np.zeros(3, np.float32), "zero": np.array(0), "one": np.array(1), "ends": np.float32([0, 1])}
    proto = model(nodes, constants, ("n",), dtype=helper.np_dtype_to_tensor_dtype(np.dtype(np.int64)))
    with pytest.raises(ValueError, match=rf"{kind} .*its result of shape \(.*\) takes .* bytes, more than max_bytes"):
        fastconv.onnx.load(proto)(np.array(n))
