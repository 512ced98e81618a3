"""What a loaded model tells of itself: `describe`, `cost`, `profile`."""

import json

import numpy as np
import pytest
from onnx_models import assert_close, bottleneck, by_onnxruntime, model, normal, one

import fastconv

X = np.random.default_rng(2).standard_normal((2, 8, 14, 14), np.float32)
pytestmark = pytest.mark.filterwarnings("ignore:.*did fewer multiply-adds")


def test_layouts_are_converted_at_the_ends_alone():
    nodes = [
        ("Transpose", "x", "n", {"perm": [0, 3, 1, 2]}),
        ("Conv", "n w", "c", {}),
        ("Sigmoid", "c", "s", {}),
        ("Mul", "c s", "m", {}),
        ("Concat", "m n", "j", {"axis": 1}),
        ("Transpose", "j", "y", {"perm": [0, 2, 3, 1]}),
    ]
    proto = model(nodes, {"w": normal(4, 8, 1, 1)})
    net, x = fastconv.onnx.load(proto), np.ascontiguousarray(X.transpose(0, 2, 3, 1))
    assert_close(net(x), by_onnxruntime(proto, x))
    assert net.describe(x.shape).layout_conversion == "none"
    told = fastconv.onnx.load(bottleneck()).describe(X.shape)
    assert told.layout_conversion == "NCHW ↔ NHWC of x, features"


def test_cost():
    net = fastconv.onnx.load(bottleneck())
    macs = 2 * 14**2 * (8 * 4 + 9 * 4 * 4 + 4 * 8) + 2 * 8 * 5
    params = 8 * 4 + 9 * 16 + 32 + 40
    assert net.cost(X.shape) == net.cost({"x": X.shape})
    assert net.cost(X.shape).macs == macs == net.describe(X.shape).macs
    assert net.cost(X.shape).params == params
    assert net.cost(X.shape).bytes == 4 * (2 * X.size + 10 + params)
    transposed = fastconv.onnx.load(one("ConvTranspose", X, normal(8, 4, 2, 2), strides=[2, 2]))
    assert transposed.cost(X.shape).macs == X.size * 4 * 4


def test_profile():
    net = fastconv.onnx.load(bottleneck())
    profile = net.profile(X)
    assert [step.operation for step in profile] == [
        *("layout", "conv2d", "conv2d", "conv2d", "global_avg_pool2d", "linear", "layout"),
    ]
    assert profile.kinds()["conv2d"][0] == 3
    assert sum(macs for _, _, macs in profile.kinds().values()) == net.cost(X.shape).macs
    reduces, restores = profile.pointwise
    assert (reduces.role, reduces.around, restores.role) == ("reduces 8 to 4", ("c",), "restores 4 to 8")
    assert reduces.macs == 2 * 14**2 * (8 * 4 + 9 * 4 * 4)
    assert reduces.macs_without == restores.macs_without == 2 * 14**2 * 9 * 8 * 4
    assert profile.numpy_share == 0
    assert json.loads(json.dumps(profile.document()))["pointwise"][0]["name"] == "a"
    lines = str(profile).splitlines()
    assert [line.split()[:2] for line in lines if line.startswith("a ")] == [["a", "conv2d"], ["a", "reduces"]]


@pytest.mark.parametrize("activation", ["HardSwish", "LeakyRelu", "Gelu", "Swish"])
def test_what_1x1s_save_is_told_with_any_activation(activation):
    profile = fastconv.onnx.load(bottleneck(24, activation)).profile(X)
    assert [(one.name, one.role, one.around) for one in profile.pointwise] == [
        ("a", "reduces 8 to 4", ("c",)),
        ("e", "restores 4 to 8", ("c",)),
    ]


def test_that_no_1x1_saves_is_told():
    net = fastconv.onnx.load(model([("Conv", "x w", "y", {})], {"w": normal(4, 8, 1, 1)}))
    assert str(net.profile(X)).endswith("no 1×1 reduces or restores the channels around a larger convolution")


def test_steps_by_numpy_are_told():
    proto = model([("Relu", "x", "a", {}), ("Atan", "a", "b", {}), ("Cos", "b", "c", {}), ("Neg", "c", "y", {})], {})
    net = fastconv.onnx.load(proto)
    assert_close(net(X), by_onnxruntime(proto, X))
    assert [part.algorithm for part in net.describe(X.shape).parts.values()] == [
        "relu",
        "onnx.reference",
        "NumPy",
        "scale",
    ]
    profile = net.profile(X)
    assert 0 < profile.numpy_share < 1
    assert "steps by NumPy: " in str(profile)


def test_a_product_by_numpy_has_a_speed_and_no_share_of_the_peak():
    proto = model([("Conv", "x w", "y", {})], {"w": normal(3, 2, 3, 3, 3)})
    profile = fastconv.onnx.load(proto).profile(normal(1, 2, 4, 4, 4))
    (step,) = profile
    assert (step.algorithm, step.share_of_peak) == ("NumPy", 0)
    assert step.gflops > 0
    assert "%" not in str(profile).splitlines()[1].partition("100.0%")[2]


def test_what_is_measured_of_a_model_is_shown_beside_what_is_not():
    net = fastconv.onnx.load(model([("Conv", "x w", "a", {}), ("Atan", "a", "y", {})], {"w": normal(4, 8, 1, 1)}))
    described = net.describe(X.shape, measure=True)
    head, conv, atan, *_ = str(described).splitlines()
    assert head.split()[-4:] == ["ms", "GFLOP/s", "of", "peak"]
    assert conv.endswith("%")
    assert atan.endswith(f"{described.parts['y'].packed_bytes}")


def test_conversions_have_the_names_of_the_file():
    """Also of what one graph of fastconv gives to another."""
    nodes = [("Conv", "x w", "u", {}), ("Relu", "u", "v", {}), ("Atan", "v", "e", {}), ("Add", "v e", "y", {})]
    net = fastconv.onnx.load(model(nodes, {"w": normal(8, 8, 1, 1)}, shapes={"x": X.shape}))
    assert net.describe().layout_conversion == "NCHW ↔ NHWC of x, v, e, y"
    assert [step.name for step in net.profile(X).steps if step.operation == "layout"] == ["x", "v, e", "y"]


def test_describe_says_why_a_node_cannot_be_bound():
    nodes = [("Gather", "x places", "u", {"axis": 1}), ("Relu", "u", "y", {})]
    proto = model(nodes, {"places": np.array([9])}, shapes={"x": ["N", 8, 4, 4]})
    said = (
        r"what follows Gather 'u' depends on values of a call, and on zeros: .* indices from 9 to 9 .*; profile tells"
    )
    with pytest.raises(ValueError, match=said):
        fastconv.onnx.load(proto).describe((1, 8, 4, 4))
