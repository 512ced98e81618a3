"""A loaded model: names, shapes, its steps, and its results as arrays of one's own."""

import copy
import pickle

import numpy as np
import onnx
import pytest
from onnx import helper
from onnx_models import FLOAT, assert_close, bottleneck, by_onnxruntime, model, normal, one

import fastconv
from fastconv.onnx import _steps
from fastconv.onnx._in_numpy.table import FUNCTIONS

RNG = np.random.default_rng(2)
X = RNG.standard_normal((2, 8, 14, 14), np.float32)
pytestmark = pytest.mark.filterwarnings("ignore:.*did fewer multiply-adds")


def test_inputs_and_results_by_name():
    net = fastconv.onnx.load(bottleneck())
    assert (net.inputs, net.outputs) == (("x",), ("features", "scores"))
    assert repr(net) == "Model(x -> features, scores)"
    wanted = by_onnxruntime(bottleneck(), X)
    assert_close(net(X), wanted)
    assert_close(net({"x": X}), wanted)
    assert "Conv 'a': x, reduce -> a" in str(net.graph)


def test_a_plan_for_each_shape_shares_the_packed_weights():
    net = fastconv.onnx.load(bottleneck())
    for shape in (1, 8, 14, 14), (3, 8, 14, 14), (2, 8, 9, 20), (1, 8, 14, 14):
        x = RNG.standard_normal(shape, np.float32)
        assert_close(net(x), by_onnxruntime(bottleneck(), x))
    assert len(net._stages) == 3
    assert len(net._kept._plans) == 1


def test_weights_that_nodes_share_are_packed_once():
    """Such as those of a detector's head on maps of several sizes, or of a recurrent layer written step by step."""
    constants = {"w": normal(8, 8, 3, 3), "b": normal(8), "m": normal(8, 8)}
    nodes = [("Conv", "x w b", "c0", {}), ("Relu", "c0", "r0", {})]
    nodes += [("MaxPool", "r0", "p", {"kernel_shape": [2, 2]})]
    nodes += [("Conv", "p w b", "c1", {}), ("Sigmoid", "c1", "y1", {}), ("Conv", "p w", "c2", {})]
    nodes += [("Transpose", name, f"{name}t", {"perm": [0, 2, 3, 1]}) for name in ("r0", "c1")]
    nodes += [("MatMul", "r0t m", "y3", {}), ("MatMul", "c1t m", "y4", {})]
    proto = model(nodes, constants, outputs=("y1", "c2", "y3", "y4"))
    loaded, x = fastconv.onnx.load(proto), normal(1, 8, 24, 24)
    assert_close(loaded(x), by_onnxruntime(proto, x))
    packed = {name: part.packed_bytes for name, part in loaded.describe(x.shape).parts.items()}
    assert {name for name, size in packed.items() if size} == {"c0", "c2", "y3"}  # c2 has no bias


def test_errors_of_a_call():
    net = fastconv.onnx.load(one("Relu", X))
    with pytest.raises(TypeError, match=r"the inputs must be \(x\), got 2 of them"):
        net(X, X)
    with pytest.raises(ValueError, match="the model has no input 'z', but 'x'"):
        net({"z": X})
    with pytest.raises(ValueError, match="the input 'x' is missing"):
        net({})
    with pytest.raises(TypeError, match="x must have dtype float32, got float64"):
        net(X.astype(float))
    with pytest.raises(TypeError, match=r"x must be an array, got \[float,\]"):
        net([1.0])
    fixed = model([("Relu", "x", "y", {})], {}, shapes={"x": ["N", 8, 14, "W"]})
    with pytest.raises(ValueError, match=r"x must have shape \(N, 8, 14, W\), got \(2, 8, 13, 14\)"):
        fastconv.onnx.load(fixed)(X[:, :, 1:])


def test_results_are_arrays_of_ones_own():
    proto = model(
        [("Identity", "x", "a", {}), ("Relu", "x", "b", {}), ("Identity", "c", "d", {})], {"c": X}, outputs="abd"
    )
    net = fastconv.onnx.load(proto)
    for _ in range(2):
        for y in net(X):
            assert y.flags.c_contiguous
            assert y.flags.writeable
            assert not np.may_share_memory(y, X)
            y[:] = 7
    assert (net(X)[2] == X).all()


def test_results_share_nothing():
    """Views of one array, an expansion, and a scalar: each may be written to."""
    shape, axes = np.array([2, 2, 3]), np.array([0])
    nodes = [
        ("Softsign", "x", "a", {}), ("Unsqueeze", "a axes", "b", {}),
        ("Split", "a", "c d", {"axis": 0, "num_outputs": 2}), ("Expand", "a shape", "e", {}),
        ("Relu", "x", "f", {}), ("Identity", "f", "g", {}), ("Size", "x", "h", {}), ("Identity", "h", "i", {}),
    ]  # fmt: skip
    net = fastconv.onnx.load(model(nodes, {"shape": shape, "axes": axes}, outputs=[*"abcdefghi"]))
    x = np.ones((2, 3), np.float32)
    for _ in range(2):
        results = net(x)
        for y, value in zip(results, [0.5] * 5 + [1] * 2 + [6] * 2, strict=True):
            np.testing.assert_equal(y, y.dtype.type(value))
        for value, y in enumerate(results):
            y[...] = value
        assert [float(y.mean()) for y in results] == [*range(9)]


def test_a_scalar_result():
    nodes = [("Relu", "x", "a", {}), ("Squeeze", "a", "y", {})]
    x = np.full((1, 1, 1, 1), 3, np.float32)
    for more in [], [("Div", "y six", "z", {}), ("Add", "z six", "y2", {})]:
        y = fastconv.onnx.load(model([*nodes, *more], {"six": np.float32(6)}, outputs=["y2" if more else "y"]))(x)
        assert isinstance(y, np.ndarray)
        assert y == np.float32(6.5 if more else 3)


def test_inputs_of_any_strides():
    proto = bottleneck()
    net, wanted = fastconv.onnx.load(proto), by_onnxruntime(proto, X)
    channels_last = np.ascontiguousarray(X.transpose(0, 2, 3, 1)).transpose(0, 3, 1, 2)
    read_only = X.view()
    read_only.flags.writeable = False
    for x in channels_last, read_only, np.repeat(X, 2, axis=3)[..., ::2], X.astype(">f4"):
        assert_close(net(x), wanted)


def test_shapes_that_the_model_says():
    fixed = model([("Relu", "x", "y", {})], {}, shapes={"x": [2, 3]})
    assert fastconv.onnx.load(fixed).cost().bytes == 48
    with pytest.raises(TypeError, match="the model does not say all sizes of x"):
        fastconv.onnx.load(bottleneck()).cost()


def test_arithmetic_on_shapes_is_done_once():
    nodes = [
        ("Shape", "x", "s", {}),
        ("Gather", "s zero", "n", {}),
        ("Unsqueeze", "n zeros", "m", {}),
        ("Concat", "m rest", "t", {"axis": 0}),
        ("Relu", "x", "r", {}),
        ("Reshape", "r t", "y", {}),
    ]
    proto = model(nodes, {"zero": np.array(0), "zeros": np.array([0]), "rest": np.array([-1])})
    net = fastconv.onnx.load(proto)
    assert list(net.describe(X.shape).parts) == ["r", "y"]
    assert_close(net(X), by_onnxruntime(proto, X))


def test_sizes_that_depend_on_values():
    nodes = [
        ("NonZero", "x", "i", {}),
        ("Transpose", "i", "j", {}),
        ("Shape", "j", "s", {}),
        ("Cast", "j", "f", {"to": FLOAT}),
        ("MatMul", "f w", "m", {}),
        ("Relu", "m", "y", {}),
    ]
    proto = model(nodes, {"w": normal(2, 3)}, outputs=["y", "s", "r"])
    proto.graph.node.append(helper.make_node("Relu", ["x"], ["r"]))
    net = fastconv.onnx.load(proto)
    for values in ([[0, 1], [2, 0]], [[1, 1], [1, 1]], [[0, 0], [0, 3]], [[0, 1], [2, 0]]):
        x = np.array(values, np.float32)
        assert_close(net(x), by_onnxruntime(proto, x))
    with pytest.raises(ValueError, match="what follows NonZero 'i' depends on values of a call"):
        net.cost((2, 2))
    assert net.profile(x).steps[0].operation == "NonZero"


def test_sizes_that_differ_in_each_call_are_not_all_kept():
    proto = model([("NonZero", "x", "i", {}), ("Cast", "i", "f", {"to": FLOAT}), ("Relu", "f", "y", {})], {})
    net = fastconv.onnx.load(proto)
    for count in range(150):
        x = np.zeros(200, np.float32)
        x[:count] = 1
        np.testing.assert_array_equal(net(x), [np.arange(count)])
    (stage,) = net._stages.values()
    assert 0 < len(stage._followers) <= 64


@pytest.mark.parametrize("error", [TimeoutError, KeyboardInterrupt])
def test_what_a_signal_handler_raises_comes_through(error, monkeypatch):
    """It says nothing of the file, in the first call neither, which tries the steps on zeros."""

    def interrupted(node, x):
        raise error("a second is over")

    net = fastconv.onnx.load(one("Floor", X))
    monkeypatch.setitem(FUNCTIONS, "Floor", interrupted)
    for _ in range(2):
        with pytest.raises(error, match="a second is over"):
            net(X)


def test_a_shape_that_is_an_input():
    proto = model([("Relu", "x", "a", {}), ("Reshape", "a s", "b", {}), ("Neg", "b", "y", {})], {})
    proto.graph.input.append(helper.make_tensor_value_info("s", onnx.TensorProto.INT64, [None]))
    net, x = fastconv.onnx.load(proto), np.arange(-6, 6, dtype=np.float32).reshape(3, 4)
    for shape in (4, 3), (2, -1), (2, 2, 3):
        np.testing.assert_equal(net(x, np.array(shape)), -np.maximum(x, 0).reshape(shape))


def test_a_model_is_pickled():
    """With its weights, which nobody may write to, and its options."""
    net = fastconv.onnx.load(bottleneck(), strict=True, num_threads=1, accuracy="componentwise")
    wanted = net(X)
    for other in pickle.loads(pickle.dumps(net)), copy.deepcopy(net):
        assert (other.inputs, other.outputs, other.num_threads) == (net.inputs, net.outputs, 1)
        for a, b in zip(other(X), wanted, strict=True):
            np.testing.assert_array_equal(a, b)
        assert not any(array.flags.writeable for array in other.graph.constants.values())


def test_accuracy():
    """It reaches constant weights, and those that only a call knows."""
    x, weight = normal(1, 64, 28, 28), normal(64, 64, 3, 3)
    proto = model([("Conv", "x w", "y", {"pads": [1] * 4})], {"w": weight}, shapes={"x": x.shape})
    told = [fastconv.onnx.load(proto, accuracy=name).describe().parts["y"] for name in ("normwise", "componentwise")]
    assert [(one.algorithm, one.accuracy) for one in told] == [("winograd", "normwise"), ("direct", "componentwise")]
    late = fastconv.onnx.load(
        model([("Conv", "x w", "y", {"pads": [1] * 4})], {}, ("x", "w")), accuracy="componentwise"
    )
    np.testing.assert_array_equal(late(x, weight), fastconv.onnx.load(proto, accuracy="componentwise")(x))
    with pytest.raises(ValueError, match="accuracy must be one of"):
        fastconv.onnx.load(proto, accuracy="exact")


@pytest.mark.parametrize("threads", [1, 3])
def test_same_bits_for_any_number_of_threads(threads):
    first, second = (fastconv.onnx.load(bottleneck(), num_threads=n)(X) for n in (1, threads))
    for a, b in zip(first, second, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", [np.float64, np.float16])
def test_other_floats(dtype):
    x, weight = X.astype(dtype), normal(4, 8, 3, 3).astype(dtype)
    y = fastconv.onnx.load(one("Conv", x, weight))(x)
    wanted = fastconv.conv2d(X.astype(float), weight.astype(float), layout="NCHW")
    np.testing.assert_allclose(y, wanted, atol=20 * np.finfo(dtype).eps)
    assert y.dtype == dtype


def test_backend():
    backend = fastconv.onnx.Backend
    assert backend.supports_device("CPU")
    assert not backend.supports_device("CUDA")
    (y,) = backend.run_model(one("Relu", X), [X])
    np.testing.assert_equal(y, np.maximum(X, 0))


def test_sequences_are_transposed_by_the_kernels(monkeypatch):
    """As images are: NumPy takes several times as long."""
    sources, transpose = [], _steps.transpose

    def counted(source, *others):
        sources.append(source.shape)
        transpose(source, *others)

    monkeypatch.setattr(_steps, "transpose", counted)
    x = np.random.default_rng(0).standard_normal((2, 5, 19), np.float32)
    net = fastconv.onnx.load(model([("Conv", "x w", "y", {})], {"w": np.eye(5, dtype=np.float32)[..., None]}))
    y = net(x)
    assert y.flags.c_contiguous
    np.testing.assert_array_equal(y, x)
    assert sources == [(2, 5, 1, 19), (2, 19, 5, 1)]


@pytest.mark.parametrize("kind", ["RandomNormal", "RandomUniform"])
def test_nodes_that_read_nothing_and_differ_in_each_call(kind):
    net = fastconv.onnx.load(model([(kind, "", "r", {"shape": [4, 5]}), ("Add", "x r", "y", {})], {}))
    first, second = (net(np.zeros((4, 5), np.float32)) for _ in range(2))
    assert first.shape == (4, 5)
    assert (first != second).any()
