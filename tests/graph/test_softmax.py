"""Softmaxes of graphs and their logarithms, along each axis, against long doubles, within a bound."""

import numpy as np
import pytest
from cases import normals
from compare import assert_close
from graph_cases import X
from normalizing import CHANNELS, every_way

import fastconv

pytestmark = pytest.mark.usefixtures("teams_for_tiny_layers")
AXES = {"height": 1, "width": 2, "channels": 3}


def softmax(axis, is_log=False):
    return lambda g, x: (g.log_softmax if is_log else g.softmax)(x, axis=axis)


def spread(shape, dtype):
    x = 10 * normals(np.random.default_rng(0), shape, dtype)
    x[1] *= 100
    x[2, 1, 1] = 3e38 * np.sign(x[2, 1, 1])
    return x


CASES = [
    *((axis, (3, 4, 5, channels)) for axis in AXES for channels in CHANNELS),
    ("channels", (3, 2, 5, 1000)),
    ("width", (3, 2, 1000, 3)),
    ("height", (3, 1000, 2, 1)),
    ("width", (3, 2, 67, 1)),
    ("height", (3, 67, 2, 40)),
    ("height", (3, 67, 2, 1)),
]


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("axis", "shape"), CASES)
def test_a_softmax(axis, shape, dtype):
    """With u = eps / 2 a power is off by 4 u, and |x - max x| u more of the rounded difference; the sum by its terms'
    errors, whose weighted mean of |x - max x| is below log n, and (n - 1) u; the quotient, of which the divisor's
    inverse is taken, by 2 u."""
    x, along, n = spread(shape, dtype), AXES[axis], shape[AXES[axis]]
    got = every_way(softmax(axis), x)
    precise = x.astype(np.longdouble) - x.max(along, keepdims=True)
    want = np.exp(precise)
    want /= want.sum(along, keepdims=True)
    units = 10 + n + np.log(n) - np.maximum(precise, -800)
    assert_close(got, want.astype(float), (units / 8 * want).astype(float), 2, dtype)
    np.testing.assert_allclose(got.sum(along), 1, rtol=n * np.finfo(dtype).eps)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("axis", "shape"), CASES)
def test_the_logarithm_of_a_softmax(axis, shape, dtype):
    """The difference is off by u of itself, and the logarithm by 30 u and by what the sum of what is beside the largest
    is: (n - 1) u, and of its powers 4 u and |x - max x| u in the mean."""
    x, along, n = spread(shape, dtype), AXES[axis], shape[AXES[axis]]
    got = every_way(softmax(axis, is_log=True), x)
    precise = x.astype(np.longdouble) - x.max(along, keepdims=True)
    powers = np.exp(precise) * (precise != 0)
    total = powers.sum(along, keepdims=True)
    log = np.log1p(total + ((precise == 0).sum(along, keepdims=True) - 1))
    mean = (powers * -precise).sum(along, keepdims=True) / np.where(total == 0, 1, total)
    size = -precise + log * (34 + n + mean)
    tiny = np.finfo(dtype).tiny  # of powers that are subnormal, and their sums
    assert_close(got, (precise - log).astype(float), (size + n * tiny / np.finfo(dtype).eps).astype(float), 1, dtype)


@pytest.mark.parametrize("channels", [1, 3, 19])
@pytest.mark.parametrize("is_log", [False, True])
@pytest.mark.parametrize("axis", AXES)
def test_a_softmax_of_what_is_not_finite(axis, is_log, channels):
    """NaN where there is NaN, or Inf, or nothing but -Inf; -Inf is a probability of 0."""
    lines = np.zeros((5, 19), np.float32)
    lines[0, 18], lines[1, 3], lines[2], lines[3, :18], lines[4, 0] = np.nan, np.inf, -np.inf, -np.inf, -np.inf
    places = {"height": (5, 19, 1, 1), "width": (5, 1, 19, 1), "channels": (5, 1, 1, 19)}[axis]
    x = lines.reshape(places)
    if axis != "channels":
        x = np.ascontiguousarray(np.broadcast_to(x, (*x.shape[:3], channels)))
    got = np.moveaxis(every_way(softmax(axis, is_log), x), AXES[axis], -1).reshape(5, -1, 19)
    assert np.isnan(got[:3]).all()
    with np.errstate(divide="ignore"):
        wanted = [np.array([0.0] * 18 + [1]), np.array([0, *[1 / 18] * 18])]
        wanted = [np.log(one) for one in wanted] if is_log else wanted
    for lines_of_one, want in zip(got[3:], wanted, strict=True):
        for line in lines_of_one:
            np.testing.assert_allclose(line, want, rtol=1e-6)


def test_a_logarithm_next_to_0():
    """It is that of 1 - 1e-20, which no float next to 1 is."""
    g = fastconv.Graph()
    x = np.array([0, np.log(1e-20)]).reshape(1, 1, 2)
    np.testing.assert_allclose(g.plan(g.log_softmax(g.x))(x)[0, 0, 0], -1e-20, rtol=1e-14)


def test_an_axis_that_no_image_has():
    g = fastconv.Graph()
    for method in g.softmax, g.log_softmax:
        with pytest.raises(ValueError, match=r"softmax: axis must be one of .*'width'.*, got 'depth'"):
            method(g.x, axis="depth")
    with pytest.raises(TypeError, match="x must be a node"):
        g.log_softmax(X)
