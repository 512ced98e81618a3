"""Winograd beside large values: the error of an output follows from what it sees itself.

With |·| taken of every entry, an output is a sum over the channels of xᵀ K w, x being the patch of its tile and w its
weights, K = kᵢ ⊗ kⱼ and kᵢ = |B| diag(|Aᵢ|) |G| along each axis. So its error is at most steps·u·‖K‖·‖x‖·‖w‖, with the
`winograd_steps` and u = eps / 2, and of x only what meets rows of K that are not zero: of two outputs of an
axis what they see, of four most of the patch. Where an output sees less than 1/RANGE of that norm, it is computed
directly, which leaves

    |error| ≤ (RANGE · ‖K‖ · steps / 2) · eps · ‖what it sees‖ · ‖w‖,   without RANGE for two outputs.

This is for roundings that all point the same way. They do not: SEEN is 2.5 times the largest factor of these maps with
8 and 64 channels. Draws by the thousand reach 59 with 3 channels, and 109 with one.
"""

from itertools import product

import numpy as np
import pytest
from compare import winograd_steps
from numpy.lib.stride_tricks import sliding_window_view

import fastconv
from fastconv import reference
from fastconv._runners import winograd

SEEN = 64
MAPS = {}

pytestmark = pytest.mark.usefixtures("teams_for_tiny_layers")


def hostile(function):
    """Enter a function of normal values, one that may change them, in MAPS."""
    MAPS[function.__name__] = function
    return function


@hostile
def one_large_pixel(rng, x):
    x[:, x.shape[1] // 2, x.shape[2] // 3, 0] = 1e4
    return x


@hostile
def one_pixel_in_zeros(rng, x):
    x[:] = 0
    x[:, x.shape[1] // 2, x.shape[2] // 2] = 1e10
    return x


@hostile
def fill_value(rng, x):
    x[:, 3:5, 4:] = 1e20 if x.dtype == "float64" else 1e12
    return x


@hostile
def mask(rng, x):
    return x * (rng.random((*x.shape[:3], 1)) < 0.1)


@hostile
def saturated(rng, x):
    return np.where(rng.random((*x.shape[:3], 1)) < 0.05, x.dtype.type(-65535), x)


@hostile
def any_size(rng, x):
    return x * 10 ** rng.uniform(-6, 6, (*x.shape[:3], 1)).astype(x.dtype)


@hostile
def some_sizes(rng, x):
    return x * 10 ** rng.uniform(-1.5, 1.5, (*x.shape[:3], 1)).astype(x.dtype)


@hostile
def squares_that_underflow(rng, x):
    """The smallest are no zeros; everything in the second image is too small to be squared."""
    tiny = {"float32": (1e-26, 1e-25), "float64": (1e-170, 1e-190)}[x.dtype.name]
    x[:, :, x.shape[2] // 2 :] *= x.dtype.type(tiny[0])
    x[1:] *= x.dtype.type(tiny[1]) / x.dtype.type(tiny[0])
    x[1:, 4, 3] *= 1e6
    return x


@hostile
def zeros_and_squares_that_underflow(rng, x):
    """Beside a normal value: what sees only the smaller two sizes, and what sees zeros alone."""
    small, smaller = {"float32": (1e-24, 1e-30), "float64": (1e-165, 1e-171)}[x.dtype.name]
    y = np.zeros_like(x)
    y[:, ::6, ::6] = x[:, ::6, ::6]
    y[:, 4::6, 4::6] = x[:, 4::6, 4::6] * x.dtype.type(small)
    for row in (1, 2, 3):
        for column in (1, 2, 3):
            y[:, row::6, column::6] = x[:, row::6, column::6] * x.dtype.type(smaller)
    return y


def hostile_map(name, shape, dtype):
    rng = np.random.default_rng(0)
    return MAPS[name](rng, rng.standard_normal(shape).astype(dtype)).astype(dtype)


def weights(transform, group_in, out_channels, dtype):
    return np.random.default_rng(1).standard_normal((transform.kernel,) * 2 + (group_in, out_channels)).astype(dtype)


def own_size(x, weight, padding, groups=1):
    """‖what it sees‖ · ‖w‖ of every output, in a range that takes any squares."""
    (top, bottom), (left, right) = padding
    r = weight.shape[0]
    padded = np.pad(np.abs(x.astype(np.longdouble)), ((0, 0), (top, bottom), (left, right), (0, 0)))
    norms = [
        np.sqrt(sliding_window_view((part**2).sum(3), (r, r), (1, 2)).sum((3, 4)))
        for part in np.split(padded, groups, 3)
    ]
    of_weights = np.sqrt((weight.astype(np.longdouble) ** 2).sum((0, 1, 2)))
    return np.repeat(np.stack(norms, 3), weight.shape[3] // groups, 3) * of_weights


def factor(transform, channels):
    """The factor of the bound, with the largest K of any output of a tile, short ones among them."""
    norms = []
    for one in filter(None, (transform, transform.short)):
        a, g, b = map(np.abs, one.matrices)
        norms += [np.linalg.norm(b.T * row @ g, 2) for row in a]
    steps = winograd_steps(transform, channels)
    return (winograd.RANGE if transform.outputs > 2 else 1) * max(norms) ** 2 * steps / 2


def assert_in_range(got, transform, x, weight, bias, padding, residual=None, groups=1, activation=None):
    """Assert that the error of every output is within the bound and within SEEN."""
    want = reference.conv2d(
        x, weight, bias, padding=padding, residual=residual, groups=groups, activation=activation
    ).astype(np.longdouble)
    limits = np.finfo(x.dtype)
    added = np.abs(bias.astype(np.longdouble)) + (0 if residual is None else np.abs(residual))
    size = own_size(x, weight, padding, groups)
    assert factor(transform, weight.shape[2]) > SEEN  # if all roundings pointed the same way
    own = SEEN * size
    tiny = weight[..., 0].size * limits.smallest_subnormal
    assert (np.abs(got - want) <= limits.eps * (own + 2 * added) + tiny).all()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", MAPS)
def test_the_error_follows_from_what_an_output_sees(transform, name, dtype):
    pad = transform.kernel // 2
    for size, channels, groups in product([(13, 14), (15, 19)], [3, 16, 40], [1, 2]):
        x = hostile_map(name, (2, *size, channels * groups), dtype)
        weight = weights(transform, channels, 22, dtype)
        bias = np.zeros(22, dtype)
        for num_threads, padding in (1, ((pad, pad),) * 2), (3, ((0, 2), (2 * pad, 0))):
            options = {"padding": padding, "groups": groups}
            got = fastconv.conv2d(x, weight, algorithm="winograd", num_threads=num_threads, **options)
            assert_in_range(got, transform, x, weight, bias, **options)


@pytest.mark.parametrize("name", MAPS)
def test_the_epilogue_beside_large_values(transform, name):
    x, weight = hostile_map(name, (2, 18, 27, 20), "float32"), weights(transform, 20, 40, "float32")
    rng, padding = np.random.default_rng(2), ((transform.kernel // 2,) * 2,) * 2
    bias, residual = rng.standard_normal(40).astype("float32"), rng.standard_normal((2, 18, 27, 40)).astype("float32")
    for options in {}, {"residual": residual}, {"residual": residual, "activation": "relu"}:
        got = fastconv.conv2d(x, weight, bias, algorithm="winograd", padding=padding, num_threads=2, **options)
        assert_in_range(got, transform, x, weight, bias, padding=padding, **options)


@pytest.mark.parametrize("num_threads", [1, 2, 3])
@pytest.mark.parametrize(
    ("dtype", "value", "beside"), [("float32", 1e10, 0), ("float64", 1e20, 1), ("float32", 1e4, 1)]
)
def test_auto_beside_a_large_value(dtype, value, beside, num_threads):
    """A saturated pixel, a fill value: where they are not seen, the result is as if they were not there."""
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((28, 28, 64)).astype(dtype) * beside, rng.standard_normal((3, 3, 64, 64))
    plan = fastconv.Conv2d(weight.astype(dtype), padding=1, num_threads=num_threads)
    assert plan.describe(x.shape).algorithm == "winograd"
    usual = reference.conv2d(x, weight.astype(dtype), padding=1)
    x[9:12, 13] = value
    hidden = np.ones((28, 28), bool)
    hidden[8:13, 12:15] = False
    error = np.abs(plan(x) - usual)[hidden]
    assert error.max() <= 4e-6 * np.finfo(dtype).eps / np.finfo("float32").eps * np.sqrt((usual**2).mean())


@pytest.mark.parametrize(
    ("dtype", "sizes", "of_weights"),
    [("float32", (1e-34, 1e-15, 1e-24), 1e30), ("float64", (1e-300, 1e-140, 1e-200), 1)],
)
def test_three_sizes_the_largest_at_a_corner(transform, dtype, sizes, of_weights):
    """The corner alone makes the sum of the patch's squares large; what most outputs see underflows in it."""
    x = np.full((1, 12, 12, 16), sizes[0], dtype)
    x[0, 3, 3], x[0, 5, 5] = sizes[1:]
    weight = weights(transform, 16, 24, dtype) * np.dtype(dtype).type(of_weights)
    got = fastconv.conv2d(x, weight, algorithm="winograd", padding=1)
    assert_in_range(got, transform, x, weight, np.zeros(24, dtype), ((1, 1), (1, 1)))


def test_zeros_give_the_bias(transform):
    x = hostile_map("one_pixel_in_zeros", (1, 17, 18, 24), "float32")
    x[0, ::2] *= -1  # zeros of either sign
    weight, bias = weights(transform, 24, 40, "float32"), np.linspace(-1, 1, 40, dtype="float32")
    padding = ((transform.kernel // 2,) * 2,) * 2
    got = fastconv.conv2d(x, weight, bias, padding=padding, algorithm="winograd")
    sees_zeros = own_size(x, weight, padding) == 0
    assert 0.8 < sees_zeros.mean() < 1
    np.testing.assert_array_equal(got[sees_zeros], np.broadcast_to(bias, got.shape)[sees_zeros])


def test_zeros_times_what_is_no_number(transform):
    x, weight = hostile_map("mask", (1, 17, 18, 24), "float32"), weights(transform, 24, 40, "float32")
    weight[1, 1, 5, 7] = np.inf
    weight[0, 2, 3, 33] = np.nan
    got, want = (fastconv.conv2d(x, weight, padding=1, algorithm=name) for name in ("winograd", "direct"))
    np.testing.assert_array_equal(np.isnan(got), np.isnan(want))
    np.testing.assert_array_equal(np.isinf(got), np.isinf(want))


@pytest.mark.parametrize("name", MAPS)
def test_the_same_bits_for_any_team_and_batch(transform, name):
    x, weight = hostile_map(name, (3, 30, 33, 20), "float32"), weights(transform, 20, 40, "float32")
    options = {"padding": transform.kernel // 2, "algorithm": "winograd"}
    want = fastconv.conv2d(x, weight, **options, num_threads=1)
    for num_threads in (2, 3, 8):
        assert fastconv.conv2d(x, weight, **options, num_threads=num_threads).tobytes() == want.tobytes()
    for image, image_want in zip(x, want, strict=True):
        assert fastconv.conv2d(image, weight, **options).tobytes() == image_want.tobytes()


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_ordinary_values_go_through_the_transforms(transform, padding):
    """What is computed directly has direct's own bits; by chance few others do."""
    (x,) = np.random.default_rng(0).standard_normal((1, 2, 31, 34, 16), "float32")
    weight = weights(transform, 16, 40, "float32")
    for values in x, np.maximum(x, 0), np.exp(x):
        got, want = (
            fastconv.conv2d(values, weight, padding=padding, algorithm=name) for name in ("winograd", "direct")
        )
        assert (got == want).mean(3).max() < 1
