"""Softmax and LogSoftmax, along any axes, in graphs and in steps of their own."""

import numpy as np
import pytest
from onnx_models import assert_close, by_onnxruntime, model, one, run

import fastconv

NAN, INF = np.nan, np.inf


@pytest.mark.parametrize("shape", [(1, 3), (1, 3, 1, 1), (1, 1, 1, 3)])
def test_a_softmax_of_infinities(shape):
    axis = shape.index(3)
    for values, wanted in (
        ([-INF, -INF, -INF], [NAN] * 3),
        ([INF, 0, 0], [NAN] * 3),
        ([-INF, 0, 0], [0, 0.5, 0.5]),
        ([NAN, 0, 0], [NAN] * 3),
    ):
        y = run("Softmax", np.reshape(values, shape), axis=axis)
        np.testing.assert_allclose(y.ravel(), wanted)


def test_a_softmax_before_opset_13_flattens():
    x = np.random.default_rng(0).standard_normal((2, 3, 4, 5)).astype(np.float32)
    flat = np.exp(x - x.max((1, 2, 3), keepdims=True))
    flat /= flat.sum((1, 2, 3), keepdims=True)
    np.testing.assert_allclose(run("Softmax", x, opset=11), flat, rtol=1e-5)
    np.testing.assert_allclose(run("LogSoftmax", x, opset=11), np.log(flat), rtol=1e-5)
    assert run("Hardmax", x, opset=11).sum() == 2


@pytest.mark.parametrize("shape", [(1, 2), (1, 2, 3, 4), (2, 5, 2, 3), (3, 1, 1, 2), (1, 1, 1, 1, 2)])
def test_a_log_softmax_next_to_0(shape):
    """It is right relatively, along any axis."""
    axis = shape.index(2)
    x = np.zeros(shape, np.float32)
    x.swapaxes(0, axis)[1] = -40
    y = run("LogSoftmax", x, axis=axis).swapaxes(0, axis)
    np.testing.assert_allclose(y[0], -np.exp(-40.0), rtol=1e-6)
    np.testing.assert_allclose(y[1], -40, rtol=1e-6)


def test_softmaxes_of_maps_run_in_their_graph():
    """Along the height, the width and the channels of images."""
    layers = [("Conv", "x w", "c", {}), ("Softmax", "c", "h", {"axis": 2}), ("LogSoftmax", "h", "y", {"axis": -1})]
    net = fastconv.onnx.load(model(layers, {"w": np.ones((5, 3, 1, 1), np.float32)}), strict=True)
    x = np.random.default_rng(0).standard_normal((2, 3, 6, 7)).astype(np.float32)
    assert [step.operation for step in net.profile(x).steps if step.operation != "layout"] == [
        "conv2d",
        "softmax",
        "log_softmax",
    ]
    h = np.exp(np.broadcast_to(x.sum(1, keepdims=True), (2, 5, 6, 7)).astype(float))
    h /= h.sum(2, keepdims=True)
    want = h - np.log(np.exp(h).sum(3, keepdims=True))
    np.testing.assert_allclose(net(x), want, rtol=1e-5)


@pytest.mark.parametrize("kind", ["Softmax", "LogSoftmax"])
@pytest.mark.parametrize("opset", [11, 13])
@pytest.mark.parametrize("shape", [(7,), (3, 70), (2, 3, 33), (2, 17, 1, 5), (3, 5, 9, 4), (2, 3, 4, 5, 19)])
def test_every_axis(shape, opset, kind):
    """What ONNX Runtime gives, and the same bits for any threads, of a slice, and of its images alone."""
    x = 10 * np.random.default_rng(0).standard_normal((*shape[:-1], 2 * shape[-1]), np.float32)[..., ::2]
    for axis in range(-len(shape), len(shape)):
        proto = one(kind, x, axis=axis, opset=opset)
        y = fastconv.onnx.load(proto, strict=True)(x)
        assert_close(y, by_onnxruntime(proto, x.copy()))
        for threads in 1, 3:
            np.testing.assert_array_equal(fastconv.onnx.load(proto, num_threads=threads)(x), y)
        if axis % len(shape):
            np.testing.assert_array_equal(fastconv.onnx.load(proto)(x[:1]), y[:1])
