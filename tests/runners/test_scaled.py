"""Weights times a scale, against NumPy: rounded once, and what would not fit is told."""

from itertools import product

import numpy as np
import pytest
from cases import normals

from fastconv._runners.scaled import fits, scaled

DTYPES = [np.dtype(name) for name in ("float32", "float64")]


@pytest.mark.parametrize("channels", [1, 7, 255, 256, 257, 600])
@pytest.mark.parametrize(("given", "wanted"), list(product(DTYPES, DTYPES)))
def test_products_are_rounded_once(given, wanted, channels):
    rng = np.random.default_rng(0)
    weight = normals(rng, (2, 3, 5, channels), given)
    for shape in (channels,), (5, channels):
        scale = normals(rng, shape, "float64")
        got = scaled(weight, scale, wanted)
        assert got.dtype == wanted
        np.testing.assert_array_equal(got, (weight.astype(float) * scale).astype(wanted))
        assert fits(weight, scale, wanted)


def test_weights_of_any_strides():
    weight = normals(np.random.default_rng(0), (6, 5, 2, 3), "float32").transpose(2, 3, 1, 0)
    scale = np.arange(1.0, 7)
    np.testing.assert_array_equal(scaled(weight, scale, DTYPES[0]), weight * scale.astype("float32"))


@pytest.mark.parametrize("place", [0, 255, 256, 299])
@pytest.mark.parametrize(
    ("weight", "scale", "fit"),
    [
        (0.0, 2.0, True),
        (2.0, 0.0, True),
        (1e-30, 1e-10, True),  # denormal
        (1e-30, 1e-20, False),  # 0
        (1e30, 1e8, True),
        (1e30, 1e9, False),
        (1.0, np.inf, False),
        (np.inf, 1.0, False),
        (np.nan, 1.0, False),
        (0.0, np.inf, False),
    ],
)
def test_what_does_not_fit(weight, scale, fit, place):
    weights, scales = np.ones((1, 1, 2, 300), np.float32), np.ones(300)
    weights[0, 0, 1, place], scales[place] = weight, scale
    assert fits(weights, scales, DTYPES[0]) == fit
