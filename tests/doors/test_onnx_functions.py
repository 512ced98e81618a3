"""Functions that exporters write as several nodes: one operation each, and what looks like them stays as it is."""

import numpy as np
import pytest
from onnx_models import assert_close, by_onnxruntime, model

import fastconv

X = np.random.default_rng(0).standard_normal((2, 6, 11, 13), np.float32)

CONSTANTS = {
    name: np.float32(value) for name, value in {"root": 2**0.5, "one": 1, "three": 3, "zero": 0, "six": 6}.items()
}
GELU_GATE = [("Div", "x root", "d", {}), ("Erf", "d", "e", {}), ("Add", "e one", "g", {})]
HARD_SWISH = [
    ("Add", "x three", "a", {}),
    ("Clip", "a zero six", "c", {}),
    ("Mul", "x c", "m", {}),
    ("Div", "m last", "y", {}),
]
GELUS = {
    "halved last": [("Mul", "x g", "m", {}), ("Mul", "m half", "y", {})],
    "divided last": [("Mul", "g x", "m", {}), ("Div", "m two", "y", {})],
    "halved first": [("Mul", "x half", "h", {}), ("Mul", "h g", "y", {})],
    "gate halved": [("Mul", "half g", "h", {}), ("Mul", "x h", "y", {})],
}


@pytest.mark.parametrize("name", GELUS)
@pytest.mark.parametrize("is_gelu", [True, False])
def test_gelu_of_several_nodes(name, is_gelu):
    """As exporters write it before opset 20; and one that looks like it."""
    constants = {"one": np.float32(1 if is_gelu else 1.5), "half": np.float32(0.5), "two": np.float32(2)}
    proto = model(GELU_GATE + GELUS[name], CONSTANTS | constants)
    net = fastconv.onnx.load(proto, strict=True)
    found = [part.algorithm for part in net.describe(X.shape).parts.values()]
    assert (found == ["gelu"]) == is_gelu
    assert "erf" in found or is_gelu
    assert_close(net(X), by_onnxruntime(proto, X), 1e-6)


@pytest.mark.parametrize(
    ("kind", "number", "nodes"),
    [
        ("gelu", 0.5, [*GELU_GATE, ("Mul", "x g", "m", {}), ("Mul", "m last", "y", {})]),
        ("gelu", 2, [*GELU_GATE, ("Mul", "x g", "m", {}), ("Div", "m last", "y", {})]),
        ("gelu", 0.5, [*GELU_GATE, ("Mul", "x last", "h", {}), ("Mul", "h g", "y", {})]),
        ("hard_swish", 6, HARD_SWISH),
    ],
)
@pytest.mark.parametrize("ones", [(), (1, 1, 1), (1, 1, 1, 1)])
def test_a_constant_of_more_axes_adds_them(kind, number, nodes, ones):
    """At the end of what is one function else."""
    x = X[:2, :3, :, 0]
    proto = model(nodes, CONSTANTS | {"last": np.full(ones, number, np.float32)})
    net = fastconv.onnx.load(proto)
    found = {part.algorithm for part in net.describe(x.shape).parts.values()}
    assert (found == {kind}) == (len(ones) <= x.ndim)
    assert_close(net(x), by_onnxruntime(proto, x), 1e-6)


@pytest.mark.parametrize("kind", ["swish", "swish of Paddle", "hard swish", "hard swish of parts"])
def test_activations_of_several_nodes_are_one(kind):
    nodes = {
        "swish": [("Sigmoid", "x", "s", {}), ("Mul", "x s", "y", {})],
        "swish of Paddle": [("Mul", "x one", "t", {}), ("Sigmoid", "t", "s", {}), ("Mul", "x s", "y", {})],
        "hard swish": [("HardSigmoid", "x", "s", {"alpha": 1 / 6}), ("Mul", "s x", "y", {})],
        "hard swish of parts": HARD_SWISH,
    }[kind]
    proto = model(nodes, CONSTANTS | {"last": np.float32(6), "one": np.float32(1)})
    net = fastconv.onnx.load(proto)
    assert [part.algorithm for part in net.describe(X.shape).parts.values()] == [
        kind.partition(" of ")[0].replace(" ", "_")
    ]
    assert_close(net(X), by_onnxruntime(proto, X), 1e-6)


def test_a_product_with_one_has_no_step():
    for ones in (np.float32(1), np.ones((6, 1, 1), np.float32), np.ones((1, 1, 1, 1), np.float32)):
        proto = model([("Mul", "x one", "y", {})], {"one": ones})
        net = fastconv.onnx.load(proto)
        np.testing.assert_array_equal(net(X), *by_onnxruntime(proto, X))
        assert not np.shares_memory(net(X), X)
        assert "scale" not in [step.operation for step in net.profile(X).steps]
