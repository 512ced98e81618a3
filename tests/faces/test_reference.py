"""The reference against explicit loops over every index, on small whole numbers, where all sums are exact."""

import itertools
import math

import naive
import numpy as np
import pytest
from naive import nchw, oihw, pairwise, whole

from fastconv import reference


def same(size, kernel, stride, dilation):
    """TensorFlow's padding (begin, end): tf.nn.convolution's documentation, in its own words."""
    extent = (kernel - 1) * dilation + 1
    total = max(extent - stride, 0) if size % stride == 0 else max(extent - size % stride, 0)
    return total // 2, total - total // 2


GEOMETRIES = {
    "1×1": ((1, 1), {}),
    "3×3": ((3, 3), {}),
    "even kernel": ((2, 4), {"padding": 1}),
    "rectangular": ((1, 3), {"padding": (0, 1)}),
    "taller than wide": ((4, 1), {"padding": (2, 0)}),
    "stride": ((3, 3), {"stride": 2}),
    "strides": ((3, 2), {"stride": (1, 3)}),
    "stride above kernel": ((1, 1), {"stride": (2, 3)}),
    "padding": ((3, 3), {"padding": 2}),
    "asymmetric": ((3, 3), {"padding": ((2, 0), (1, 3))}),
    "valid": ((3, 3), {"padding": "valid"}),
    "same": ((3, 3), {"padding": "same"}),
    "same, even": ((2, 4), {"padding": "same"}),
    "same, stride": ((3, 5), {"padding": "same", "stride": (2, 3)}),
    "same, dilation": ((2, 3), {"padding": "same", "dilation": (3, 2)}),
    "dilation": ((2, 2), {"dilation": 3}),
    "dilations": ((3, 2), {"dilation": (2, 4), "padding": ((1, 0), (0, 2)), "stride": (2, 1)}),
    "groups": ((3, 3), {"groups": 2, "padding": 1}),
    "depthwise": ((3, 3), {"groups": 4, "stride": 2, "padding": 1}),
    "all": ((2, 3), {"groups": 2, "stride": (2, 1), "padding": ((0, 2), (3, 1)), "dilation": (2, 3)}),
}
SIZE, CHANNELS, OUT_CHANNELS = (6, 8), 4, 8


def explicit(kernel, options):
    """`options` in the form that the loops take, with TensorFlow's rule for "same"."""
    stride, dilation = pairwise(options.get("stride", 1)), pairwise(options.get("dilation", 1))
    padding = options.get("padding", 0)
    if padding == "same":
        padding = tuple(itertools.starmap(same, zip(SIZE, kernel, stride, dilation, strict=True)))
    elif padding == "valid":
        padding = ((0, 0), (0, 0))
    else:
        padding = tuple(pairwise(side) for side in pairwise(padding))
    return {"stride": stride, "padding": padding, "dilation": dilation, "groups": options.get("groups", 1)}


@pytest.mark.parametrize("name", GEOMETRIES)
def test_conv2d(name):
    kernel, options = GEOMETRIES[name]
    x = whole((2, *SIZE, CHANNELS))
    weight = whole((*kernel, CHANNELS // options.get("groups", 1), OUT_CHANNELS), 1)
    bias = whole(OUT_CHANNELS, 2)
    plain = naive.conv(x, weight, **explicit(kernel, options))
    residual = whole(plain.shape, 3)
    want = np.where(plain + bias + residual > 0, plain + bias + residual, 0)

    np.testing.assert_array_equal(reference.conv2d(x, weight, **options), plain, strict=True)
    np.testing.assert_array_equal(reference.conv2d(x, weight, bias, **options), plain + bias, strict=True)
    both = {"residual": residual, "activation": "relu", **options}
    np.testing.assert_array_equal(reference.conv2d(x, weight, bias, **both), want, strict=True)
    one = {**both, "residual": residual[1]}
    np.testing.assert_array_equal(reference.conv2d(x[1], weight, bias, **one), want[1], strict=True)

    flipped = {**both, "residual": nchw(residual), "layout": "NCHW"}
    np.testing.assert_array_equal(reference.conv2d(nchw(x), oihw(weight), bias, **flipped), nchw(want), strict=True)
    one = {**flipped, "residual": nchw(residual[0])}
    np.testing.assert_array_equal(reference.conv2d(nchw(x[0]), oihw(weight), bias, **one), nchw(want[0]), strict=True)


@pytest.mark.parametrize("stride", [1, 2, 3, 5])
@pytest.mark.parametrize("kernel", [1, 2, 3, 6])
def test_same_padding_gives_size_over_stride_outputs(kernel, stride):
    for size, dilation in itertools.product(range(1, 9), (1, 2)):
        x, weight = whole((size, 1, 1)), whole((kernel, 1, 1, 1))
        got = reference.conv2d(x, weight, padding="same", stride=stride, dilation=dilation)
        assert got.shape == (math.ceil(size / stride), 1, 1)
        padding = same(size, kernel, stride, dilation), (0, 0)
        want = reference.conv2d(x, weight, padding=padding, stride=stride, dilation=dilation)
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("stride", [1, 2, (1, 3)])
def test_pointwise(stride):
    x, weight, bias = whole((2, 5, 7, 3)), whole((3, 4), 1), whole(4, 2)
    h, w = pairwise(stride)
    linear = x[:, ::h, ::w] @ weight + bias
    residual = whole(linear.shape, 3)
    options = {"stride": stride, "activation": "relu"}
    got = reference.pointwise(x, weight, bias, residual=residual, **options)
    np.testing.assert_array_equal(got, np.maximum(linear + residual, 0), strict=True)
    got = reference.pointwise(nchw(x), weight.T, bias, residual=nchw(residual), layout="NCHW", **options)
    np.testing.assert_array_equal(got, nchw(np.maximum(linear + residual, 0)), strict=True)


POOLS = [
    (2, {}, (2, 2), ((0, 0), (0, 0))),
    (3, {"stride": 2}, (2, 2), ((0, 0), (0, 0))),
    (3, {"stride": 1, "padding": 1}, (1, 1), ((1, 1), (1, 1))),
    ((2, 3), {"padding": ((1, 0), (2, 1))}, (2, 3), ((1, 0), (2, 1))),
    ((3, 1), {"stride": (1, 4), "padding": (2, 0)}, (1, 4), ((2, 2), (0, 0))),
    (1, {}, (1, 1), ((0, 0), (0, 0))),
    (3, {"stride": 2, "padding": "same"}, (2, 2), ((0, 1), (1, 1))),
]


@pytest.mark.parametrize(("kernel", "options", "stride", "padding"), POOLS)
def test_pools(kernel, options, stride, padding):
    x = whole((2, 6, 7, 3)) - 2
    for function, combine, fill in (
        (reference.max_pool2d, max, None),
        (reference.avg_pool2d, lambda values: sum(values) / len(values), 0.0),
    ):
        want = naive.pool(x, pairwise(kernel), stride, padding, combine, fill)
        np.testing.assert_array_equal(function(x, kernel, **options), want, strict=True)
        np.testing.assert_array_equal(function(x[1], kernel, **options), want[1], strict=True)
        got = function(nchw(x), kernel, layout="NCHW", **options)
        np.testing.assert_array_equal(got, nchw(want), strict=True)


def mean(values):
    return sum(values) / len(values)


@pytest.mark.parametrize("stride", [1, 2, 3, 4])
@pytest.mark.parametrize("kernel", [1, 2, 3, 4])
def test_pools_that_round_up_and_averages_of_the_map_alone(kernel, stride):
    for height, width in itertools.product((1, 2, 3, 5, 6, 7, 8), (4, 9)):
        x = whole((1, height, width, 1))
        for padding in itertools.product([(0, 0), (kernel - 1, kernel // 2)], [(0, kernel // 3), (kernel // 2, 0)]):
            sizes, strides = (kernel, kernel), (stride, stride)
            for ceil_mode, counts in itertools.product((False, True), repeat=2):
                if height + sum(padding[0]) + (stride - 1) * ceil_mode < kernel:
                    continue
                options = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode}
                got = reference.avg_pool2d(x, kernel, **options, count_include_pad=counts)
                want = naive.pool(x, sizes, strides, padding, mean, 0.0 if counts else None, ceil_mode)
                np.testing.assert_array_equal(got, want, strict=True)
                want = naive.pool(x, sizes, strides, padding, max, None, ceil_mode)
                np.testing.assert_array_equal(reference.max_pool2d(x, kernel, **options), want, strict=True)


def test_what_engines_disagree_on():
    """PyTorch's and ONNX's answers: a last window is divided by its part of x and padding, or is left out."""
    got = reference.avg_pool2d(np.ones((6, 6, 1)), 3, stride=2, padding=1, ceil_mode=True)
    np.testing.assert_allclose(got[3, :, 0], [1 / 3, 1 / 2, 1 / 2, 1 / 4])
    got = reference.max_pool2d(-np.ones((3, 3, 1)), 2, stride=3, padding=1, ceil_mode=True)
    np.testing.assert_array_equal(got[..., 0], [[-1, -1], [-1, -1]])  # a third would begin in the padding after x


def test_global_avg_pool2d_keeps_the_axes():
    x = whole((2, 4, 8, 3))
    want = x.mean((1, 2), keepdims=True)
    np.testing.assert_array_equal(reference.global_avg_pool2d(x), want, strict=True)
    np.testing.assert_array_equal(reference.global_avg_pool2d(x[0]), want[0], strict=True)
    np.testing.assert_array_equal(reference.global_avg_pool2d(nchw(x), layout="NCHW"), nchw(want), strict=True)
    want = nchw(x.max((1, 2), keepdims=True))
    np.testing.assert_array_equal(reference.global_max_pool2d(nchw(x), layout="NCHW"), want)


@np.errstate(invalid="ignore")
def test_nan_and_inf():
    x, weight = whole((1, 5, 5, 2)), whole((3, 3, 2, 2), 1)
    x[0, 2, 2, 0], x[0, 0, 4, 1], weight[0, 0, 0, 1] = np.nan, -np.inf, np.inf
    want = naive.conv(x, weight, padding=((1, 1), (1, 1)))
    assert np.isnan(want[0, 0, 0, 1])  # 0 · Inf on the padding
    np.testing.assert_array_equal(reference.conv2d(x, weight, padding=1), want)
    np.testing.assert_array_equal(reference.conv2d(x, weight, padding=1, activation="relu"), np.maximum(want, 0))
    assert np.isnan(reference.max_pool2d(x, 2)[0, 1, 1, 0])
    assert np.isnan(reference.avg_pool2d(x, 5)[0, 0, 0, 0])
    assert np.isneginf(reference.avg_pool2d(x, 5)[0, 0, 0, 1])


def test_float32_arrays_give_float64_results():
    x, weight = np.full((1, 1, 1), 1 + 2**-12, np.float32), np.full((1, 1, 1, 1), 1 + 2**-12, np.float32)
    assert reference.conv2d(x, weight)[0, 0, 0] == (1 + 2**-12) ** 2  # more bits than float32 has
    assert reference.mlpconv(x, (weight, None))[0, 0, 0] == (1 + 2**-12) ** 2
    assert reference.max_pool2d(x, 1).dtype == np.float64


def test_arguments_are_left_alone():
    arrays = [whole((4, 4, 2)), whole((1, 1, 2, 2)), whole(2), whole((4, 4, 2))]
    copies = [array.copy() for array in arrays]
    x, weight, bias, residual = arrays
    y = reference.conv2d(x, weight, bias, residual=residual, activation="relu")
    pooled = reference.max_pool2d(x, 1)
    y[...] = pooled[...] = 99
    for array, copy in zip(arrays, copies, strict=True):
        np.testing.assert_array_equal(array, copy)


def test_empty_batches_and_maps():
    weight, bias = whole((3, 3, 2, 4)), whole(4)
    assert reference.conv2d(np.empty((0, 5, 5, 2)), weight).shape == (0, 3, 3, 4)
    assert reference.max_pool2d(np.empty((0, 5, 5, 2)), 2).shape == (0, 2, 2, 2)
    assert reference.fire(np.empty((0, 5, 5, 4)), (ONE, None), (ONE, None), (np.ones((3, 3, 4, 2)), None)).shape == (
        0,
        5,
        5,
        6,
    )
    got = reference.conv2d(np.empty((1, 0, 3, 2)), weight, bias, padding=((1, 2), (0, 0)))
    np.testing.assert_array_equal(got, np.broadcast_to(bias, (1, 1, 1, 4)), strict=True)


X, ONE = np.ones((2, 5, 6, 4)), np.ones((1, 1, 4, 4))


@pytest.mark.parametrize(
    ("error", "message", "call"),
    [
        (TypeError, "x has dtype", lambda: reference.conv2d(X.astype("f"), ONE)),
        (TypeError, "x must be a numpy array", lambda: reference.conv2d(X.tolist(), ONE)),
        (TypeError, "weight must have dtype", lambda: reference.conv2d(X, ONE.astype(int))),
        (ValueError, "weight of shape", lambda: reference.conv2d(X, np.ones((1, 1, 3, 4)))),
        (ValueError, "weight must have", lambda: reference.pointwise(X, ONE)),
        (ValueError, "bias must have shape", lambda: reference.conv2d(X, ONE, np.ones(3))),
        (ValueError, "residual must have shape", lambda: reference.conv2d(X, ONE, residual=X[0])),
        (ValueError, "activation", lambda: reference.conv2d(X, ONE, activation="tanh")),
        (ValueError, "layout", lambda: reference.max_pool2d(X, 2, layout="NWHC")),
        (ValueError, "padding", lambda: reference.max_pool2d(X, 2, padding=2)),
        (TypeError, "squeeze must be a pair", lambda: reference.fire(X, ONE, (ONE, None), (ONE, None))),
        (TypeError, "the weight of conv has", lambda: reference.reduced(X, (ONE, None), (ONE.astype("f"), None))),
        (TypeError, "x has dtype", lambda: reference.reduced(X.astype("f"), (ONE, None), (ONE, None))),
        (ValueError, "expand3x3 must have a 3×3 kernel", lambda: reference.fire(X, *[(ONE, None)] * 3)),
        (ValueError, "reduce: weight of shape", lambda: reference.reduced(X[..., 1:], (ONE, None), (ONE, None))),
        (ValueError, "stride_in", lambda: reference.bottleneck(X, *[(ONE, None)] * 3, stride_in="expand")),
        (ValueError, "activation", lambda: reference.mlpconv(X, (ONE, None), activation="tanh")),
        (ValueError, "layout", lambda: reference.inception(X, *[(ONE, None)] * 6, layout="NWHC")),
    ],
)
def test_errors_name_the_argument(error, message, call):
    with pytest.raises(error, match=message):
        call()
