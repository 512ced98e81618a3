"""Winograd's convolutions against the reference, and against direct where values are no numbers.

The bound follows from the transforms. With |·| taken of every entry, a value passes through at most
|Aᵀ| (Σ |G| |w| |Gᵀ| ⊙ |Bᵀ| |x| |B|) |A|, and each of the steps that it takes, `winograd_steps`, rounds once.
"""

from itertools import product

import numpy as np
import pytest
from compare import assert_close, winograd_steps
from numpy.lib.stride_tricks import sliding_window_view

import fastconv
from fastconv import reference
from fastconv._checks import arrays

BAD = {"nan": np.nan, "inf": np.inf, "-inf": -np.inf, "1e38": 1e38, "-3e38": -3e38}
BAD_WEIGHTS = {"float32": [*BAD.values(), 1e30], "float64": [np.nan, np.inf, -np.inf, 1e240, 1e307, -1.7e308]}
SCALES = {"float32": [1e38, 1e25, 1e18, 1e-20, 1e-38, 0], "float64": [1e307, 1e200, 1e150, 1e-40, 1e-160, 1e-307, 0]}

pytestmark = pytest.mark.usefixtures("teams_for_tiny_layers")


def normals(*shapes, dtype="float32"):
    rng = np.random.default_rng(0)
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def case(transform, x_shape, out_channels, groups=1, dtype="float32"):
    """x, weight and bias."""
    r = transform.kernel
    return normals(x_shape, (r, r, x_shape[3] // groups, out_channels), (out_channels,), dtype=dtype)


def by_dtype(values):
    """(dtype, value) for every one of {dtype: values}."""
    return [(dtype, value) for dtype, of_dtype in values.items() for value in of_dtype]


def winograd(*args, **options):
    return fastconv.conv2d(*args, algorithm="winograd", **options)


def magnitude(transform, x, weight, padding, groups=1):
    """|Aᵀ| (Σ |G| |w| |Gᵀ| ⊙ |Bᵀ| |x| |B|) |A| for every output."""
    a, g, b = map(np.abs, transform.matrices)
    (top, bottom), (left, right) = padding
    m, n = transform.outputs, transform.points
    height, width = (size + sum(pad) + 1 - transform.kernel for size, pad in zip(x.shape[1:3], padding, strict=True))
    x = np.pad(np.abs(x.astype(float)), ((0, 0), (top, bottom + m), (left, right + m), (0, 0)))
    parts = []
    for values, kernel in zip(np.split(x, groups, 3), np.split(np.abs(weight), groups, 3), strict=True):
        patches = sliding_window_view(values, (n, n), (1, 2))[:, :height:m, :width:m]
        v = np.einsum("ip,jq,byxcpq->byxcij", b, b, patches, optimize=True)
        u = np.einsum("ir,js,rsck->ijck", g, g, kernel.astype(float), optimize=True)
        tiles = np.einsum("pi,qj,byxcij,ijck->bypxqk", a, a, v, u, optimize=True)
        parts.append(tiles.reshape(len(x), tiles.shape[1] * m, -1, kernel.shape[3])[:, :height, :width])
    return np.concatenate(parts, 3)


def assert_winograd(got, transform, x, weight, bias, padding, residual=None, activation=None, groups=1):
    options = {"padding": padding, "groups": groups, "activation": activation}
    want = reference.conv2d(x, weight, bias, residual=residual, **options)
    size = magnitude(transform, x, weight, padding, groups) + np.abs(bias)
    if residual is not None:
        size += np.abs(residual)
    steps = winograd_steps(transform, weight.shape[2])
    assert_close(got, want, size, -(-steps // 4), x.dtype)  # assert_close allows 4 roundings a term


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", [None, "relu"])
def test_the_edges_of_tiles_and_blocks(transform, activation, dtype):
    for height, width in [(1, 1), (2, 5), (4, 4), (5, 3), (8, 9), (3, 13), (11, 18)]:
        for channels, out_channels in [(1, 1), (3, 17), (4, 8), (7, 33), (9, 16), (16, 32), (33, 5), (20, 65)]:
            x, weight, bias = case(transform, (2, height, width, channels), out_channels, dtype=dtype)
            padding = ((1, transform.kernel), (2, 2))
            (residual,) = normals(reference.conv2d(x, weight, padding=padding).shape, dtype=dtype)
            options = {"padding": padding, "residual": residual, "activation": activation}
            got = winograd(x, weight, bias, **options, num_threads=1)
            assert_winograd(got, transform, x, weight, bias, **options)
            for num_threads in (2, 3):
                assert winograd(x, weight, bias, **options, num_threads=num_threads).tobytes() == got.tobytes()


@pytest.mark.parametrize("padding", [((0, 0), (0, 0)), ((0, 3), (1, 0)), ((2, 2), (2, 2)), ((7, 0), (0, 9))])
def test_any_padding(transform, padding):
    x, weight, bias = case(transform, (2, 9, 10, 12), 20)
    assert_winograd(winograd(x, weight, bias, padding=padding), transform, x, weight, bias, padding)


@pytest.mark.parametrize("channels", [1, 2, 3, 16, 31, 32, 33, 64, 128, 300, 512, 2048])
def test_any_number_of_channels(transform, channels):
    padding = ((1, 1), (1, 1))
    x, weight, bias = case(transform, (1, 7, 10, channels), 24)
    assert_winograd(winograd(x, weight, bias, padding=padding), transform, x, weight, bias, padding)


@pytest.mark.parametrize(("groups", "channels", "out_channels"), [(2, 24, 34), (3, 12, 6), (8, 8, 8)])
def test_groups(transform, groups, channels, out_channels):
    x, weight, bias = case(transform, (2, 9, 10, channels), out_channels, groups)
    options = {"padding": ((1, 1), (2, 2)), "groups": groups}
    assert_winograd(winograd(x, weight, bias, **options), transform, x, weight, bias, **options)


def test_the_bound_rejects_a_dropped_tap(transform):
    x, weight, bias = case(transform, (1, 12, 12, 32), 8)
    wrong = weight.copy()
    wrong[1, 1, 5] = 0
    with pytest.raises(AssertionError):
        assert_winograd(winograd(x, wrong, bias), transform, x, weight, bias, ((0, 0), (0, 0)))


@pytest.mark.parametrize(("size", "channels", "out_channels"), [(28, 64, 72), (7, 300, 130), (30, 3, 5)])
def test_the_same_bits_for_any_team_batch_and_out(transform, size, channels, out_channels):
    x, weight, bias = case(transform, (3, size, size - 1, channels), out_channels)
    options = {"padding": 1, "activation": "relu"}
    want = winograd(x, weight, bias, **options, num_threads=1)
    for num_threads in (2, 3, 8):
        assert winograd(x, weight, bias, **options, num_threads=num_threads).tobytes() == want.tobytes()
    for image, image_want in zip(x, want, strict=True):
        assert winograd(image, weight, bias, **options).tobytes() == image_want.tobytes()
    wide = np.full((*want.shape[:3], out_channels + 5), np.nan, np.float32)
    winograd(x, weight, bias, **options, out=wide[..., 2:-3])
    assert wide[..., 2:-3].tobytes() == want.tobytes()
    assert np.isnan(wide[..., :2]).all()
    assert np.isnan(wide[..., -3:]).all()


def assert_like_direct(transform, x, weight, bias, **options):
    """NaN and Inf where direct has them, and any other value as near to direct as two roundings of one value are."""
    got, want = winograd(x, weight, bias, **options), fastconv.conv2d(x, weight, bias, algorithm="direct", **options)
    finite = np.isfinite(want)
    assert np.array_equal(got[~finite], want[~finite], equal_nan=True)
    assert np.isfinite(got[finite]).all()
    scale = np.abs(want[finite]).max(initial=1)
    assert np.abs(got[finite] / scale - want[finite] / scale).max(initial=0) < 1e-4


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("channel", [0, 3, 16])
def test_an_output_too_large_for_the_caches(transform, channel, dtype):
    """Its whole lines pass by the caches; those of an image alone do not, and the values are the same."""
    images, size, out_channels = 3, 115, 56
    x, weight, bias = case(transform, (images, size, size, 2), out_channels, dtype=dtype)
    (residual,) = normals((images, size, size, out_channels), dtype=dtype)
    plan = fastconv.Conv2d(weight, bias, padding=transform.kernel // 2, algorithm="winograd", num_threads=2)
    out = arrays.aligned((images, size, size, 80), np.dtype(dtype))
    out[:] = 0
    got = plan(x, residual=residual, out=out[..., channel : channel + out_channels])
    for i in range(images):
        np.testing.assert_array_equal(got[i], plan(x[i], residual=residual[i]))
    assert not out[..., :channel].any()
    assert not out[..., channel + out_channels :].any()
    np.testing.assert_array_equal(plan(x)[2], plan(x[2]))


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_pixel_anywhere_in_a_tile(transform, bad):
    x, weight, bias = case(transform, (1, 10, 9, 9), 18)
    for i, j in product(range(10), range(9)):
        worse = x.copy()
        worse[0, i, j, (i + j) % 9] = bad
        assert_like_direct(transform, worse, weight, bias, padding=1, activation=(None, "relu")[i % 2])


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_pixel_where_direct_leaves_out_columns_of_the_kernel(transform, bad):
    x, weight, bias = case(transform, (1, 9, 7, 60), 18)
    for i, j in product((0, 1, 4, 8), range(7)):
        worse = x.copy()
        worse[0, i, j, i + j] = bad
        assert_like_direct(transform, worse, weight, bias, padding=transform.kernel // 2)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(("dtype", "bad"), by_dtype(BAD_WEIGHTS))
def test_a_bad_weight(transform, dtype, bad):
    x, weight, bias = case(transform, (1, 9, 9, 5), 19, dtype=dtype)
    for r, s in product(range(transform.kernel), repeat=2):
        worse = weight.copy()
        worse[r, s, (r + s) % 5, 3 * r + s] = bad
        assert_like_direct(transform, x, worse, bias, padding=1)


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD)
def test_a_bad_bias_or_residual(transform, bad):
    x, weight, bias = case(transform, (1, 9, 9, 5), 19)
    residual = np.zeros((1, 12 - transform.kernel, 12 - transform.kernel, 19), np.float32)
    residual[0, 3, 2, 7] = bias[4] = bad
    assert_like_direct(transform, x, weight, bias, padding=1, residual=residual)


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize(("dtype", "scale"), by_dtype(SCALES))
def test_values_of_any_size(transform, dtype, scale):
    x, weight, bias = case(transform, (1, 9, 9, 33), 19, dtype=dtype)
    x, weight = x / np.abs(x).max(), weight / np.abs(weight).max()
    assert_like_direct(transform, x * x.dtype.type(scale), weight, bias, padding=1)
    assert_like_direct(transform, x, weight * x.dtype.type(scale), bias, padding=1)


def test_a_function_keeps_no_plan_of_another_transform(transform):
    x, weight, bias = case(transform, (1, 12, 12, 20), 8)
    plan = fastconv.Conv2d(weight, bias, algorithm="winograd")
    assert winograd(x, weight, bias).tobytes() == plan(x).tobytes()


def test_what_describe_says(transform):
    x, weight, bias = case(transform, (2, 11, 12, 8), 24)
    description = fastconv.Conv2d(weight, bias, padding=1, algorithm="winograd").describe(x.shape)
    out_height, out_width = 11 + 3 - transform.kernel, 12 + 3 - transform.kernel
    tiles = -(-out_height // transform.outputs) * -(-out_width // transform.outputs)
    assert description.algorithm == "winograd"
    assert description.tile.startswith(str(transform))
    assert description.multiplications == 2 * tiles * transform.points**2 * 8 * 24
    assert description.macs == 2 * out_height * out_width * transform.kernel**2 * 8 * 24


def test_short_tiles_take_fewer_multiplications():
    def multiplications(height, width):
        return fastconv.Conv2d(weight, padding=1, algorithm="winograd").describe((3, height, width, 5)).multiplications

    (weight,) = normals((3, 3, 5, 7))
    full, short = 6, 4  # points of F(4×4, 3×3), which is the cheaper one for such sizes
    lines = {12: 3 * full, 13: 3 * full + short, 14: 3 * full + short, 15: 4 * full}
    for height, width in product(lines, repeat=2):
        assert multiplications(height, width) == 3 * 5 * 7 * lines[height] * lines[width]


@pytest.mark.parametrize("size", [(13, 14), (14, 12), (12, 13), (15, 14), (2, 14), (1, 1), (6, 58)])
def test_short_tiles(transform, size):
    padding = (((transform.kernel - 1) // 2,) * 2,) * 2
    for channels, out_channels in [(3, 17), (16, 32), (40, 70)]:
        x, weight, bias = case(transform, (3, *size, channels), out_channels)
        got, same = (winograd(x, weight, bias, padding=padding, num_threads=n) for n in (1, 3))
        assert_winograd(got, transform, x, weight, bias, padding)
        assert got.tobytes() == same.tobytes()
        worse = x.copy()
        worse[1, -1, size[1] // 2, 0] = worse[2, size[0] // 2, -1, 1] = np.nan
        assert_like_direct(transform, worse, weight, bias, padding=padding)


@pytest.mark.parametrize("options", [{"stride": 2}, {"dilation": 2}, {"stride": (1, 2)}])
def test_other_convolutions_are_an_error(options):
    with pytest.raises(ValueError, match='"winograd" is for 3×3 and 5×5'):
        winograd(*normals((1, 9, 9, 4), (3, 3, 4, 4)), **options)
    with pytest.raises(ValueError, match='"winograd" is for 3×3 and 5×5'):
        winograd(*normals((1, 9, 9, 4), (3, 5, 4, 4)))


def test_the_matrices_are_a_convolution(transform):
    a, g, b = transform.matrices
    d, w = np.random.default_rng(0).standard_normal((2, transform.points))
    w = w[: transform.kernel]
    np.testing.assert_allclose(a @ ((g @ w) * (b @ d)), np.convolve(d, w[::-1], "valid"), rtol=1e-12, atol=1e-12)
