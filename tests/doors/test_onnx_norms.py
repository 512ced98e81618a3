"""Norms and softmaxes as the standard says, also where engines differ from it; the right values are known."""

import numpy as np
import pytest
from onnx_models import as_image, model, run

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


def test_a_response_norm_of_even_size_has_one_more_channel_after():
    x = np.array([1, 2, 3]).reshape(1, 3, 1, 1)
    y = run("LRN", x, size=2, alpha=2.0, beta=1.0, bias=0.0)
    np.testing.assert_allclose(y.ravel(), [1 / 5, 2 / 13, 3 / 9], rtol=1e-6)


def test_batch_norm_has_an_epsilon():
    zeros, ones = np.zeros(1, np.float32), np.ones(1, np.float32)
    y = run("BatchNormalization", np.ones((1, 1, 1, 1)), ones, zeros, zeros, zeros)
    np.testing.assert_allclose(y.ravel(), 1 / np.sqrt(1e-5), rtol=1e-6)
    assert np.isnan(run("BatchNormalization", np.ones((1, 1, 1, 1)), ones, zeros, zeros, -ones)).all()


@pytest.mark.parametrize("scale", [1e-25, 1, 1e20, 1e38])
def test_an_instance_norm_of_any_size(scale):
    """Squares of float32 would be 0 or infinite."""
    one, zero = np.ones(1, np.float32), np.zeros(1, np.float32)
    y = run("InstanceNormalization", as_image([[scale, -scale, 2 * scale, -2 * scale]]), one, zero, epsilon=0.0)
    np.testing.assert_allclose(y.ravel(), [0.4**0.5, -(0.4**0.5), 1.6**0.5, -(1.6**0.5)], rtol=1e-6)
    y = run("InstanceNormalization", as_image([[1e6, 1e6 + 0.0625]]), one, zero, epsilon=0.0)
    np.testing.assert_allclose(y.ravel(), [-1, 1])


@pytest.mark.parametrize("stash_type", [0, 10])
@pytest.mark.parametrize("axis", [-1, 1])
def test_a_layer_norm_whose_statistics_are_not_float(stash_type, axis):
    ones = np.ones(2, np.float32)
    with pytest.raises(ValueError, match=f"LayerNormalization 'y0': stash_type must be 1, float, got {stash_type}"):
        run("LayerNormalization", np.ones((1, 2, 2)), ones, stash_type=stash_type, axis=axis)


def test_a_layer_norm_over_several_axes_gives_its_mean_and_deviation():
    x, scale = np.array([[[1, 3], [1, 3]], [[0, 0], [4, 4]]]), np.array([1, 10], np.float32)
    y, mean, inverse = run("LayerNormalization", x, scale, axis=1, epsilon=0.0, outputs=3)
    np.testing.assert_equal(y, [[[-1, 10], [-1, 10]], [[-1, -10], [1, 10]]])
    np.testing.assert_equal(mean, [[[2]], [[2]]])
    np.testing.assert_equal(inverse, [[[1]], [[0.5]]])
    with pytest.raises(ValueError, match="LayerNormalization 'y0': scale and bias must be broadcast to x of shape"):
        run("LayerNormalization", x, np.ones((1, 2, 2, 2), np.float32), axis=1)
