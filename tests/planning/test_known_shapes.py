"""A plan called again on the shape that it was last called with checks less, but refuses and gives the same."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from cases import integers

import fastconv
from fastconv import reference

SHAPE, OUT_SHAPE = (2, 5, 7, 3), (2, 5, 7, 4)


class Subclass(np.ndarray):
    """What says another shape than it has."""

    shape = property(lambda self: (1, 1, 1, 3))


def misaligned(array):
    buffer = np.zeros(array.nbytes + 1, np.uint8)
    moved = buffer[1:].view(array.dtype).reshape(array.shape)
    moved[...] = array
    return moved


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def inside(array):
    """The same values in a slice of a larger array."""
    larger = np.zeros((*array.shape[:-1], array.shape[-1] + 2), array.dtype)
    larger[..., :-2] = array
    return larger[..., :-2]


def convolution(weight, layout):
    return fastconv.Conv2d(weight, layout=layout)


def graph(weight, layout):
    same = np.eye(4, dtype=np.float32)[None, None]
    second = same if layout == "NHWC" else same.transpose(3, 2, 0, 1).copy()
    return fastconv.MLPConv((weight, None), (second, None), activation=None, layout=layout)


def plan_and_arrays(of=convolution, layout="NHWC"):
    rng = np.random.default_rng(0)
    weight = integers(rng, (1, 1, 3, 4), "float32")
    if layout == "NCHW":
        weight = np.ascontiguousarray(weight.transpose(3, 2, 0, 1))
    x = integers(rng, SHAPE, "float32")
    return of(weight, layout), np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if layout == "NCHW" else x


def told(call):
    """The error that a call raises, or the values that it gives."""
    try:
        return call().tolist()
    except (TypeError, ValueError) as error:
        return repr(error)


XS = {
    "as before": np.copy,
    "list": np.ndarray.tolist,
    "float64": np.float64,
    "big-endian": lambda x: x.astype(">f4"),
    "integers": np.int32,
    "fewer axes": lambda x: x[0].copy(),
    "another height": lambda x: x[:, :3].copy(),
    "fewer images": lambda x: x[:1].copy(),
    "more channels": lambda x: np.repeat(x, 2, axis=-1),
    "no images": lambda x: x[:0].copy(),
    "slice": inside,
    "reversed": lambda x: x[::-1],
    "Fortran": np.asfortranarray,
    "misaligned": misaligned,
    "read-only": read_only,
    "subclass": lambda x: x.view(Subclass),
    "masked": lambda x: np.ma.masked_array(x, mask=x > 0),
}


@pytest.mark.parametrize("of", [convolution, graph])
@pytest.mark.parametrize("kind", XS)
def test_every_x_as_in_a_first_call(of, kind):
    known, x = plan_and_arrays(of)
    fresh, _ = plan_and_arrays(of)
    known(x)
    given = XS[kind](x)
    assert told(lambda: known(given)) == told(lambda: fresh(given))


OUTS = {
    "as before": np.copy,
    "list": np.ndarray.tolist,
    "float64": np.float64,
    "big-endian": lambda y: y.astype(">f4"),
    "fewer axes": lambda y: y[0].copy(),
    "another height": lambda y: y[:, :3].copy(),
    "more channels": lambda y: np.repeat(y, 2, axis=-1),
    "slice of channels": inside,
    "reversed": lambda y: y[::-1],
    "Fortran": np.asfortranarray,
    "misaligned": misaligned,
    "read-only": read_only,
    "subclass": lambda y: y.view(Subclass),
}


@pytest.mark.parametrize("of", [convolution, graph])
@pytest.mark.parametrize("kind", OUTS)
def test_every_out_as_in_a_first_call(of, kind):
    known, x = plan_and_arrays(of)
    fresh, _ = plan_and_arrays(of)
    y = known(x)
    first, second = (OUTS[kind](np.zeros_like(y)) for _ in range(2))
    assert told(lambda: known(x, out=first)) == told(lambda: fresh(x, out=second))
    np.testing.assert_array_equal(np.asarray(first), np.asarray(second))


@pytest.mark.parametrize("of", [convolution, graph])
def test_out_that_shares_memory_with_x(of):
    plan, _ = plan_and_arrays(of)
    buffer = np.ones(500, np.float32)
    x, y = (buffer[start : start + np.prod(shape)].reshape(shape) for start, shape in ((0, SHAPE), (209, OUT_SHAPE)))
    plan(x)
    for _ in range(2):
        with pytest.raises(ValueError, match=r"^out must not share memory with x$"):
            plan(x, out=y)
        assert (buffer == 1).all()
    beside = buffer[210:490].reshape(OUT_SHAPE)
    assert plan(x, out=beside) is beside


@pytest.mark.parametrize("of", [convolution, graph])
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
def test_shapes_in_turns(of, layout):
    plan, x = plan_and_arrays(of, layout)
    convolution_alone, _ = plan_and_arrays()
    for images in (2, 1, 2, 2, 1, 1):
        nhwc = np.moveaxis(x[:images], 1, -1) if layout == "NCHW" else x[:images]
        y = plan(x[:images].copy())
        want = reference.conv2d(nhwc, convolution_alone._operation.weight)
        np.testing.assert_array_equal(np.moveaxis(y, 1, -1) if layout == "NCHW" else y, want)
        out = np.empty_like(y)
        assert plan(x[:images].copy(), out=out) is out
        np.testing.assert_array_equal(out, y)
        if of is convolution:
            np.testing.assert_array_equal(plan(x[:images], residual=y), 2 * y)


@pytest.mark.parametrize("of", [convolution, graph])
def test_copies_of_a_plan(of):
    plan, x = plan_and_arrays(of)
    y = plan(x)
    for other in (copy.copy(plan), copy.deepcopy(plan), pickle.loads(pickle.dumps(plan))):
        for _ in range(2):
            np.testing.assert_array_equal(other(x), y)


@pytest.mark.parametrize("of", [convolution, graph])
def test_threads_with_shapes_of_their_own(of):
    plan, x = plan_and_arrays(of)
    wants = [plan(x[:, :rows].copy()) for rows in (1, 2, 3, 4)]

    def calls(rows):
        mine = x[:, :rows].copy()
        return all(np.array_equal(plan(mine), wants[rows - 1]) for _ in range(300))

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(calls, (1, 2, 3, 4)))
