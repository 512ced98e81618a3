"""Arrays in any form that NumPy has: the values count, not where they lie; and shapes at the edge of emptiness."""

import numpy as np
import pytest
from cases import integers

import fastconv
from fastconv import reference

RNG = np.random.default_rng(0)
OPTIONS = {"stride": (1, 2), "padding": ((2, 1), (0, 1)), "activation": "relu"}
ARRAYS = {
    "x": integers(RNG, (2, 7, 9, 5), "float32"),
    "weight": integers(RNG, (3, 3, 5, 18), "float32"),
    "bias": integers(RNG, (18,), "float32"),
    "residual": integers(RNG, (2, 8, 4, 18), "float32"),
}


def embedded(a, step, margin):
    """`a` as every `step`-th element of a larger array, a margin on every side."""
    big = np.full([2 * margin + step * n for n in a.shape], np.nan, a.dtype)
    view = big[tuple(slice(margin, margin + step * n, step) for n in a.shape)]
    view[...] = a
    return view


def reversed_axes(a):
    """Negative strides along every axis."""
    every = (slice(None, None, -1),) * a.ndim
    return a[every].copy()[every]


def unaligned(a):
    view = np.frombuffer(bytearray(a.nbytes + 1), a.dtype, a.size, 1).reshape(a.shape)
    view[...] = a
    return view


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


def field(a):
    """One field of a packed record: strides that are no multiple of the element's size."""
    records = np.zeros(a.shape, [("before", "u1"), ("value", a.dtype)])
    records["value"] = a
    return records["value"]


def distant(a):
    """Half a gigabyte of address space from one element of the first axis to the next."""
    span = 2**29 // a.itemsize
    big = np.zeros(span * len(a), a.dtype)
    view = np.lib.stride_tricks.as_strided(big, a.shape, (2**29, *a.strides[1:]))
    view[...] = a
    return view


class Subclass(np.ndarray):
    pass


FORMS = {
    "fortran": np.asfortranarray,
    "every second": lambda a: embedded(a, 2, 0),
    "inside a larger one": lambda a: embedded(a, 1, 2),
    "reversed": reversed_axes,
    "transposed twice": lambda a: a.T.copy().T,
    "byte-swapped": lambda a: a.astype(a.dtype.newbyteorder()),
    "unaligned": unaligned,
    "read-only": read_only,
    "field of a record": field,
    "subclass": lambda a: a.view(Subclass),
}


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("name", ARRAYS)
@pytest.mark.parametrize("form", FORMS)
def test_any_form_of_an_array_gives_the_same(form, name, layout):
    arrays = dict(ARRAYS)
    if layout == "NCHW":
        arrays = {n: np.ascontiguousarray(np.moveaxis(a, -1, -3)) if a.ndim == 4 else a for n, a in arrays.items()}
        arrays["weight"] = np.ascontiguousarray(ARRAYS["weight"].transpose(3, 2, 0, 1))
    want = reference.conv2d(**arrays, **OPTIONS, layout=layout)
    arrays[name] = FORMS[form](arrays[name])
    before = arrays[name].tobytes()
    got = fastconv.conv2d(**arrays, **OPTIONS, layout=layout, algorithm="direct")
    assert type(got) is np.ndarray
    assert got.dtype == np.float32
    np.testing.assert_array_equal(got, want)
    assert arrays[name].tobytes() == before


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize(("algorithm", "size"), [("direct", 3), ("direct", 1), ("winograd", 3), ("blas", 1)])
def test_large_results_begin_at_a_cache_line(algorithm, size, layout):
    is_nhwc = layout == "NHWC"
    x = np.ones((50, 50, 24) if is_nhwc else (24, 50, 50), np.float32)
    weight = np.ones((size, size, 24, 24) if is_nhwc else (24, 24, size, size), np.float32)
    plan = fastconv.Conv2d(weight, algorithm=algorithm, padding=size // 2, layout=layout)
    for y in (plan(x), fastconv.max_pool2d(x, 3, stride=1, padding=1, layout=layout)):
        assert y.ctypes.data % 64 == 0
        assert y.flags.c_contiguous
        assert y.flags.writeable


@pytest.mark.parametrize("name", ["x", "weight"])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("algorithm", ["direct", "blas"])
def test_any_form_of_a_pointwise_operand_gives_the_same(form, name, algorithm):
    arrays = {"x": ARRAYS["x"], "weight": ARRAYS["weight"][0, 0]}
    want = reference.pointwise(**arrays)
    arrays[name] = FORMS[form](arrays[name])
    np.testing.assert_array_equal(fastconv.pointwise(**arrays, algorithm=algorithm), want)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("pool", ["max_pool2d", "avg_pool2d"])
def test_any_form_of_a_pooled_array_gives_the_same(form, pool):
    want = getattr(reference, pool)(ARRAYS["x"], 2, padding=1)
    np.testing.assert_array_equal(getattr(fastconv, pool)(FORMS[form](ARRAYS["x"]), 2, padding=1), want)


@pytest.mark.parametrize("name", ["x", "residual"])
def test_images_that_lie_far_apart(name):
    arrays = {**ARRAYS, name: distant(ARRAYS[name])}
    want = reference.conv2d(**ARRAYS, **OPTIONS)
    np.testing.assert_array_equal(fastconv.conv2d(**arrays, **OPTIONS, algorithm="direct"), want)


def test_one_pixel_broadcast_to_a_map():
    x = np.broadcast_to(np.float32(2), (2, 7, 9, 5))
    want = reference.conv2d(x, ARRAYS["weight"], padding="same")
    np.testing.assert_array_equal(fastconv.conv2d(x, ARRAYS["weight"], padding="same", algorithm="direct"), want)


def test_a_file_mapped_into_memory(tmp_path):
    ARRAYS["x"].tofile(tmp_path / "x")
    x = np.memmap(tmp_path / "x", np.float32, "r", shape=ARRAYS["x"].shape)
    want = reference.conv2d(ARRAYS["x"], ARRAYS["weight"])
    np.testing.assert_array_equal(fastconv.conv2d(x, ARRAYS["weight"], algorithm="direct"), want)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("offset", range(0, 68, 4))
def test_every_alignment_of_every_operand(offset, dtype):
    def moved(a):
        buffer = np.empty(a.nbytes + 128, np.uint8)
        start = -buffer.ctypes.data % 64 + offset // a.itemsize * a.itemsize
        view = buffer[start : start + a.nbytes].view(a.dtype).reshape(a.shape)
        view[...] = a
        return view

    arrays = {name: a.astype(dtype) for name, a in ARRAYS.items()}
    want = reference.conv2d(**arrays, **OPTIONS)
    out = moved(np.zeros(want.shape, dtype))
    fastconv.conv2d(**{name: moved(a) for name, a in arrays.items()}, **OPTIONS, algorithm="direct", out=out)
    np.testing.assert_array_equal(out, want)


@pytest.mark.parametrize("size", [(6, 5), (8, 8), (9, 31), (20, 20)])
@pytest.mark.parametrize("channels", [1, 3, 7, 8, 9, 16, 33])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_layouts_give_the_same_bits(dtype, channels, size):
    x, weight = (RNG.standard_normal(s, dtype) for s in [(3, *size, channels), (2, 3, channels, 11)])
    residual = RNG.standard_normal((3, size[0] - 1, size[1] - 2, 11), dtype)
    want = np.moveaxis(fastconv.conv2d(x, weight, residual=residual), -1, 1)
    planes = [np.ascontiguousarray(np.moveaxis(a, -1, 1)) for a in (x, residual)]
    plan = fastconv.Conv2d(np.ascontiguousarray(weight.transpose(3, 2, 0, 1)), layout="NCHW", num_threads=3)
    np.testing.assert_array_equal(plan(planes[0], residual=planes[1]), want)
    np.testing.assert_array_equal(plan(planes[0][0], residual=planes[1][0]), want[0])


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("algorithm", ["auto", "direct", "blas"])
def test_a_batch_of_none(layout, algorithm):
    channels_last = layout == "NHWC"
    x = np.empty((0, 5, 6, 4) if channels_last else (0, 4, 5, 6), np.float32)
    weight = np.ones((4, 8) if channels_last else (8, 4), np.float32)
    y = fastconv.pointwise(x, weight, stride=2, layout=layout, algorithm=algorithm)
    assert y.shape == ((0, 3, 3, 8) if channels_last else (0, 8, 3, 3))
    assert y.dtype == np.float32


@pytest.mark.parametrize("size", [(0, 4), (4, 0), (0, 0)])
@pytest.mark.parametrize("batch", [(), (0,), (3,)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_map_without_pixels_gives_the_bias_on_its_padding(size, batch, dtype):
    x = np.empty((*batch, *size, 5), dtype)
    bias = np.arange(-4.0, 5).astype(dtype)
    y = fastconv.conv2d(x, np.ones((3, 2, 5, 9), dtype), bias, padding=2, activation="relu")
    assert y.shape == (*batch, size[0] + 2, size[1] + 3, 9)
    np.testing.assert_array_equal(y, np.broadcast_to(np.maximum(bias, 0), y.shape))


@pytest.mark.parametrize("padding", [0, 1, 5, ((9, 0), (0, 9))])
@pytest.mark.parametrize("channels", [1, 5, 33])
@pytest.mark.parametrize("kernel", [(1, 1), (5, 4)])
def test_a_map_of_one_pixel(padding, channels, kernel):
    rng = np.random.default_rng(0)
    x, weight = integers(rng, (1, 1, 1, channels), "float32"), integers(rng, (*kernel, channels, 33), "float32")
    try:
        want = reference.conv2d(x, weight, padding=padding)
    except ValueError:
        with pytest.raises(ValueError, match="weight"):
            fastconv.conv2d(x, weight, padding=padding)
    else:
        np.testing.assert_array_equal(fastconv.conv2d(x, weight, padding=padding, algorithm="direct"), want)


@pytest.mark.parametrize(
    ("size", "kernel", "stride", "dilation", "padding"),
    [
        (4, 3, 1, 1, (1, 1)),
        (5, 3, 2, 1, (1, 1)),
        (6, 3, 2, 1, (0, 1)),
        (7, 2, 1, 1, (0, 1)),
        (7, 2, 2, 1, (0, 1)),
        (8, 2, 2, 1, (0, 0)),
        (224, 7, 2, 1, (2, 3)),
        (9, 3, 1, 2, (2, 2)),
        (10, 3, 2, 2, (1, 2)),
        (5, 1, 3, 1, (0, 0)),
        (3, 5, 3, 1, (1, 1)),
        (2, 7, 1, 1, (3, 3)),
    ],
)
def test_padding_same_is_tensorflows(size, kernel, stride, dilation, padding):
    # tf.nn.convolution: ceil(size / stride) outputs, the odd pixel at the end.
    rng = np.random.default_rng(0)
    x, weight = integers(rng, (size, size, 2), "float32"), integers(rng, (kernel, kernel, 2, 3), "float32")
    options = {"stride": stride, "dilation": dilation}
    y = fastconv.conv2d(x, weight, padding="same", **options)
    assert y.shape == (-(-size // stride),) * 2 + (3,)
    np.testing.assert_array_equal(y, fastconv.conv2d(x, weight, padding=(padding, padding), **options))
