"""Models in float16: computed in float32, results rounded once."""

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from onnx_models import by_onnxruntime, model

import fastconv

RNG = np.random.default_rng(0)
HALF, FLOAT = TensorProto.FLOAT16, TensorProto.FLOAT
W, B = RNG.standard_normal((5, 3, 3, 3)).astype(np.float16), RNG.standard_normal(5).astype(np.float16)
X = RNG.standard_normal((2, 3, 9, 8)).astype(np.float16)
LAYERS = [
    ("Conv", "x w b", "c", {}),
    ("Sigmoid", "c", "s", {}),
    ("Mul", "c s", "m", {}),
    ("Softmax", "m", "y", {"axis": 1}),
]


def typed(proto, *types):
    """The model with these types of its outputs."""
    for info, kind in zip(proto.graph.output, types, strict=True):
        info.type.tensor_type.elem_type = kind
    return proto


def wide(layers=LAYERS, **constants):
    """What the same model gives in float32."""
    constants = {name: array.astype(np.float32) for name, array in (constants or {"w": W, "b": B}).items()}
    return fastconv.onnx.load(model(layers, constants))(X.astype(np.float32))


def test_a_network_in_halves():
    proto = typed(model(LAYERS, {"w": W, "b": B}, dtype=HALF), HALF)
    net = fastconv.onnx.load(proto, strict=True)
    y = net(X)
    assert y.dtype == np.float16
    np.testing.assert_array_equal(y, wide().astype(np.float16))
    np.testing.assert_allclose(y, by_onnxruntime(proto, X)[0], atol=4e-3)
    by_numpy = [part for name, part in net.describe(X.shape).parts.items() if not part.isa]
    assert len(by_numpy) == 2, "the conversions alone"
    with pytest.raises(TypeError, match="x must have dtype float16"):
        net(X.astype(np.float32))


def test_constants_of_nodes_and_conversions_inside():
    weight = helper.make_node("Constant", [], ["w"], value=onnx.numpy_helper.from_array(W))
    nodes = [(weight, None, None, None), ("Cast", "x", "h", {"to": HALF}), ("Conv", "h w", "c", {})]
    proto = typed(model([*nodes, ("Cast", "c", "y", {"to": FLOAT})], {}), FLOAT)
    y = fastconv.onnx.load(proto, strict=True)(X.astype(np.float32))
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, wide([("Conv", "x w", "y", {})], w=W))


def test_outputs_that_others_read_and_inputs_that_are_initializers_too():
    layers = [("Conv", "x w", "c", {}), ("Relu", "c", "y", {})]
    proto = typed(model(layers, {"w": W}, ("x", "w"), ("c", "y"), dtype=HALF), HALF, HALF)
    net = fastconv.onnx.load(proto)
    want = wide([("Conv", "x w", "y", {})], w=W)
    for got, exact in zip(net(X), (want, np.maximum(want, 0)), strict=True):
        np.testing.assert_array_equal(got, exact.astype(np.float16))
    for got in net({"x": X, "w": -W}):
        assert got.dtype == np.float16
    np.testing.assert_array_equal(net({"x": X, "w": -W})[0], (-want).astype(np.float16))


def test_branches_in_halves():
    def branch(name):
        node = helper.make_node(name, ["c"], [f"{name} of c"])
        return helper.make_graph([node], name, [], [helper.make_tensor_value_info(f"{name} of c", HALF, None)])

    chosen = helper.make_node("If", ["which"], ["y"], then_branch=branch("Neg"), else_branch=branch("Relu"))
    layers = [("Conv", "x w", "c", {}), (chosen, None, None, None)]
    for which in (True, False):
        proto = typed(model(layers, {"w": W, "which": np.array(which)}, dtype=HALF), HALF)
        y, want = fastconv.onnx.load(proto)(X), wide([("Conv", "x w", "y", {})], w=W)
        np.testing.assert_array_equal(y, (-want if which else np.maximum(want, 0)).astype(np.float16))


def test_the_file_stays_as_it_was():
    proto = typed(model(LAYERS, {"w": W, "b": B}, dtype=HALF), HALF)
    before = proto.SerializeToString()
    fastconv.onnx.load(proto)(X)
    assert proto.SerializeToString() == before
