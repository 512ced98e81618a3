"""Norms as the standard says, also where engines differ from it; the right values are known."""

import numpy as np
import pytest
from onnx_models import as_image, run


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
