"""Subclasses of ndarray: their values count, not what their attributes say; some mean more, and are refused by name."""

import textwrap
from functools import partial

import numpy as np
import pytest
from cases import SMALL_BLOCKS, integers, small_block

import fastconv
from fastconv import reference

RNG = np.random.default_rng(0)
ARRAYS = {
    "x": integers(RNG, (2, 7, 6, 4), "float32"),
    "weight": integers(RNG, (3, 3, 4, 8), "float32"),
    "bias": integers(RNG, (8,), "float32"),
    "residual": integers(RNG, (2, 5, 4, 8), "float32"),
}
LIES = {
    "shape": (2, 70, 60, 4),
    "ndim": 3,
    "size": 1,
    "strides": (4, 4, 4, 4),
    "dtype": np.dtype("float64"),
    "itemsize": 8,
    "nbytes": 1,
    "flags": None,
    "T": 0,
    "base": None,
}
METHODS = ("reshape", "transpose", "copy", "astype", "view", "__array__", "__getitem__", "ravel", "swapaxes", "tobytes")


def lying(*_, **__):
    raise AssertionError("a method of the subclass was called")


class Liar(np.ndarray):
    """An array that says of itself what is not so, once it was made."""

    __array_wrap__ = lying

    def __array_finalize__(self, other):
        if other is not None:  # not when it is made
            lying()


for told, value in LIES.items():
    setattr(Liar, told, property(lambda self, value=value: value))
for method in METHODS:
    setattr(Liar, method, lying)


def liar(array):
    made = np.ndarray.__new__(Liar, array.shape, array.dtype)
    values(made)[...] = array
    return made


def values(array):
    return np.ndarray.view(array, np.ndarray)


class Units(np.ndarray):
    """As astropy's Quantity and unyt's arrays are made."""

    def __array_ufunc__(self, *_, **__):
        raise AssertionError("a method of the subclass was called")


class Functions(np.ndarray):
    def __array_function__(self, *_, **__):
        raise AssertionError("a method of the subclass was called")


class NoUfuncs(np.ndarray):
    __array_ufunc__ = None


class Tagged(np.ndarray):
    """As image readers give them: an array with a note, which is lost in arithmetic."""

    def __array_finalize__(self, other):
        self.note = getattr(other, "note", None)

    def __array_wrap__(self, array, *_, **__):
        return array


CALLS = {
    "conv2d": (partial(fastconv.conv2d, algorithm="direct"), ARRAYS),
    "reference.conv2d": (reference.conv2d, ARRAYS),
    "Conv2d": (
        lambda x, weight, bias, residual, **options: fastconv.Conv2d(weight, bias, **options)(x, residual=residual),
        ARRAYS,
    ),
    "pointwise": (fastconv.pointwise, {"x": ARRAYS["x"], "weight": ARRAYS["weight"][0, 0], "bias": ARRAYS["bias"]}),
    "reference.pointwise": (
        reference.pointwise,
        {"x": ARRAYS["x"], "weight": ARRAYS["weight"][0, 0], "bias": ARRAYS["bias"]},
    ),
    "max_pool2d": (partial(fastconv.max_pool2d, kernel=2), {"x": ARRAYS["x"]}),
    "avg_pool2d": (partial(fastconv.avg_pool2d, kernel=2), {"x": ARRAYS["x"]}),
    "global_avg_pool2d": (fastconv.global_avg_pool2d, {"x": ARRAYS["x"]}),
    "reference.max_pool2d": (partial(reference.max_pool2d, kernel=2), {"x": ARRAYS["x"]}),
    "reference.global_avg_pool2d": (reference.global_avg_pool2d, {"x": ARRAYS["x"]}),
}
OPERANDS = [(call, name) for call, (_, arrays) in CALLS.items() for name in arrays]


@pytest.mark.parametrize("make", [liar, lambda a: a.view(Tagged)], ids=["liar", "tagged"])
@pytest.mark.parametrize(("call", "name"), OPERANDS)
def test_the_values_count_and_not_what_a_subclass_says(call, name, make):
    function, arrays = CALLS[call]
    got = function(**{**arrays, name: make(arrays[name])})
    assert type(got) is np.ndarray
    np.testing.assert_array_equal(got, function(**arrays))


@pytest.mark.parametrize("num_threads", [1, 2, 3])
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("shape", [(2, 5, 4, 8), (5, 4, 8)])
def test_a_result_is_written_where_a_subclass_has_its_values(shape, layout, num_threads):
    arrays = {name: array if array.ndim != 4 or len(shape) == 4 else array[0] for name, array in ARRAYS.items()}
    weight, bias = ARRAYS["weight"], ARRAYS["bias"]
    if layout == "NCHW":
        arrays["x"], weight = np.moveaxis(arrays["x"], -1, -3), weight.transpose(3, 2, 0, 1)
    plan = fastconv.Conv2d(weight, bias, layout=layout, num_threads=num_threads)
    want = plan(arrays["x"])
    out = liar(np.zeros(want.shape, np.float32))
    assert plan(liar(arrays["x"]), out=out) is out
    np.testing.assert_array_equal(values(out), want)
    pooled = liar(np.zeros_like(fastconv.max_pool2d(arrays["x"], 2, layout=layout)))
    assert fastconv.max_pool2d(liar(arrays["x"]), 2, layout=layout, out=pooled) is pooled
    np.testing.assert_array_equal(values(pooled), fastconv.max_pool2d(arrays["x"], 2, layout=layout))


def test_an_out_that_is_smaller_than_it_says_is_refused():
    arrays = {name: ARRAYS[name] for name in ("x", "weight", "bias")}
    small = np.ndarray.__new__(Liar, (1,), np.float32)
    Pretending = type("Pretending", (Liar,), {"shape": property(lambda self: (2, 5, 4, 8))})
    for out in (small, np.ndarray.__new__(Pretending, (1,), np.float32)):
        with pytest.raises(ValueError, match=r"^out must have shape \(2, 5, 4, 8\), got \(1,\)$"):
            fastconv.conv2d(**arrays, out=out)


def test_a_shape_that_is_not_so_does_not_reach_beyond_the_array(run_python):
    code = """
        import numpy as np, fastconv
        class Large(np.ndarray):
            shape = property(lambda self: (1, 4000, 4000, 4))
        x, weight = np.ones((1, 5, 5, 4), np.float32), np.ones((3, 3, 4, 8), np.float32)
        assert fastconv.conv2d(x.view(Large), weight).shape == (1, 3, 3, 8)
        try:
            fastconv.conv2d(np.ones((1, 4000, 4000, 4), np.float32), weight, padding=1, out=x.view(Large))
        except ValueError as error:
            assert str(error).startswith("out must have shape"), error
    """
    run_python("-c", textwrap.dedent(code))


@pytest.mark.parametrize("name", SMALL_BLOCKS)
def test_the_arrays_of_a_block(name):
    x, pairs = small_block(name, values=integers)
    want = getattr(fastconv, name)(*pairs.values())(x)
    untrue = [(liar(weight), liar(bias)) for weight, bias in pairs.values()]
    out = liar(np.zeros_like(want))
    assert getattr(fastconv, name)(*untrue)(liar(x), out=out) is out
    np.testing.assert_array_equal(values(out), want)
    np.testing.assert_array_equal(getattr(reference, name.lower())(liar(x), *untrue), want)


REFUSED = {
    "masked": (np.ma.masked_array, r"got MaskedArray; give {}\.filled\(0\), or another value for what is masked$"),
    "units": (lambda a: a.view(Units), r"got Units; give np\.asarray\({}\)$"),
    "functions": (lambda a: a.view(Functions), r"got Functions; give np\.asarray\({}\)$"),
    "no ufuncs": (lambda a: a.view(NoUfuncs), r"got NoUfuncs; give np\.asarray\({}\)$"),
}


@pytest.mark.parametrize("refused", REFUSED)
@pytest.mark.parametrize(("call", "name"), OPERANDS)
def test_what_means_more_than_its_numbers_is_refused_by_name(call, name, refused):
    (function, arrays), (make, message) = CALLS[call], REFUSED[refused]
    with pytest.raises(TypeError, match=rf"^{name} must be a plain numpy array, {message.format(name)}"):
        function(**{**arrays, name: make(arrays[name])})


@pytest.mark.parametrize("refused", REFUSED)
def test_an_out_that_means_more_is_refused_by_name(refused):
    make, message = REFUSED[refused]
    if refused == "masked":  # whose filled() may be a copy, which would take the result
        message = r"got MaskedArray; give out\.data, whose mask then does not count$"
    with pytest.raises(TypeError, match=rf"^out must be a plain numpy array, {message.format('out')}"):
        fastconv.conv2d(ARRAYS["x"], ARRAYS["weight"], out=make(np.zeros((2, 5, 4, 8), np.float32)))


def test_files_mapped_into_memory_are_taken(tmp_path):
    for name, array in ARRAYS.items():
        array.tofile(tmp_path / name)
    mapped = {name: np.memmap(tmp_path / name, np.float32, "r", shape=array.shape) for name, array in ARRAYS.items()}
    out = np.memmap(tmp_path / "out", np.float32, "w+", shape=(2, 5, 4, 8))
    want = reference.conv2d(**ARRAYS)
    np.testing.assert_array_equal(reference.conv2d(**mapped), want)
    assert fastconv.conv2d(**mapped, out=out, algorithm="direct") is out
    np.testing.assert_array_equal(np.fromfile(tmp_path / "out", np.float32).reshape(want.shape), want)
    with pytest.raises(ValueError, match=r"^out must be writeable"):
        fastconv.conv2d(**mapped, out=np.memmap(tmp_path / "out", np.float32, "r", shape=(2, 5, 4, 8)))
