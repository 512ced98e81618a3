"""What a user can get wrong raises TypeError or ValueError that names the argument, before any work is done.

The reference, the slow twin, rejects the same geometry with the same kind of error.
"""

import numpy as np
import pytest

import fastconv
from fastconv import reference

RNG = np.random.default_rng(0)
X = RNG.standard_normal((2, 5, 6, 4), np.float32)
WEIGHT = RNG.standard_normal((3, 3, 4, 8), np.float32)
BIAS = np.ones(8, np.float32)
OUT_SHAPE = (2, 3, 4, 8)
MATRIX = WEIGHT[0, 0]
FASTER_ONLY = {"out", "algorithm", "accuracy", "num_threads"}  # arguments that the reference does not have


def ones(*shape, dtype=np.float32):
    return np.ones(shape, dtype)


def read_only(array):
    array.flags.writeable = False
    return array


def not_integers(name):
    """Values that an integer argument of at least 1 rejects, as table rows."""
    wrong = [1.0, 1.5, np.float64(2), float("nan"), float("inf"), True, np.True_, None, [1.0, 1], (1, True), 1j, b"1"]
    rows = [(name, {name: value}, TypeError) for value in wrong]
    return rows + [(name, {name: value}, ValueError) for value in (-1, -(10**30), 10**30, 2**40, (1, -1), (1, 10**30))]


ARRAYS = [
    (name, {name: value}, TypeError)
    for name, good in [("x", X), ("weight", WEIGHT), ("bias", BIAS), ("residual", ones(*OUT_SHAPE))]
    for value in [
        good.tolist(),
        memoryview(good),
        "array",
        3.0,
        *(
            good.astype(dtype)
            for dtype in ("i4", "i8", "u1", "f2", "c8", "c16", "O", "?", "S4", "M8[s]", np.longdouble)
        ),
        np.ma.masked_array(good),
        np.zeros(good.shape, [("value", "f4")]),
    ]
] + [
    ("x", {"x": None}, TypeError),
    ("weight", {"weight": None}, TypeError),
    ("x", {"x": X.astype(np.float64)}, TypeError),
    ("(x|weight|bias)", {"weight": WEIGHT.astype(np.float64)}, TypeError),  # one of them is the odd one out
    ("(x|weight|bias)", {"weight": WEIGHT.astype(">f8"), "bias": None}, TypeError),
    ("bias", {"bias": BIAS.astype(np.float64)}, TypeError),
    ("residual", {"residual": ones(*OUT_SHAPE, dtype=np.float64)}, TypeError),
]

SHAPES = [
    ("x", {"x": ones(4)}, ValueError),
    ("x", {"x": ones(6, 4)}, ValueError),
    ("x", {"x": ones(1, 2, 5, 6, 4)}, ValueError),
    ("x", {"x": ones()}, ValueError),
    ("x", {"x": ones(2, 5, 6, 0)}, ValueError),
    ("x", {"x": ones(2, 5, 6, 3)}, ValueError),
    ("x", {"x": ones(2, 5, 6, 8)}, ValueError),
    ("x", {"x": ones(2, 4, 5, 6)}, ValueError),  # in layout NCHW
    ("weight", {"x": ones(2, 2, 6, 4)}, ValueError),  # lower than the kernel
    ("weight", {"x": ones(2, 5, 2, 4)}, ValueError),
    ("weight", {"x": ones(2, 0, 6, 4)}, ValueError),
    ("weight", {"x": ones(2, 1, 6, 4), "padding": ((1, 0), (0, 0))}, ValueError),
    ("weight", {"dilation": 3}, ValueError),  # spans 7 of 5 pixels
    ("weight", {"dilation": (1, 3)}, ValueError),
    ("weight", {"weight": ones(4, 8)}, ValueError),
    ("weight", {"weight": ones(3, 4, 8)}, ValueError),
    ("weight", {"weight": ones(1, 3, 3, 4, 8)}, ValueError),
    ("weight", {"weight": ones(3, 3, 3, 8)}, ValueError),
    ("weight", {"weight": ones(8, 4, 3, 3), "bias": None}, ValueError),  # OIHW
    ("weight", {"layout": "NCHW", "bias": None}, ValueError),
    ("weight", {"weight": ones(3, 3, 4, 0)}, ValueError),
    ("weight", {"weight": ones(3, 3, 0, 8)}, ValueError),
    ("weight", {"weight": ones(0, 3, 4, 8)}, ValueError),
    ("bias", {"bias": ones(7)}, ValueError),
    ("bias", {"bias": ones(1)}, ValueError),
    ("bias", {"bias": ones()}, ValueError),
    ("bias", {"bias": ones(1, 8)}, ValueError),
    ("residual", {"residual": ones(2, 3, 4, 7)}, ValueError),
    ("residual", {"residual": ones(8)}, ValueError),
    ("residual", {"residual": ones(1, 3, 4, 8)}, ValueError),
    ("residual", {"residual": ones(2, 8, 3, 4)}, ValueError),
    ("groups", {"groups": 3}, ValueError),
    ("groups", {"groups": 2}, ValueError),
    ("groups", {"groups": 4, "weight": ones(3, 3, 1, 6)}, ValueError),
]

GEOMETRY = [
    *not_integers("stride"),
    *not_integers("dilation"),
    *not_integers("padding"),
    *(row for row in not_integers("groups") if not isinstance(row[1]["groups"], tuple)),
    ("groups", {"groups": (1, 1)}, TypeError),
    *((name, {name: 0}, ValueError) for name in ("stride", "dilation", "groups")),
    *((name, {name: (0, 1)}, ValueError) for name in ("stride", "dilation")),
    *((name, {name: (1, 1, 1)}, ValueError) for name in ("stride", "dilation", "padding")),
    *((name, {name: ()}, ValueError) for name in ("stride", "dilation", "padding")),
    *((name, {name: np.array([1, 1])}, TypeError) for name in ("stride", "dilation", "padding")),
    ("padding", {"padding": "SAME"}, ValueError),
    ("padding", {"padding": "full"}, ValueError),
    ("padding", {"padding": "1"}, ValueError),
    ("padding", {"padding": ((1, 1), (1, 1.5))}, TypeError),
    ("padding", {"padding": ((1, 1), (float("nan"), 1))}, TypeError),
    ("padding", {"padding": ((1, 1), (1, -1))}, ValueError),
    ("padding", {"padding": ((1, 1), (1, 1, 1))}, ValueError),
    ("padding", {"padding": ((1, 1), (1,))}, ValueError),
    ("padding", {"padding": ((1, 1), 1)}, TypeError),
    ("padding", {"padding": ((0, 0), (1, 1), (1, 1), (0, 0))}, ValueError),
    ("(output|padded|padding)", {"padding": 2**31 - 1}, ValueError),  # no memory could hold it
]

NAMES = [
    (name, {name: value}, error)
    for name, good in [("layout", "NHWC"), ("activation", "relu"), ("algorithm", "direct"), ("accuracy", "normwise")]
    for value, error in [(good.swapcase(), ValueError), ("", ValueError), (f"{good} ", ValueError), (7, TypeError)]
] + [
    ("layout", {"layout": None}, (TypeError, ValueError)),
    ("algorithm", {"algorithm": None}, (TypeError, ValueError)),
    ("accuracy", {"accuracy": None}, (TypeError, ValueError)),
    ("activation", {"activation": np.tanh}, TypeError),
    ("activation", {"activation": "sigmoid"}, ValueError),
    ("algorithm", {"algorithm": "fft"}, ValueError),
    ("algorithm", {"algorithm": "blas"}, ValueError),  # for 1×1 only
]

RUNNING = [
    *(("num_threads", {"num_threads": value}, TypeError) for value in (1.5, 2.0, True, "2", [1], float("nan"))),
    *(("num_threads", {"num_threads": value}, ValueError) for value in (0, -1, -(10**30), 10**30, 2**40)),
    ("out", {"out": np.ones(OUT_SHAPE).tolist()}, TypeError),
    ("out", {"out": ones(*OUT_SHAPE, dtype=np.float64)}, TypeError),
    ("out", {"out": ones(*OUT_SHAPE, dtype=np.int32)}, TypeError),
    ("out", {"out": ones(*OUT_SHAPE, dtype=">f4")}, TypeError),
    ("out", {"out": np.ma.masked_array(ones(*OUT_SHAPE))}, TypeError),
    ("out", {"out": ones(2, 3, 4, 7)}, ValueError),
    ("out", {"out": ones(3, 4, 8)}, ValueError),
    ("out", {"out": ones(192)}, ValueError),
    ("out", {"out": ones(1, *OUT_SHAPE)}, ValueError),
    ("out", {"out": read_only(ones(*OUT_SHAPE))}, ValueError),
    ("out", {"out": np.asfortranarray(ones(*OUT_SHAPE))}, ValueError),
    ("out", {"out": ones(*OUT_SHAPE)[:, ::-1]}, ValueError),
    ("out", {"out": ones(*OUT_SHAPE)[..., ::-1]}, ValueError),
    ("out", {"out": ones(2, 3, 4, 16)[..., ::2]}, ValueError),
    ("out", {"out": ones(2, 3, 5, 8)[:, :, 1:]}, ValueError),  # a gap after each row
    ("out", {"out": ones(2, 4, 3, 8).transpose(0, 2, 1, 3)}, ValueError),
    ("out", {"out": np.lib.stride_tricks.as_strided(ones(8), OUT_SHAPE, (0, 0, 0, 4))}, ValueError),
    (
        "out",
        {"out": np.lib.stride_tricks.as_strided(ones(192), OUT_SHAPE, (384, 64, 16, 4))},
        ValueError,
    ),  # overlaps itself
    ("out", {"out": np.frombuffer(bytearray(769), np.float32, 192, 1).reshape(OUT_SHAPE)}, ValueError),  # unaligned
]

TABLE = ARRAYS + SHAPES + GEOMETRY + NAMES + RUNNING


def row_id(row):
    """The same in each process: without addresses."""
    if isinstance(row, dict):
        return "-".join(f"{name}={value_id(value)}" for name, value in row.items())
    return row if isinstance(row, str) else None


def value_id(value):
    if isinstance(value, np.ndarray):
        return f"{type(value).__name__}{value.shape}{value.dtype}"
    return type(value).__name__ if isinstance(value, memoryview) else repr(value)[:32]


@pytest.mark.parametrize(("named", "wrong", "error"), TABLE, ids=row_id)
def test_conv2d_rejects(named, wrong, error):
    arguments = {"x": X, "weight": WEIGHT, "bias": BIAS, "out": np.full(OUT_SHAPE, 7, np.float32), **wrong}
    before = np.array(arguments["out"], copy=True)
    with pytest.raises(error, match=rf"\b{named}\b"):
        fastconv.conv2d(**arguments)
    np.testing.assert_array_equal(arguments["out"], before)  # no work was done


@pytest.mark.parametrize(("named", "wrong", "error"), SHAPES + GEOMETRY + NAMES[:8], ids=row_id)
def test_the_reference_rejects_the_same(named, wrong, error):
    if FASTER_ONLY & set(wrong):
        pytest.skip("not an argument of the reference")
    with pytest.raises(error, match=rf"\b{named}\b"):
        reference.conv2d(**{"x": X, "weight": WEIGHT, "bias": BIAS, **wrong})


@pytest.mark.parametrize(
    ("named", "wrong", "error"),
    [row for row in TABLE if not {"x", "residual", "out"} & set(row[1]) and row[0] != "x"],
    ids=row_id,
)
def test_the_plan_rejects_at_the_latest_when_called(named, wrong, error):
    plan_arguments = {"weight": WEIGHT, "bias": BIAS, **wrong}
    with pytest.raises(error, match=rf"\b{named}\b"):
        fastconv.Conv2d(**plan_arguments)(X)


@pytest.mark.parametrize(
    "wrong",
    [
        *({name: value} for name in ("stride", "dilation", "padding", "groups") for value in (-1, 1.5, "x", 10**30)),
        *({"layout": "HWC"}, {"algorithm": "fft"}, {"algorithm": "blas"}, {"activation": "tanh"}, {"num_threads": 0}),
        {"weight": MATRIX},
        {"weight": WEIGHT.astype(int)},
        {"bias": ones(7)},
    ],
    ids=row_id,
)
def test_the_plan_rejects_what_it_can_before_there_is_an_x(wrong):
    with pytest.raises((TypeError, ValueError), match=next(iter(wrong))):
        fastconv.Conv2d(**{"weight": WEIGHT, **wrong})


@pytest.mark.parametrize(
    "shape", [(5,), (5, 6, 3), (2, 2, 5, 6, 4), (5, 6.0, 4), (-1, 5, 6, 4), (2, 2, 6, 4), (2**40, 5, 6, 4)]
)
@pytest.mark.parametrize("method", ["describe", "cost"])
def test_a_plan_tells_nothing_about_impossible_shapes(shape, method):
    with pytest.raises((TypeError, ValueError)):
        getattr(fastconv.Conv2d(WEIGHT), method)(shape)


POINTWISE = [
    ("weight", {"weight": WEIGHT}, ValueError),
    ("weight", {"weight": MATRIX[0]}, ValueError),
    ("weight", {"weight": MATRIX.T, "bias": None}, ValueError),
    ("weight", {"layout": "NCHW", "bias": None}, ValueError),
    ("weight", {"weight": MATRIX.tolist()}, TypeError),
    ("weight", {"weight": MATRIX.astype(np.float16)}, TypeError),
    *(row for row in not_integers("stride") if row[1]["stride"] is not None),
    *(row for row in ARRAYS if "weight" not in row[1] and "residual" not in row[1]),
    *(row for row in NAMES if row[1].get("algorithm") != "blas"),
    *(row for row in RUNNING if "out" not in row[1]),
]


@pytest.mark.parametrize(("named", "wrong", "error"), POINTWISE, ids=row_id)
def test_pointwise_rejects(named, wrong, error):
    with pytest.raises(error, match=rf"\b{named}\b"):
        fastconv.pointwise(**{"x": X, "weight": MATRIX, "bias": BIAS, **wrong})


@pytest.mark.parametrize("algorithm", ["direct", "blas"])
@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("shift", [0, 4, 380])
def test_an_out_that_overlaps_an_input_is_rejected(algorithm, layout, shift):
    buffer = ones(200)
    out = buffer[:96].reshape(1, 4, 6, 4)
    overlapping = buffer[shift // 4 : shift // 4 + 96].reshape(1, 4, 6, 4)
    options = {"weight": np.eye(4, dtype=np.float32), "layout": layout, "algorithm": algorithm, "out": out}
    for x in (overlapping, overlapping[:, ::-1]):
        with pytest.raises(ValueError, match=r"\bout\b.*\bx\b"):
            fastconv.pointwise(x, **options)
    with pytest.raises(ValueError, match=r"\bout\b.*\bresidual\b"):
        fastconv.pointwise(ones(1, 4, 6, 4), residual=overlapping, **options)


def test_channels_beside_x_in_one_array_are_no_overlap():
    both = ones(1, 4, 6, 12)
    fastconv.pointwise(both[..., :4], np.eye(4, 8, dtype=np.float32), out=both[..., 4:])
    np.testing.assert_array_equal(both[..., 4:8], 1)
    np.testing.assert_array_equal(both[..., 8:], 0)


def test_shapes_are_checked_before_a_copy_is_made():
    endless = np.broadcast_to(np.float32(0), (1, 2**20, 2**20, 3))  # 4 bytes of memory; a copy would take 12 TB
    with pytest.raises(ValueError, match=r"\bx\b"):
        fastconv.conv2d(endless, WEIGHT)
    with pytest.raises(ValueError, match=r"\bresidual\b"):
        fastconv.conv2d(X, WEIGHT, residual=endless)
