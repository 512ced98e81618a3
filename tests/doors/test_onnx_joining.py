"""Concatenations behind a convolution, which stay in its graph, along any axis but the images, and what does not."""

import numpy as np
import pytest
from onnx_models import assert_close, by_onnxruntime, model, normal

import fastconv

X = normal(2, 6, 4, 5)
CONSTANTS = {
    "w": normal(6, 6, 1, 1), "flat": np.array([0, 0, -1]), "two": np.array([2]), "three": np.array([3]),
    "zero": np.array([0]), "one": np.array([1]), "end": np.array([99]), "minus": np.array([-1]),
    "sizes": np.array([0, -1, 6]),
    "map": normal(2, 2, 4, 5), "row": normal(2, 6, 1, 5), "pixels": normal(2, 6, 3), "first": normal(2, 1, 6),
}  # fmt: skip
CONV = ("Conv", "x w", "c", {})
SEQUENCE = ("Reshape", "c flat", "s", {})
POOL = ("MaxPool", "c", "p", {"kernel_shape": [2, 3], "strides": [2, 1]})
POOLED = ("Reshape", "p flat", "q", {})
TOKENS = ("Transpose", "s", "t", {"perm": [0, 2, 1]})


def joined(names, axis, *nodes, last="Relu"):
    made = [CONV, *nodes, ("Concat", names, "j", {"axis": axis}), (last, "j", "y", {})]
    return model(made, CONSTANTS, shapes={"x": X.shape})


def taken(source, result, begin, end, axis):
    return ("Slice", f"{source} {begin} {end} {axis}", result, {})


def around(source, axis, name):
    """Nodes that put the last row or column before the first, and the first behind the last."""
    before, behind = taken(source, f"{name}0", "minus", "end", axis), taken(source, f"{name}1", "zero", "one", axis)
    place = {"two": 2, "three": 3}[axis]
    return before, behind, ("Concat", f"{name}0 {source} {name}1", name, {"axis": place})


NATIVE = {
    "channels and constants": joined("c map c", 1),
    "rows and constants": joined("row c row", 2),
    "a row with itself": joined("c c", 2),
    "columns of one row": joined("r a r", 3, taken("c", "r", "zero", "one", "two"), ("Neg", "r", "a", {})),
    "pixels of maps": joined("s q s", 2, SEQUENCE, POOL, POOLED),
    "pixels of maps and constants": joined("pixels s", -1, SEQUENCE),
    "tokens": joined("first t first", 1, SEQUENCE, TOKENS),
    "tokens in a norm": joined("first t", 1, SEQUENCE, TOKENS, last="Softmax"),
    "wrapped around": joined("b b", 1, *around("c", "three", "a"), *around("a", "two", "b")),
    "rolled": joined("b a", -2, taken("c", "a", "zero", "three", "two"), taken("c", "b", "three", "end", "two")),
    "columns rolled": joined(
        "b a", -1, taken("c", "a", "zero", "two", "three"), taken("c", "b", "two", "end", "three")
    ),
    "of another concatenation": joined("i c i", 2, ("Concat", "c row", "i", {"axis": 2})),
}


@pytest.mark.parametrize("name", NATIVE)
def test_a_graph_goes_on(name):
    net, x = fastconv.onnx.load(NATIVE[name]), X
    assert_close(net(x), by_onnxruntime(NATIVE[name], x))
    operators = [step.operation for step in net.profile(x) if step.algorithm == "NumPy"]
    assert operators == []


OTHERS = {
    "columns": joined("c a", 3, ("Neg", "c", "a", {})),
    "images": joined("c c", 0),
    "a constant of images": joined("c map", 1, last="Identity"),
    "views along channels": joined("s s", 1, SEQUENCE),
    "tokens beside an input's": joined("t u", 1, SEQUENCE, TOKENS, ("Reshape", "x sizes", "u", {}), last="Identity"),
    "a result alone": joined("s q", 2, SEQUENCE, POOL, POOLED, last="Identity"),
}


@pytest.mark.parametrize("name", OTHERS)
def test_others(name):
    assert_close(fastconv.onnx.load(OTHERS[name])(X), by_onnxruntime(OTHERS[name], X))


@pytest.mark.parametrize(("names", "axis"), [("c map", 2), ("c row", 1), ("s c", 1), ("s pixels", 1), ("c flat", 1)])
def test_shapes_that_do_not_fit(names, axis):
    with pytest.raises(ValueError, match="Concat 'j'"):
        fastconv.onnx.load(joined(names, axis, SEQUENCE))(X)
