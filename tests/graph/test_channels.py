"""What is computed in double: layer norms, sums, means of channels, and their maximum; instance and group norms."""

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
    """In float32 three operations are rounded; in double all sums are, and what follows them."""
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
def test_instance_norm(dtype, layout, channels, size):
    """In float32 the result alone is rounded; in double the sums of the pixels, and four operations after them."""
    x = array((2, *size, channels), dtype, layout) + np.dtype(dtype).type(3)
    weight, bias = array((2, channels), dtype)
    g, results = fastconv.Graph(layout=layout), set()
    for num_threads in (1, 2, 3):
        plan = g.plan(g.instance_norm(g.x, weight, bias, 1e-3), num_threads=num_threads)
        results |= {plan(x).tobytes(), b"".join(plan(image).tobytes() for image in x)}
    assert len(results) == 1
    axes = (1, 2) if layout == "NHWC" else (2, 3)
    wide, spread = x.astype(float), [1, -1, 1, 1] if layout == "NCHW" else [-1]
    deviation = np.sqrt(wide.var(axes, keepdims=True) + 1e-3)
    magnitude = (abs(wide) + abs(wide.mean(axes, keepdims=True))) / deviation * abs(weight.reshape(spread))
    terms = 1 if dtype == "float32" else 4 + size[0] * size[1]
    assert_close(plan(x), reference.graph(plan, x), magnitude + abs(bias.reshape(spread)), terms, dtype)
    joined = np.full((2, *size, channels + 5), 7, dtype)
    if layout == "NHWC":
        plan(x, out=joined[..., 2:-3])
        np.testing.assert_array_equal(joined[..., 2:-3], plan(x))
        np.testing.assert_array_equal(np.delete(joined, np.s_[2:-3], -1), 7)


@pytest.mark.parametrize("size", SHAPES)
@pytest.mark.parametrize(("groups", "each"), [(1, 1), (1, 67), (3, 1), (17, 2), (5, 3), (3, 33), (2, 515)])
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_group_norm(dtype, layout, groups, each, size):
    """In float32 the result alone is rounded; in double the sums of the values, and four operations after them."""
    channels = groups * each
    x = array((2, *size, channels), dtype, layout) + np.dtype(dtype).type(3)
    weight, bias = array((2, channels), dtype)
    g, results = fastconv.Graph(layout=layout), set()
    for num_threads in (1, 2, 3):
        plan = g.plan(g.group_norm(g.x, groups, weight, bias, 1e-3), num_threads=num_threads)
        results |= {plan(x).tobytes(), b"".join(plan(image).tobytes() for image in x)}
    assert len(results) == 1
    planes = np.moveaxis(x, -1, 1) if layout == "NHWC" else x
    wide = planes.astype(float).reshape(2, groups, -1)
    centred, spread = wide - wide.mean(2, keepdims=True), (-1, 1, 1)
    deviation = np.sqrt((centred**2).mean(2, keepdims=True) + 1e-3)
    want = (centred / deviation).reshape(planes.shape) * weight.reshape(spread) + bias.reshape(spread)
    sizes = ((abs(wide) + abs(wide.mean(2, keepdims=True))) / deviation).reshape(planes.shape)
    sizes = sizes * abs(weight.reshape(spread)) + abs(bias.reshape(spread))
    terms = 1 if dtype == "float32" else 4 + size[0] * size[1] * each
    got = plan(x)
    assert_close(np.moveaxis(got, -1, 1) if layout == "NHWC" else got, want, sizes, terms, dtype)
    np.testing.assert_allclose(reference.graph(plan, x), got, rtol=1e-3, atol=1e-3)


ENDS = {  # values, and what they are normalised to
    "large": ([3.4e38, -3.4e38, -3.4e38, -3.4e38], [3**0.5, *[-(3**-0.5)] * 3]),
    "small": ([2.0**-140, -(2.0**-140), 2.0**-139, -(2.0**-139)], [0.4**0.5, -(0.4**0.5), 1.6**0.5, -(1.6**0.5)]),
    "close": ([1e6, 1e6 + 0.0625, 1e6, 1e6 + 0.0625], [-1, 1, -1, 1]),
}


@pytest.mark.parametrize("values", ENDS)
@pytest.mark.parametrize("repeats", [1, 5])
def test_norms_at_the_ends_of_the_range(values, repeats):
    """Of float32, whose squares are none of its numbers, and whose mean lies between two."""
    x, want = (np.tile(np.array(numbers, np.float32), repeats) for numbers in ENDS[values])
    ones = np.ones(x.size, np.float32)
    g = fastconv.Graph()
    y = g.plan(g.layer_norm(g.x, ones, 0 * ones, 0.0))(x[None, None])
    np.testing.assert_allclose(y[0, 0], want, rtol=1e-6)
    g = fastconv.Graph()
    y = g.plan(g.instance_norm(g.x, ones[:3], 0 * ones[:3], 0.0))(np.stack([x, x, x], -1)[None])
    np.testing.assert_allclose(y[0].T, [want] * 3, rtol=1e-6)


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
        with pytest.raises(ValueError, match=f"instance_norm: epsilon must be {message}"):
            g.instance_norm(g.x, np.ones(3), np.ones(3), epsilon)
    with pytest.raises(ValueError, match="group_norm: groups must divide the 3 channels, got 2"):
        g.group_norm(g.x, 2, np.ones(3), np.ones(3))
