"""ArgMax and ArgMin, by the kernels and by NumPy: NumPy's result, of NaNs and equal values too."""

import numpy as np
import pytest
from onnx_models import model, normal, one

import fastconv

PLACES = {"ArgMax": np.argmax, "ArgMin": np.argmin}


def values(shape, dtype):
    """Of which many are equal, and some not finite."""
    rng = np.random.default_rng(shape)
    some = rng.integers(-3, 4, shape).astype(dtype)
    some[rng.random(shape) < 0.02] = np.inf
    some[rng.random(shape) < 0.02] = -np.inf
    some[rng.random(shape) < 0.01] = np.nan
    some.reshape(-1)[-shape[-1] :] = -np.inf
    return some


@pytest.mark.parametrize("kind", PLACES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("channels", [1, 2, 3, 8, 21, 64, 128, 129])
def test_places_along_each_axis(kind, dtype, channels):
    x = values((2, channels, 9, 11), dtype)
    for given in x, np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 1, -1)), -1, 1):
        for axis in 0, 1, -1:
            for keepdims in 0, 1:
                y = fastconv.onnx.load(one(kind, x, axis=axis, keepdims=keepdims))(given)
                assert y.dtype == np.int64
                np.testing.assert_array_equal(y, PLACES[kind](given, axis, keepdims=bool(keepdims)))


@pytest.mark.parametrize("shape", [(5,), (3, 7), (1, 1), (4, 0, 6)])
def test_places_of_other_ranks(shape):
    x = normal(*shape)
    axis = len(shape) - 1
    y = fastconv.onnx.load(one("ArgMax", x, axis=axis, keepdims=0))(x)
    np.testing.assert_array_equal(y, np.argmax(x, axis))


def test_of_no_values_there_is_no_place():
    x = np.empty((2, 0), np.float32)
    with pytest.raises(ValueError, match="ArgMax 'y0': attempt to get argmax of an empty sequence"):
        fastconv.onnx.load(one("ArgMax", x, axis=1))(x)


def test_classes_of_pixels_are_found_by_the_kernels_for_any_number_of_threads():
    proto = model([("Conv", "x w", "a", {}), ("ArgMax", "a", "y", {"axis": 1})], {"w": normal(21, 3, 1, 1)})
    x = normal(2, 3, 64, 67)
    results = [fastconv.onnx.load(proto, num_threads=threads)(x) for threads in (1, 2, 3)]
    assert all((y == results[0]).all() for y in results)
    assert fastconv.onnx.load(proto).describe(x.shape).parts["y"].algorithm == "direct"
