"""What the messages of errors tell beyond the argument's name: all that is accepted, what was given, what would fit."""

from itertools import product

import numpy as np
import pytest

import fastconv
from fastconv._checks import shapes

X, WEIGHT = np.ones((2, 5, 6, 4), np.float32), np.ones((3, 3, 4, 8), np.float32)
NEXT = np.ones((3, 3, 8, 2), np.float32)


@pytest.mark.parametrize("plan", [fastconv.Conv2d(WEIGHT), fastconv.Reduced((WEIGHT[:1, :1], None), (NEXT, None))])
@pytest.mark.parametrize("method", ["describe", "cost"])
@pytest.mark.parametrize("shape", [X, (6, 4), (5, 6, 3), (2, 2, 6, 4)], ids=["array", "axes", "channels", "height"])
def test_a_plan_names_a_shape_as_its_argument(plan, method, shape):
    with pytest.raises((TypeError, ValueError), match=r"^x_shape: "):
        getattr(plan, method)(shape)


def test_an_array_in_the_place_of_its_shape_is_told_so():
    with pytest.raises(TypeError, match=r"must be a tuple of integers, got ndarray; give x\.shape$"):
        fastconv.Conv2d(WEIGHT).describe(X)
    with pytest.raises(TypeError, match=r"must be a tuple of integers, got int$"):
        fastconv.Conv2d(WEIGHT).describe(5)


def message_of(**wrong):
    with pytest.raises((TypeError, ValueError)) as caught:
        fastconv.conv2d(**{"x": X, "weight": WEIGHT, **wrong})
    return str(caught.value)


def test_a_dtype_that_differs_names_both():
    doubled = "weight has dtype float64, but x has float32; give weight.astype(np.float32)"
    assert message_of(weight=WEIGHT.astype("d")) == doubled
    assert message_of(x=X.astype("d")) == "weight has dtype float32, but x has float64; give x.astype(np.float32)"
    assert message_of(weight=WEIGHT.astype("d"), bias=WEIGHT[0, 0, 0]) == message_of(weight=WEIGHT.astype("d"))
    with pytest.raises(TypeError, match=r"x has dtype float64, but weight has float32; give x\.astype\(np\.float32\)"):
        fastconv.Conv2d(WEIGHT)(X.astype("d"))
    assert message_of(bias=np.ones(8)) == "bias has dtype float64, but weight has float32; give bias.astype(np.float32)"
    pairs = (WEIGHT[:1, :1], None), (NEXT, None)
    with pytest.raises(TypeError, match="x has dtype float64, but every weight has float32"):
        fastconv.Reduced(*pairs)(X.astype("d"))
    with pytest.raises(
        TypeError, match="weight of conv has dtype float64, but the weight of reduce has float32; give w"
    ):
        fastconv.Reduced(pairs[0], (NEXT.astype("d"), None))


def test_a_number_of_another_type_is_told_how_to_convert():
    for dtype in ("u1", "i8", "f2", "?"):
        assert message_of(x=X.astype(dtype)).endswith(f"got {np.dtype(dtype)}; give x.astype(np.float32)")
        with pytest.raises(TypeError, match=r"; give weight\.astype\(np\.float64\)$"):
            fastconv.Reduced((WEIGHT[:1, :1].astype("d"), None), (NEXT.astype(dtype), None))
    for dtype in ("O", "c8", "S4", "V4", "M8[s]", [("value", "f4")]):
        assert message_of(x=np.zeros(X.shape, dtype)).endswith(f"got {np.dtype(dtype)}")


@pytest.mark.parametrize("name", ["bfloat16", "float8_e5m2", "float8_e4m3fn", "int4"])
def test_a_number_that_numpy_does_not_know_is_told_how_to_convert(name):
    dtype = getattr(pytest.importorskip("ml_dtypes"), name)
    assert (
        message_of(x=X.astype(dtype)) == f"x must have dtype float32 or float64, got {name}; give x.astype(np.float32)"
    )
    assert message_of(weight=WEIGHT.astype(dtype)).endswith(f"got {name}; give weight.astype(np.float32)")
    part = WEIGHT[:1, :1].astype("d")
    with pytest.raises(TypeError, match=rf"^the bias of reduce .*, got {name}; give bias\.astype\(np\.float64\)$"):
        fastconv.Reduced((part, np.ones(8, dtype)), (NEXT.astype("d"), None))


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        (((0, 3), 4, 8, 1), "kernel must be at least 1, got 0"),
        (((3, -1), 4, 8, 1), "kernel must be at least 1, got -1"),
        (((3, 3), 0, 8, 1), "input channels must be at least 1, got 0"),
        (((3, 3), 4, 0, 1), "output channels must be at least 1, got 0"),
        (((3, 3), 4, 8, 0), "groups must be at least 1, got 0"),
    ],
)
def test_the_size_of_a_kernel_is_named_where_there_is_no_weight(wrong, named):
    """As `fastconv explain --kernel 0` has it."""
    with pytest.raises(ValueError, match=f"^{named}$"):
        shapes.weight_for(*wrong, "NHWC")


class Tensor:
    """As torch has it."""

    def detach(self): ...

    def numpy(self): ...


class ArrayLike:
    def __array__(self): ...


def test_an_array_of_another_library_is_told_how_to_convert():
    assert message_of(x=Tensor()) == "x must be a numpy array, got Tensor; give x.detach().numpy()"
    assert message_of(x=ArrayLike()) == "x must be a numpy array, got ArrayLike; give np.asarray(x)"
    masked = "x must be a plain numpy array, got MaskedArray; give x.filled(0), or another value for what is masked"
    assert message_of(x=np.ma.masked_array(X)) == masked
    with pytest.raises(TypeError, match=r"^the weight of reduce must .*; give weight\.detach\(\)\.numpy\(\)$"):
        fastconv.Reduced((Tensor(), None), (NEXT, None))


@pytest.mark.parametrize("padding", ["SAME", None, 1.5, (1, 1, 1, 1), (1, 1.5), ((1, 1), 1), ((1, 1), (1,)), ()])
def test_a_wrong_padding_is_told_all_forms(padding):
    meant = " (did you mean same?)" if padding == "SAME" else ""
    assert message_of(padding=padding) == f"padding must be {shapes.PADDINGS}, got {padding!r}{meant}"


def test_names_in_another_case_are_told():
    assert message_of(layout="nhwc").endswith("got 'nhwc' (did you mean NHWC?)")
    assert message_of(activation="ReLU").endswith("got 'ReLU' (did you mean relu?)")
    assert message_of(layout="CHWN").endswith("got 'CHWN'")


@pytest.mark.parametrize("stride", [None, 1.5, "2", (1, 1.5), (1, 1, 1)])
def test_a_wrong_stride_is_told_all_forms(stride):
    assert message_of(stride=stride) == f"stride must be an integer or a pair (height, width), got {stride!r}"


def test_no_threads_are_told_the_least():
    assert message_of(num_threads=0) == "num_threads must be at least 1, got 0"


def test_a_dilation_is_named_where_it_is_what_makes_a_kernel_too_large():
    expected = "weight with dilation 9 spans 19 pixels of width, more than x's width 6 with padding 1 + 1"
    assert message_of(dilation=(1, 9), padding=1) == expected
    for dilation, algorithm in product(((1, 2**31 - 1), (2**22, 2**22)), ("auto", "direct")):
        with pytest.raises(ValueError, match=r"^dilation .* spreads weight's 3×3 taps over .* more than this library"):
            fastconv.Conv2d(WEIGHT, dilation=dilation, algorithm=algorithm)


@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_a_matrix_of_numpy_is_a_weight_of_pointwise():
    matrix = WEIGHT[0, 0]
    np.testing.assert_array_equal(fastconv.pointwise(X, np.matrix(matrix)), fastconv.pointwise(X, matrix))
    with pytest.raises(ValueError, match=r"for each output channel of weight \(4, 8\), \(C, K\) in layout NHWC, got"):
        fastconv.pointwise(X, matrix, np.ones(4, np.float32))


def test_what_is_no_pair_is_told_what_it_has():
    pair = WEIGHT[:1, :1], None
    for wrong, got in [
        ([pair, pair], "[tuple, tuple]"),
        ((WEIGHT,), "(ndarray,)"),
        ([pair] * 5, "list of length 5"),
        (WEIGHT, "ndarray"),
    ]:
        with pytest.raises(TypeError) as caught:
            fastconv.MLPConv(pair, wrong)
        assert str(caught.value) == f"cccp1 must be a pair (weight, bias) or (weight, None), got {got}"


@pytest.mark.parametrize("shape", [(1, 8), (8, 1), (4,), ()])
def test_a_bias_is_told_its_shape_and_why(shape):
    expected = "bias must have shape (8,), a value for each output channel of weight (3, 3, 4, 8), HWIO in layout NHWC"
    assert message_of(bias=np.ones(shape, np.float32)) == f"{expected}, got {shape}"
    part = WEIGHT[:1, :1], np.ones(shape, np.float32)
    with pytest.raises(ValueError, match=r"^the bias of reduce must .* of the weight of reduce .* in layout NCHW, got"):
        fastconv.Reduced((part[0].transpose(3, 2, 0, 1), part[1]), (NEXT, None), layout="NCHW")
    assert message_of(bias=False) == "bias must be a numpy array, or None where there is none, got False"


def test_groups_are_named_where_there_are_some():
    assert "takes 4 channels in each of 2 groups, but x" in message_of(groups=2)
    assert "takes 3 channels, but x" in message_of(weight=WEIGHT[:, :, :3])
    depthwise = np.ones((4, 1, 3, 3), np.float32)  # in layout NCHW
    assert "weight (4, 1, 3, 3), HWIO (R, S, C / groups, K) in layout NHWC" in message_of(weight=depthwise, groups=4)


@pytest.mark.parametrize("algorithm", ["blas", "winograd"])
def test_an_algorithm_that_is_not_for_a_convolution_says_which(algorithm):
    message = message_of(algorithm=algorithm, stride=2)
    assert message.startswith(f'algorithm "{algorithm}" is for ')
    assert "got 3×3 with stride=(2, 2), padding" in message
