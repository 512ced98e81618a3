"""What is computed of all channels of a pixel in double: layer norms, sums, means; and their maximum."""

import numpy as np
import pytest
from cases import normals
from compare import assert_close

import fastconv
from fastconv import reference

pytestmark = pytest.mark.usefixtures("teams_for_tiny_layers")
CHANNELS = 1, 3, 8, 17, 67, 1030
SHAPES = (3, 5), (1, 41), (37, 1)


def array(shape, dtype, layout="NHWC"):
    x = normals(np.random.default_rng(0), shape, dtype)
    return x if layout == "NHWC" else np.ascontiguousarray(np.moveaxis(x, -1, 1))


@pytest.mark.parametrize("size", SHAPES)
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layer_norm(dtype, layout, channels, size):
    """The mean is rounded to the dtype, and each of four operations after it; in double all sums are."""
    x = array((2, *size, channels), dtype, layout) + np.dtype(dtype).type(3)
    weight, bias = array((2, channels), dtype)
    g, results = fastconv.Graph(layout=layout), set()
    for num_threads in (1, 2, 3):
        plan = g.plan(g.layer_norm(g.x, weight, bias, 1e-3), num_threads=num_threads)
        results |= {plan(x).tobytes(), b"".join(plan(image).tobytes() for image in x)}
    assert len(results) == 1
    axis = -1 if layout == "NHWC" else 1
    wide = x.astype(float)
    deviation = np.sqrt(wide.var(axis, keepdims=True) + 1e-3)
    spread = [1, -1, 1, 1] if layout == "NCHW" else [-1]
    magnitude = (abs(wide) + abs(wide.mean(axis, keepdims=True))) / deviation * abs(weight.reshape(spread))
    terms = 4 if dtype == "float32" else 4 + channels
    assert_close(plan(x), reference.graph(plan, x), magnitude + abs(bias.reshape(spread)), terms, dtype)


@pytest.mark.parametrize("size", SHAPES)
@pytest.mark.parametrize("channels", CHANNELS)
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_channels_as_one(dtype, layout, channels, size):
    """A maximum is exact, with NaN; a sum in double is off by a rounding of it, and of each addition."""
    x = array((2, *size, channels), dtype, layout)
    x.flat[3] = np.nan
    axis = -1 if layout == "NHWC" else 1
    for combine in ("max", "sum", "mean"):
        g, results = fastconv.Graph(layout=layout), set()
        for num_threads in (1, 2, 3):
            plan = g.plan(g.channel_pool(g.x, combine), num_threads=num_threads)
            results |= {plan(x).tobytes(), b"".join(plan(image).tobytes() for image in x)}
        assert len(results) == 1
        want = reference.graph(plan, x)
        if combine == "max":
            np.testing.assert_array_equal(plan(x), want)
            continue
        sizes = getattr(abs(x.astype(float)), combine)(axis, keepdims=True)
        assert_close(plan(x), want, sizes, 1 if dtype == "float32" else channels, dtype)


def test_whole_numbers_are_summed_exactly():
    x = np.arange(3.0 * 41 * 7, dtype=np.float32).reshape(3, 41, 7)
    g = fastconv.Graph()
    np.testing.assert_array_equal(g.plan(g.channel_pool(g.x, "sum"))(x), x.sum(-1, keepdims=True))


def test_what_is_rejected():
    g = fastconv.Graph()
    with pytest.raises(ValueError, match=r"combine must be one of .*'max', 'sum', 'mean'.* got 'min'"):
        g.channel_pool(g.x, "min")
    with pytest.raises(ValueError, match=r"bias must have shape \(3,\), that of weight"):
        g.layer_norm(g.x, np.ones(3), np.ones(4))
    with pytest.raises(ValueError, match="norm takes 3 channels, but c has 2"):
        g.layer_norm(g.conv2d(g.x, np.ones((1, 1, 3, 2)), name="c"), np.ones(3), np.ones(3), name="norm")
    for epsilon, message in (-5.0, "at least 0, got -5"), (np.nan, "a finite number, got nan"):
        with pytest.raises(ValueError, match=f"norm: epsilon must be {message}"):
            g.layer_norm(g.x, np.ones(3), np.ones(3), epsilon, name="norm")
