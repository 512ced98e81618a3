"""Convolutions with few output channels, whose tiles go along runs of pixels: their edges, the wide tile's bits."""

import numpy as np
import pytest
from cases import integers, non_finite, normals
from compare import assert_equal_exact

import fastconv
from fastconv import reference
from fastconv._checks import shapes
from fastconv._kernels import cpu

pytestmark = pytest.mark.usefixtures("teams_for_tiny_layers")
WIDE = 40  # output channels that take the tile of whole vectors on every instruction set


def direct(x, weight, bias, **options):
    return fastconv.conv2d(x, weight, bias, algorithm="direct", **options)


def wider(array):
    """With channels behind it that only fill it up."""
    filled = np.zeros((*array.shape[:-1], WIDE), array.dtype)
    filled[..., : array.shape[-1]] = array
    return filled


def with_columns(x, kernel, stride=1, padding=0, dilation=1):
    """x with the columns of its padding, and what is left of that: few channels leave no columns of the kernel out."""
    strides, (_, steps) = np.broadcast_to(stride, 2), np.broadcast_to(dilation, 2)
    extent = kernel[0], (kernel[1] - 1) * steps + 1
    rows, columns = shapes.sides(shapes.padding_of(padding), x.shape[1:3], extent, strides)
    return np.pad(x, ((0, 0), (0, 0), columns, (0, 0))), (rows, (0, 0))


def assert_bits_of_the_wide_tile(x, weight, bias, **options):
    few = weight.shape[-1]
    got = direct(x, weight, bias, **options)
    if "residual" in options:
        options["residual"] = wider(options["residual"])
    if weight.shape[:2] != (1, 1) and few <= 12:
        x, options["padding"] = with_columns(x, weight.shape[:2], **options)
    assert got.tobytes() == direct(x, wider(weight), wider(bias), **options)[..., :few].tobytes()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("few", [*range(1, 9), 16])
def test_the_bits_of_the_wide_tile(few, dtype):
    rng = np.random.default_rng(few)
    for channels in [*range(1, 19), 33, 40, 255, 256, 257, 515]:
        for pixels in (7, 8, 9, 12, 15, 16, 17, 31, 32, 33, 49, 77):
            arrays = [normals(rng, s, dtype) for s in ((pixels, channels), (channels, few), (few,), (pixels, few))]
            x, weight, bias, residual = arrays
            options = {"residual": residual[None], "activation": "relu"} if pixels % 2 else {}
            assert_bits_of_the_wide_tile(x[None], weight[None, None], bias, **options)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("few", [*range(1, 13), 16])
@pytest.mark.parametrize(
    ("kernel", "options"),
    [
        ((1, 1), {"stride": 2}),
        ((1, 1), {"stride": (1, 3), "padding": 1}),
        ((3, 3), {"padding": 1}),
        ((3, 3), {"stride": 2, "padding": "same"}),
        ((2, 3), {"dilation": 2}),
        ((5, 1), {"padding": ((3, 1), (0, 2))}),
    ],
)
def test_rows_of_every_geometry(kernel, options, few, dtype):
    rng = np.random.default_rng(few)
    for channels in (1, 2, 3, 5, 16, 67):
        weight, bias = normals(rng, (*kernel, channels, few), dtype), normals(rng, (few,), dtype)
        for width in (18, 37, 71):
            assert_bits_of_the_wide_tile(normals(rng, (2, 7, width, channels), dtype), weight, bias, **options)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("channels", [1, 3, 4, 9])
def test_values_that_are_no_numbers(channels, dtype):
    rng = np.random.default_rng(0)
    for few in (*range(1, 9), 16):
        x, weight = non_finite(rng, (1, 3, 19, channels), dtype), normals(rng, (channels, few), dtype)
        got = fastconv.pointwise(x, weight, algorithm="direct")
        want = fastconv.pointwise(x, wider(weight), algorithm="direct")[..., :few]
        np.testing.assert_array_equal(got, want)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_threads_images_and_slices_of_out(dtype):
    rng = np.random.default_rng(0)
    for channels, few in [(1, 1), (3, 3), (4, 4), (5, 2), (16, 4), (16, 8), (6, 16), (33, 7)]:
        arrays = (integers(rng, shape, dtype) for shape in ((3, 23, 19, channels), (channels, few), (few,)))
        x, weight, bias = arrays
        residual = integers(rng, (3, 23, 19, few), dtype)
        want = reference.pointwise(x, weight, bias, residual=residual)
        for num_threads in (1, 2, 3):
            joined = np.full((3, 23, 19, few + 5), 7, dtype)
            options = {"residual": residual, "out": joined[..., 2:-3], "num_threads": num_threads}
            assert_equal_exact(fastconv.pointwise(x, weight, bias, algorithm="direct", **options), want, dtype)
            assert (np.delete(joined, np.s_[2:-3], -1) == 7).all()  # the neighbours' channels
        for image, added, image_want in zip(x, residual, want, strict=True):
            got = fastconv.pointwise(image, weight, bias, algorithm="direct", residual=added)
            assert_equal_exact(got, image_want, dtype)


def test_groups_of_few_channels():
    rng = np.random.default_rng(0)
    x, weight = integers(rng, (2, 6, 21, 15), "float32"), integers(rng, (1, 1, 5, 9), "float32")
    assert_equal_exact(direct(x, weight, None, groups=3), reference.conv2d(x, weight, groups=3), "float32")


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_description_names_the_tile(dtype):
    """Pixels for lanes where the channels would not fill a vector, and where a row, or the map, has as many."""
    lanes = int(fastconv.Conv2d(np.ones((1, 1, 4, 64), dtype)).describe((1, 8, 8, 4)).tile.split()[3]) // 2
    weight = np.ones((1, 1, 4, 1), dtype)
    few = f"{lanes} pixels × 1 channels"
    assert fastconv.Conv2d(weight).describe((1, 4, lanes, 4)).tile == few
    assert fastconv.Conv2d(weight).describe((1, lanes, 1, 4)).tile == few
    assert fastconv.Conv2d(weight).describe((1, 1, lanes - 1, 4)).tile != few
    assert fastconv.Conv2d(weight, stride=2).describe((1, 2, 2 * lanes, 4)).tile == few
    assert fastconv.Conv2d(weight, stride=2).describe((1, lanes, 2 * lanes - 2, 4)).tile != few
    full = fastconv.Conv2d(np.ones((1, 1, 4, lanes), dtype)).describe((1, 3, 1, 4)).tile
    assert full.endswith(f"× {2 * lanes} channels")


@pytest.mark.skipif(cpu.active() != "avx2", reason="tiles of AVX2")
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_narrow_1x1s_have_tiles_of_their_own(dtype):
    """Whole vectors of output channels, or floats of four, in a run of eight pixels; sums of one chunk."""

    def tile(channels, few, x_shape=(2, 4), **options):
        return fastconv.Conv2d(np.ones((1, 1, channels, few), dtype), **options).describe((*x_shape, channels)).tile

    lanes = 32 // np.dtype(dtype).itemsize
    widest = f"6 pixels × {2 * lanes} channels"
    for channels in (4, 5, 256):
        assert tile(channels, lanes) == f"8 pixels × {lanes} channels"
        assert tile(channels, 2 * lanes) == f"4 pixels × {2 * lanes} channels"
        assert tile(channels, 4) == "8 pixels × 4 channels"
    assert tile(257, lanes) == tile(4, lanes, (1, 7)) == tile(4, lanes, padding=1) == widest
    assert tile(4, lanes, (2, 16), stride=2) == f"8 pixels × {lanes} channels"
    assert tile(4, lanes, (2, 14), stride=2) == widest
