"""Normalisations of graphs against the reference, within a bound: scales, batch norms, local responses."""

import numpy as np
import pytest
from cases import normals
from compare import assert_close
from graph_cases import X
from normalizing import CHANNELS, every_way

import fastconv
from fastconv import reference

pytestmark = pytest.mark.usefixtures("teams_for_tiny_layers")
NARROW = np.ones(3, np.float32)


def local_response(x, size, alpha, beta, k):
    """Channel by channel, of an even size one more before, in long doubles where there are any."""
    x = x.astype(np.longdouble)
    y, before = np.empty_like(x), size // 2
    for c in range(x.shape[-1]):
        window = x[..., max(c - before, 0) : c - before + size]
        y[..., c] = x[..., c] / (k + alpha / size * (window**2).sum(-1)) ** beta
    return y


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize(
    ("size", "options"),
    [
        (5, {}),
        (5, {"alpha": 5e-4, "k": 2}),
        (4, {"alpha": 1.0}),
        (1, {"alpha": 0.5}),
        (2**31 - 1, {"alpha": 2.0**30}),
        (3, {"alpha": 1.0, "beta": 0.5}),
        (2, {"alpha": 2.0, "beta": 1.0, "k": 0.5}),
    ],
)
def test_local_responses(size, options, channels, dtype):
    """With u = eps / 2 the squares and their sum are off by (terms + 4) u, the power by 0.75 of this and 3 u more."""
    x = 3 * normals(np.random.default_rng(0), (3, 2, 5, channels), dtype)
    x[0, 1] *= 2.0**-70 if dtype == "float32" else 2.0**-600  # whose squares are 0
    x[2, 0, 1] *= 2.0**60  # whose squares are computed in double, as are those of other powers
    x[2, 1, 4, 0] = 2.0**80
    got = every_way(lambda g, x: g.local_response_norm(x, size, **options), x)
    want = local_response(x, size, **{"alpha": 1e-4, "beta": 0.75, "k": 1.0, **options})
    assert_close(got, want.astype(float), abs(want).astype(float), (min(size, channels) + 8) / 2, dtype)


@pytest.mark.parametrize("exponents", [(-39, 39), (-49, -44), (44, 49)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_local_responses_of_sums_far_from_one(dtype, exponents):
    """Some, whose inverse to the power of 1.5 is infinite, are computed in double; all to the same bound."""
    x = (2.0 ** np.random.default_rng(0).uniform(*exponents, (2, 3, 5, 40))).astype(dtype)
    got = every_way(lambda g, x: g.local_response_norm(x, 1, alpha=1.0, k=0.0), x)
    want = local_response(x, 1, alpha=1.0, beta=0.75, k=0.0)
    assert_close(got, want.astype(float), want.astype(float), (1 + 8) / 2, dtype)


@pytest.mark.parametrize("beta", [0.75, 0.5])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_local_responses_of_what_is_not_finite(dtype, beta):
    """In the windows that hold it alone."""
    x = np.ones((1, 1, 5, 40), dtype)
    x[0, 0, range(1, 5), [0, 17, 39, 20]] = np.nan, np.inf, -np.inf, np.finfo(dtype).max
    got = every_way(lambda g, x: g.local_response_norm(x, 3, beta=beta), x)
    g = fastconv.Graph()
    want = reference.graph(g.plan(g.local_response_norm(g.x, 3, beta=beta)), x)
    np.testing.assert_allclose(got, want, rtol=8 * np.finfo(dtype).eps, atol=np.finfo(dtype).tiny)
    assert np.isnan(got).sum() == 2 + 1 + 1


def test_a_scale_is_rounded_once():
    """Of a batch norm, whose scale is 1 / 3 and shift −1 / 3 in float64."""
    g = fastconv.Graph()
    ones = np.ones(2, np.float32)
    plan = g.plan(g.batch_norm(g.x, ones, 8 * ones, epsilon=1.0))
    third = np.float32(1 / 3)
    assert plan(np.zeros((1, 1, 2), np.float32)).tolist() == [[[-third, -third]]]
    assert plan.cost((1, 1, 2)).params == 4


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_batch_norm_within_the_bound(dtype):
    rng = np.random.default_rng(0)
    mean, weight, bias = (normals(rng, (4,), dtype) for _ in range(3))
    variance = rng.random(4).astype(dtype)
    g = fastconv.Graph()
    got = g.plan(g.batch_norm(g.x, mean, variance, weight, bias))(X.astype(dtype))
    scale = weight / np.sqrt(variance + 1e-5, dtype=float)
    want = weight * (X.astype(float) - mean) / np.sqrt(variance.astype(float) + 1e-5) + bias
    assert_close(got, want, abs(X * scale) + abs(bias) + abs(mean * scale), 2, dtype)


@pytest.mark.parametrize(
    ("message", "error", "call"),
    [
        ("epsilon must be at least 0", ValueError, lambda g: g.batch_norm(g.x, NARROW, NARROW, epsilon=-1)),
        ("b: epsilon must be a number", TypeError, lambda g: g.batch_norm(g.x, NARROW, NARROW, epsilon="", name="b")),
        ("batch_norm: variance must be at least 0, got -1", ValueError, lambda g: g.batch_norm(g.x, NARROW, -NARROW)),
        ("mean must be a numpy array, got NoneType", TypeError, lambda g: g.batch_norm(g.x, None, NARROW)),
        ("variance must be a numpy array, got NoneType", TypeError, lambda g: g.batch_norm(g.x, NARROW, None)),
        ("bias must have shape .* got", ValueError, lambda g: g.batch_norm(g.x, NARROW, NARROW, bias=NARROW[:2])),
        ("shift of scale has dtype float64, but", TypeError, lambda g: g.scale(g.x, NARROW, NARROW.astype(float))),
        ("size must be at least 1", ValueError, lambda g: g.local_response_norm(g.x, 0)),
        ("n: size must be an integer", TypeError, lambda g: g.local_response_norm(g.x, 5.0, name="n")),
        ("alpha must be a number", TypeError, lambda g: g.local_response_norm(g.x, alpha=[1])),
        ("beta must be a finite number", ValueError, lambda g: g.local_response_norm(g.x, beta=np.inf)),
        ("k must be a finite number", ValueError, lambda g: g.local_response_norm(g.x, k=float("nan"))),
        ("x must be a node", TypeError, lambda g: g.softmax(X)),
    ],
)
def test_what_is_rejected_and_that_the_graph_stays_as_it_was(message, error, call):
    """Which then takes other channels and another dtype."""
    g = fastconv.Graph()
    with pytest.raises(error, match=message):
        call(g)
    g.plan(g.scale(g.x, np.ones(4)))(np.ones((1, 1, 4)))


def test_other_channels_than_the_vectors_have():
    g = fastconv.Graph()
    with pytest.raises(ValueError, match=r"scale takes 3 channels, got shape \(3, 6, 7, 4\) in layout NHWC"):
        g.plan(g.scale(g.x, NARROW))(X)
