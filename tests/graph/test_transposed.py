"""Transposed convolutions: the reference's values within a bound, on every layout, dtype and team; what they become."""

import itertools

import numpy as np
import pytest
from cases import integers, normals
from compare import assert_close

import fastconv
from fastconv import reference

pytestmark = pytest.mark.usefixtures("teams_for_tiny_layers")
KINDS = list(itertools.product(["NHWC", "NCHW"], ["float32", "float64"]))
CASES = {  # kernel, channels of x and of the result, options
    "as large as the stride": ((2, 2), 4, 6, {"stride": 2}),
    "twice the stride": ((4, 4), 4, 3, {"stride": 2, "padding": 1}),
    "three by two": ((3, 3), 4, 5, {"stride": 2, "padding": 1, "output_padding": 1}),
    "uneven": ((3, 5), 3, 4, {"stride": (2, 3), "padding": ((0, 2), (1, 0)), "output_padding": (1, 0)}),
    "stride 1": ((3, 3), 4, 4, {"padding": 1}),
    "whole": ((3, 2), 4, 4, {}),
    "cropped far": ((3, 3), 4, 4, {"stride": 2, "padding": ((4, 3), (2, 5))}),
    "groups": ((3, 3), 6, 9, {"stride": 2, "groups": 3, "padding": 1}),
    "depthwise": ((4, 4), 8, 8, {"stride": 2, "groups": 8, "padding": 1}),
    "dilated": ((3, 3), 4, 4, {"dilation": 2, "padding": 1}),
    "dilated and strided": ((3, 2), 4, 4, {"dilation": (2, 3), "stride": (3, 2)}),
    "phases without taps": ((1, 2), 4, 4, {"stride": 3, "output_padding": 2}),
    "dilated as the stride": ((3, 3), 4, 4, {"dilation": 2, "stride": 2, "padding": ((0, 1), (1, 0))}),
}


def arrays(name, layout, dtype, make=normals):
    """(x, the weight, the bias, the options) of a case."""
    (r, s), channels, out_channels, options = CASES[name]
    rng = np.random.default_rng(0)
    x, weight = make(rng, (3, 5, 6, channels), dtype), make(rng, (r, s, out_channels, channels), dtype)
    groups = options.get("groups", 1)
    weight = np.ascontiguousarray(weight[:, :, : out_channels // groups])
    if layout == "NCHW":
        x, weight = np.ascontiguousarray(x.transpose(0, 3, 1, 2)), np.ascontiguousarray(weight.transpose(3, 2, 0, 1))
    return x, weight, make(rng, (out_channels,), dtype), options


def naive(x, weight, bias, options):
    """NHWC, pixel by pixel."""
    r, s, each, channels = weight.shape
    defaults = {"stride": 1, "dilation": 1, "output_padding": 0}
    step, apart, more = (np.broadcast_to(options.get(name, value), 2) for name, value in defaults.items())
    groups, pads = options.get("groups", 1), np.broadcast_to(np.array(options.get("padding", 0)), (2, 2))
    size = (np.array(x.shape[1:3]) - 1) * step + (np.array([r, s]) - 1) * apart + 1 + more
    y = np.zeros((len(x), *size, each * groups))
    for i, j, p, q, c, k in np.ndindex(*x.shape[1:3], r, s, channels, each):
        out = c // (channels // groups) * each + k
        y[:, i * step[0] + p * apart[0], j * step[1] + q * apart[1], out] += x[:, i, j, c] * weight[p, q, k, c]
    (top, bottom), (left, right) = pads
    return y[:, top : y.shape[1] - bottom, left : y.shape[2] - right] + bias


@pytest.mark.parametrize("name", CASES)
def test_the_reference_is_what_each_pixel_adds(name):
    x, weight, bias, options = arrays(name, "NHWC", "float64", integers)
    g = fastconv.Graph()
    plan = g.plan(g.conv_transpose2d(g.x, weight, bias, **options))
    want = naive(x, weight, bias, options)
    np.testing.assert_array_equal(reference.graph(plan, x), want)
    np.testing.assert_array_equal(plan(x), want)


@pytest.mark.parametrize(("layout", "dtype"), KINDS)
@pytest.mark.parametrize("name", CASES)
def test_a_transposed_convolution(name, layout, dtype):
    """With what follows it, in the same bits for any team and batch."""
    x, weight, bias, options = arrays(name, layout, dtype)
    scale = normals(np.random.default_rng(1), bias.shape, dtype)
    for activation in (None, "relu"):
        results, g, h = set(), fastconv.Graph(layout=layout), fastconv.Graph(layout=layout)
        y = g.conv_transpose2d(g.x, weight, bias, activation=activation, **options)
        y = g.clip(g.scale(y, scale, bias), -2, 2)
        y = g.concat(y, y)
        z = h.scale(h.conv_transpose2d(h.x, abs(weight), abs(bias), **options), abs(scale), abs(bias))
        want, magnitude = reference.graph(g.plan(y), x), reference.graph(h.plan(h.concat(z, z)), abs(x))
        for num_threads in (1, 2, 3):
            plan = g.plan(y, num_threads=num_threads)
            got = plan(x)
            assert_close(got, want, magnitude, weight.size, dtype)
            results |= {got.tobytes(), b"".join(plan(image).tobytes() for image in x)}
            assert plan(x[:0]).shape == (0, *want.shape[1:])
        assert len(results) == 1


def test_what_it_becomes():
    """One 1×1 where the kernel is as large as the stride, with all that follows; four phases where it is not."""
    x, weight, bias, options = arrays("as large as the stride", "NHWC", "float32")
    g = fastconv.Graph()
    y = g.relu(g.scale(g.conv_transpose2d(g.x, weight, bias, stride=2, name="up"), bias))
    (conv, parts), (shuffle, _) = g.plan(y).describe(x.shape).parts.items()
    assert (conv, shuffle) == ("up.0-3", "up")
    assert parts.macs == x.size * weight[..., 0].size == g.cost(x.shape).macs
    x, weight, bias, options = arrays("three by two", "NHWC", "float32")
    g = fastconv.Graph()
    plan = g.plan(g.relu(g.conv_transpose2d(g.x, weight, bias, name="up", **options)))
    assert [*plan.describe(x.shape).parts] == ["up.0", "up.1", "up.2", "up.3", "up"]
    assert plan.cost(x.shape).macs == x.size * weight[..., 0].size


def test_that_a_nan_reaches_what_reads_it_alone():
    x, weight, bias, options = arrays("phases without taps", "NHWC", "float32")
    x[1, 2, 2] = np.nan
    g = fastconv.Graph()
    plan = g.plan(g.conv_transpose2d(g.x, weight, bias, **options))
    np.testing.assert_array_equal(np.isnan(plan(x)), np.isnan(reference.graph(plan, x)))


WEIGHT = np.ones((2, 2, 3, 4), np.float32)


@pytest.mark.parametrize(
    ("message", "error", "options"),
    [
        ("conv_transpose2d: groups must divide the 4 input channels", ValueError, {"groups": 3}),
        ("padding must be an integer, a pair", TypeError, {"padding": "same"}),
        ("stride must be at least 1, got 0", ValueError, {"stride": 0}),
        (r"conv_transpose2d: stride must be at most 1024 pixels.*, got \(1025, 1\)", ValueError, {"stride": (1025, 1)}),
        ("output_padding must be at least 0", ValueError, {"output_padding": -1}),
        (r"bias must have shape \(3,\), got \(4,\)", ValueError, {"bias": np.ones(4, np.float32)}),
        ("weight must have 4 axes", ValueError, {"weight": WEIGHT[0]}),
        ("activation must be", ValueError, {"activation": "tanh"}),
        ("nothing is left of the result", ValueError, {"padding": 9}),
        (r"weight takes 8 channels, got shape \(1, 5, 5, 4\)", ValueError, {"weight": np.tile(WEIGHT, 2)}),
    ],
)  # fmt: skip
def test_what_is_rejected(message, error, options):
    g = fastconv.Graph()
    with pytest.raises(error, match=message):
        g.plan(g.conv_transpose2d(g.x, **({"weight": WEIGHT} | options))).describe((1, 5, 5, 4))


def test_many_phases_have_a_short_name():
    g = fastconv.Graph()
    g.conv_transpose2d(g.x, np.ones((8, 8, 2, 3), np.float32), stride=8, name="up")
    assert [step.name for step in g.profile(np.ones((4, 4, 3), np.float32))] == ["up.0-63", "up"]
