"""conv2d against the reference: any geometry, the edges of tiles and pixel blocks, and values that are no numbers."""

from itertools import product

import numpy as np
import pytest
from cases import ConvCase, conv_cases, huge, in_layout, integers, kernel_in_layout, non_finite, normals
from compare import assert_close, assert_conv, assert_equal_exact
from hypothesis import given

import fastconv
from fastconv import functional, reference
from fastconv._checks.arrays import aligned
from fastconv._runners.shaping import transpose

pytestmark = pytest.mark.usefixtures("teams_for_tiny_layers")
THREADS = 1, 2, 3
CHUNK = 256  # products summed in one chain


@given(conv_cases())
def test_whole_numbers_exactly(case):
    arrays = case.arrays(integers)
    want = reference.conv2d(**arrays, **case.options)
    assert want.shape == case.out_shape
    for num_threads in THREADS:
        got = fastconv.conv2d(**arrays, **case.options, algorithm="direct", num_threads=num_threads)
        assert_equal_exact(got, want, case.dtype)


@pytest.mark.parametrize("values", [normals, non_finite, huge])
@given(case=conv_cases())
def test_any_numbers_within_the_bound(values, case):
    arrays = case.arrays(values)
    assert_conv(fastconv.conv2d(**arrays, **case.options, num_threads=2), **arrays, **case.options)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("activation", [None, "relu", (-3, 20)])
@pytest.mark.parametrize("kernel", [1, 3])
def test_the_edges_of_every_tile(kernel, activation, dtype):
    """Every number of pixels and columns around the tiles' sizes, in a map one pixel high."""
    columns = [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 23, 24, 25, 31, 32, 33, 63, 64, 65]
    for n in [*range(1, 15), 23, 24, 25, 49]:
        shapes = (1, n, 3), (kernel, kernel, 3, columns[-1]), (1, n, columns[-1])
        case = ConvCase(*shapes, dtype, residual=True, options={"padding": kernel // 2, "activation": activation})
        arrays = case.arrays(integers)
        want, x = reference.conv2d(**arrays, **case.options), arrays.pop("x")
        for k in columns:
            first = {name: np.ascontiguousarray(array[..., :k]) for name, array in arrays.items()}
            got = fastconv.conv2d(x, **first, **case.options, algorithm="direct", num_threads=1)
            assert_equal_exact(got, want[..., :k], dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("kernel", "channels"), [(1, 300), (3, 34)])
def test_tiles_of_every_size_before_another_block(kernel, channels, dtype):
    """Blocks too large for the L1 cache beside others: their tiles are those that also bring in the next block."""
    columns = int(fastconv.Conv2d(np.ones((1, 1, 4, 4), dtype), algorithm="direct").describe((1, 1, 4)).tile.split()[3])
    for n in range(1, 15):
        shape = kernel, kernel, channels, 2 * columns + 1
        case = ConvCase((1, n, channels), shape, (1, n, shape[3]), dtype, options={"padding": kernel // 2})
        arrays = case.arrays(integers)
        got = fastconv.conv2d(**arrays, **case.options, algorithm="direct", num_threads=1)
        assert_equal_exact(got, reference.conv2d(**arrays, **case.options), dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("group_in", "group_out"), [(1, 1), (1, 2), (2, 1), (3, 3), (4, 4), (4, 1), (1, 4)])
@pytest.mark.parametrize(("padding", "stride"), [(0, 1), (1, 1), (1, 2), (0, 3)])
def test_the_edges_of_groups(padding, stride, group_in, group_out, dtype):
    """Of any number of groups: the first of many, for which the reference takes a turn each."""
    rng, many = np.random.default_rng(0), 65
    for width in [3, 4, 8, 15, 27, 51]:
        shapes = (2, 4, width, many * group_in), (3, 3, group_in, many * group_out), (many * group_out,)
        x, weight, bias = (integers(rng, shape, dtype) for shape in shapes)
        options = {"padding": padding, "stride": stride}
        want = reference.conv2d(x, weight, bias, groups=many, **options)
        residual = integers(rng, want.shape, dtype)
        want += residual
        for groups in [2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 63, 64, many]:
            of_x, of_y = np.s_[..., : groups * group_in], np.s_[..., : groups * group_out]
            *arrays, added = map(np.ascontiguousarray, (x[of_x], weight[of_y], bias[of_y], residual[of_y]))
            options |= {"residual": added, "groups": groups, "algorithm": "direct", "num_threads": 1}
            assert_equal_exact(fastconv.conv2d(*arrays, **options), want[of_y], dtype)


# Rows so long or pixels so deep that a map falls into several pixel blocks; kernels of every form.
PIXEL_BLOCKS_AND_KERNELS = {
    "pixel blocks of one row": ((2, 9, 5, 3000), (3, 3, 3000, 5), {"padding": 1}),
    "uneven pixel blocks of rows": ((1, 37, 40, 96), (3, 3, 96, 9), {"padding": 1, "stride": (2, 1)}),
    "pixel blocks of a pointwise map": ((2, 20, 21, 1030), (1, 1, 1030, 17), {}),
    "pixel blocks that begin inside a row": ((1, 30, 31, 300), (2, 2, 300, 3), {}),
    "pixel blocks of a strided map": ((2, 31, 29, 260), (1, 1, 260, 5), {"stride": (2, 3)}),
    "pixel blocks and groups": ((1, 33, 30, 240), (3, 3, 80, 30), {"groups": 3, "padding": 1}),
    "pixel blocks and depthwise": ((1, 45, 40, 130), (3, 3, 1, 260), {"groups": 130, "padding": 1}),
    "pixel blocks and dilation": ((1, 40, 40, 128), (3, 3, 128, 4), {"dilation": (3, 5), "padding": (3, 5)}),
    "rows far apart": ((2, 70, 9, 700), (3, 3, 700, 5), {"dilation": (30, 1), "padding": (30, 1)}),
    "few channels side by side": ((2, 20, 21, 5), (1, 1, 5, 4), {}),
    "less than two vectors side by side": ((2, 15, 14, 5), (3, 3, 5, 20), {"padding": 1}),
    "many blocks": ((1, 3, 3, 5), (3, 3, 5, 1000), {"padding": 1}),
    "many channels": ((1, 2, 2, 20000), (1, 2, 20000, 3), {}),
    "a large kernel": ((1, 40, 37, 3), (11, 11, 3, 33), {"stride": 4}),
    "a low wide kernel": ((2, 9, 25, 5), (1, 13, 5, 9), {"padding": ((0, 0), (12, 3))}),
    "a high narrow kernel": ((2, 25, 9, 5), (13, 1, 5, 9), {"padding": ((3, 12), (0, 0))}),
    "an even kernel": ((2, 9, 9, 5), (4, 6, 5, 9), {"padding": "same", "stride": (3, 2)}),
    "a kernel of the whole map": ((3, 6, 6, 256), (6, 6, 256, 40), {}),
    "rows of the kernel in the padding": ((3, 7, 7, 300), (5, 5, 300, 70), {"padding": 2}),
    "rows in the padding in several pixel blocks": ((2, 14, 13, 520), (3, 3, 520, 33), {"padding": 1}),
    "columns of the kernel in the padding": ((3, 9, 7, 130), (5, 5, 130, 70), {"padding": 2}),
    "columns in the padding in several pixel blocks": ((2, 21, 9, 600), (3, 3, 600, 33), {"padding": 1}),
    "columns in the padding, strided": ((2, 15, 11, 70), (3, 3, 70, 33), {"padding": ((1, 0), (2, 3)), "stride": 2}),
    "columns in the padding of groups": ((2, 9, 8, 192), (3, 3, 64, 120), {"groups": 3, "padding": 1}),
    "columns that are padding alone": ((2, 8, 6, 520), (1, 1, 520, 40), {"padding": (1, 2)}),
    "more columns of padding than the kernel has": ((2, 9, 7, 60), (3, 3, 60, 33), {"padding": ((1, 1), (5, 5))}),
    "columns of a low kernel in the padding": ((2, 9, 8, 80), (1, 7, 80, 33), {"padding": (0, 3)}),
    "a high kernel on a low map": ((2, 3, 9, 130), (7, 3, 130, 33), {"padding": 3}),
    "rows far apart in the padding": ((2, 6, 9, 40), (3, 3, 40, 33), {"padding": (9, 2), "dilation": (4, 2)}),
    "depthwise rows in the padding": ((2, 5, 9, 70), (5, 3, 1, 70), {"groups": 70, "padding": (9, 1)}),
    "depthwise": ((2, 9, 30, 70), (3, 3, 1, 70), {"groups": 70, "padding": 1}),
    "depthwise in place": ((2, 9, 59, 41), (3, 3, 1, 41), {"groups": 41, "padding": 1, "stride": 2}),
    "depthwise on a wide map": ((2, 7, 25, 33), (3, 3, 1, 33), {"groups": 33, "padding": 1}),
    "depthwise 5×5 on a wide map": ((2, 7, 50, 33), (5, 5, 1, 33), {"groups": 33, "padding": 2}),
    "depthwise of as many channels as stay in L1": ((1, 5, 14, 250), (3, 3, 1, 250), {"groups": 250, "padding": 1}),
    "depthwise of more channels": ((1, 5, 14, 251), (3, 3, 1, 251), {"groups": 251, "padding": 1}),
    "depthwise columns of padding alone": (
        (2, 4, 77, 17),
        (3, 3, 1, 17),
        {"groups": 17, "padding": ((7, 2), (5, 0))},
    ),
    "depthwise 5×5": ((2, 7, 28, 24), (5, 5, 1, 24), {"groups": 24, "padding": 2}),
    "depthwise 5×5 in place": ((2, 7, 26, 33), (5, 5, 1, 33), {"groups": 33, "padding": "same", "stride": 2}),
    "depthwise rows far apart in place": (
        (1, 9, 30, 20),
        (3, 3, 1, 20),
        {"groups": 20, "padding": (5, 2), "dilation": (3, 1), "stride": (1, 2)},
    ),
    "depthwise rows of padding alone in place": (
        (2, 4, 35, 17),
        (3, 5, 1, 17),
        {"groups": 17, "padding": ((7, 2), (8, 0)), "stride": 2},
    ),
    "depthwise with wide pixels": ((1, 6, 19, 512), (3, 3, 1, 512), {"groups": 512, "padding": 1, "stride": 2}),
    "small groups dilated": ((2, 9, 30, 20), (3, 3, 4, 20), {"groups": 5, "padding": 2, "dilation": (1, 2)}),
    "depthwise with a large kernel": ((1, 30, 30, 70), (23, 23, 1, 70), {"groups": 70, "padding": 11}),
    "small groups with a large kernel": ((1, 20, 20, 64), (12, 12, 4, 64), {"groups": 16, "padding": 6}),
    "more padding than map": ((1, 2, 3, 5), (3, 3, 5, 9), {"padding": ((7, 0), (1, 20))}),
    "a stride over the whole map": ((2, 9, 8, 5), (2, 2, 5, 9), {"stride": (100, 2**31 - 1)}),
    "a dilation over the whole map": ((2, 9, 8, 5), (2, 2, 5, 9), {"dilation": (8, 1), "padding": "same"}),
    "one column": ((2, 60, 1, 70), (3, 1, 70, 33), {"padding": (1, 0)}),
    "one row": ((2, 1, 200, 70), (1, 3, 70, 33), {"padding": (0, 1)}),
}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", PIXEL_BLOCKS_AND_KERNELS)
def test_pixel_blocks_and_kernels(name, dtype):
    x_shape, weight_shape, options = PIXEL_BLOCKS_AND_KERNELS[name]
    rng = np.random.default_rng(0)
    x, weight, bias = (integers(rng, shape, dtype) for shape in (x_shape, weight_shape, weight_shape[3:]))
    want = reference.conv2d(x, weight, bias, **options)
    residual = integers(rng, want.shape, dtype)
    for num_threads in THREADS:
        running = {"algorithm": "direct", "num_threads": num_threads, "residual": residual}
        got = fastconv.conv2d(x, weight, bias, **options, **running)
        assert_equal_exact(got, want + residual, dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_conversion_of_layouts_transposes(dtype):
    sizes = [1, 3, 4, 7, 8, 9, 15, 16, 17, 33, 64, 65, 127, 130]
    for rows, columns in product(sizes, repeat=2):
        source = np.arange(2 * rows * columns, dtype=dtype).reshape(2, rows, columns)
        for num_threads in THREADS:
            target = np.full((2, columns, rows), -1, dtype)
            transpose(source, target, rows, (num_threads, num_threads))
            np.testing.assert_array_equal(target, source.swapaxes(1, 2))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("rows", "columns"),
    [(33_008, 70), (33_010, 70), (80, 27_001), (3, 800_000), (4, 5_001), (800_000, 3), (5_001, 4), (3_000, 2)],
)
def test_the_conversion_of_arrays_too_large_for_the_caches_transposes(rows, columns, dtype):
    source = np.arange(rows * columns, dtype=dtype).reshape(1, rows, columns)
    for start in (0, 1):  # at a cache line, which is written past the caches, or behind it
        target = aligned((columns * rows + 1,), np.dtype(dtype))
        target[:] = -1
        transpose(source, target[start : start + columns * rows].reshape(1, columns, rows), rows, (2, 2))
        np.testing.assert_array_equal(target[start : start + columns * rows].reshape(columns, rows), source[0].T)
        assert target[-1 if start == 0 else 0] == -1


@pytest.mark.parametrize("channels", [1, 3, 16, 128, 512, 2048])
@pytest.mark.parametrize(("kernel", "layout"), [(1, "NHWC"), (1, "NCHW"), (3, "NHWC"), (5, "NHWC")])
def test_any_number_of_channels_within_the_bound_of_the_chunks(kernel, layout, channels):
    """A product passes through the rest of its chunk, the sum of the chunks and the bias, each of which rounds once."""
    rng = np.random.default_rng(0)
    shapes = in_layout((7, 11, channels), layout), kernel_in_layout((kernel, kernel, channels, 24), layout), (24,)
    arrays = [normals(rng, shape, "float32") for shape in shapes]
    options = {"padding": kernel // 2, "layout": layout}
    want, magnitude = (reference.conv2d(*values, **options) for values in (arrays, map(np.abs, arrays)))
    products = kernel**2 * channels
    roundings = min(products, CHUNK) + -(-products // CHUNK) + 1
    got = fastconv.conv2d(*arrays, **options, algorithm="direct")
    assert_close(got, want, magnitude, -(-roundings // 4), "float32")  # assert_close allows 4 of them a term


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf, 1e38])
@pytest.mark.parametrize("place", ["x", "weight", "bias", "residual"])
@pytest.mark.parametrize("activation", [None, "relu"])
def test_one_bad_value_reaches_its_outputs_and_no_others(bad, place, activation):
    options = {"padding": 1, "activation": activation}
    case = ConvCase((8, 9, 7), (3, 3, 7, 33), (8, 9, 33), residual=True, options=options)
    arrays = case.arrays(normals)
    finite = fastconv.conv2d(**arrays, **case.options)
    target = arrays[place]
    target[tuple(n // 2 for n in target.shape)] = bad
    got = fastconv.conv2d(**arrays, **case.options)
    assert_conv(got, **arrays, **case.options)
    reached = {"x": 3 * 3 * 33, "weight": 8 * 9, "bias": 8 * 9, "residual": 1}[place]
    assert (got.view("i4") != finite.view("i4")).sum() <= reached


@pytest.mark.parametrize(("groups", "out_channels"), [(1, 18), (4, 16), (16, 16)])
@pytest.mark.parametrize("bad", [np.nan, np.inf])
@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("stride", [1, 2])  # finite weights would run on x in place, depthwise
def test_a_bad_weight_meets_the_zeros_of_the_padding(stride, kernel, bad, groups, out_channels):
    rng = np.random.default_rng(0)
    shapes = (9, 13, 16), (kernel, kernel, 16 // groups, out_channels)
    x, weight = (normals(rng, shape, "float32") for shape in shapes)
    for r, s in product(range(kernel), repeat=2):
        worse = weight.copy()
        worse[r, s, 0, r + s] = bad
        options = {"stride": stride, "padding": kernel // 2, "groups": groups}
        got = fastconv.conv2d(x, worse, **options, algorithm="direct")
        assert_conv(got, x, worse, **options)
        assert np.isnan(got[0, 0, r + s]) == (r < kernel // 2 or s < kernel // 2 or bad != np.inf)


@pytest.fixture
def made(monkeypatch):
    """The plans that the functions build in a test, none of which are kept from before it."""
    plans, make = [], functional._made
    functional._kept.cache_clear()
    monkeypatch.setattr(functional, "_made", lambda *given: plans.append(make(*given)) or plans[-1])
    yield plans
    functional._kept.cache_clear()


@pytest.mark.parametrize("function", [fastconv.conv2d, fastconv.pointwise])
def test_equal_small_weights_are_packed_once(made, function):
    rng = np.random.default_rng(0)
    x, weight, bias = (normals(rng, shape, "float32") for shape in [(5, 4, 8), (8, 6), (6,)])
    if function is fastconv.conv2d:
        weight = weight[None, None]
    first = function(x, weight, bias, activation="relu")
    again = function(x[:3], weight.copy(), bias.copy(), activation="relu")
    np.testing.assert_array_equal(again, first[:3])
    assert len(made) == 1
    for array in (weight, bias):
        array[..., 3] += 1  # in place: the same array with other values
        changed = function(x, weight, bias, activation="relu")
        assert_conv(changed, x, weight.reshape(1, 1, 8, 6), bias, activation="relu")
    function(x, weight, bias)
    function(x.astype(float), weight.astype(float))
    assert len(made) == 5


def test_weights_that_are_not_small_are_not_kept(made):
    x, weight = np.ones((4, 4, 64), np.float32), np.ones((1, 1, 64, 65), np.float32)
    for _ in range(2):
        fastconv.conv2d(x, weight)
    assert len(made) == 2
    assert functional._kept.cache_info().currsize == 0


@pytest.mark.parametrize("wrong", [{"stride": True}, {"stride": (1.0, 1)}, {"padding": ((0, 0), (0, False))}])
def test_a_wrong_option_equal_to_a_right_one_is_an_error_after_it(wrong):
    x, weight = np.ones((4, 4, 2), np.float32), np.ones((1, 1, 2, 2), np.float32)
    fastconv.conv2d(x, weight, stride=(1, 1), padding=((0, 0), (0, 0)))
    fastconv.conv2d(x, weight)
    with pytest.raises(TypeError, match=next(iter(wrong))):
        fastconv.conv2d(x, weight, **wrong)


def test_sums_that_overflow_float32_become_infinite():
    x = np.full((2, 2, 4), 1e38, np.float32)
    weight = np.stack([np.ones(4), -np.ones(4)], -1)[None, None].astype(np.float32)
    np.testing.assert_array_equal(fastconv.conv2d(x, weight)[..., 0], np.inf)
    np.testing.assert_array_equal(fastconv.conv2d(x, weight)[..., 1], -np.inf)
    np.testing.assert_array_equal(fastconv.conv2d(x, weight, activation="relu")[..., 1], 0)
    np.testing.assert_allclose(fastconv.conv2d(x.astype(float), weight.astype(float))[..., 0], 4e38)
