"""What the messages of errors tell beyond the argument's name: all that is accepted, what was given, what would fit."""

import inspect
from itertools import product

import numpy as np
import pytest

import fastconv
from fastconv import _shapes

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
    assert message_of(weight=WEIGHT.astype("d")) == "weight has dtype float64, but x has float32"
    assert message_of(weight=WEIGHT.astype("d"), bias=WEIGHT[0, 0, 0]) == message_of(weight=WEIGHT.astype("d"))
    with pytest.raises(TypeError, match="x has dtype float64, but weight has float32"):
        fastconv.Conv2d(WEIGHT)(X.astype("d"))
    assert message_of(bias=np.ones(8)) == "bias has dtype float64, but weight has float32"
    pairs = (WEIGHT[:1, :1], None), (NEXT, None)
    with pytest.raises(TypeError, match="x has dtype float64, but the block has float32"):
        fastconv.Reduced(*pairs)(X.astype("d"))
    with pytest.raises(TypeError, match="weight of conv has dtype float64, but the weight of reduce has float32"):
        fastconv.Reduced(pairs[0], (NEXT.astype("d"), None))


@pytest.mark.parametrize("padding", ["SAME", None, 1.5, (1, 1, 1, 1), (1, 1.5), ((1, 1), 1), ((1, 1), (1,)), ()])
def test_a_wrong_padding_is_told_all_forms(padding):
    assert message_of(padding=padding) == f"padding must be {_shapes.PADDINGS}, got {padding!r}"


def test_arrays_that_fit_the_other_layout_are_told_so():
    nchw = {"x": X.transpose(0, 3, 1, 2), "weight": WEIGHT.transpose(3, 2, 0, 1)}
    assert message_of(**nchw).endswith('where weights are HWIO; they fit layout="NCHW"')
    assert message_of(layout="NCHW").endswith('where weights are OIHW; they fit layout="NHWC"')
    assert "fit" not in message_of(x=X[..., :3])
    grouped = {"x": nchw["x"], "weight": np.ones((9, 2, 3, 3), np.float32)}  # in layout NHWC, 2 outputs of 3 channels
    assert "fit" not in message_of(**grouped)
    one = {"x": np.ones((1, 7, 3, 2), "f4"), "weight": np.ones((8, 1, 1, 1), "f4")}  # as HWIO one output channel
    assert "they fit" not in message_of(**one, groups=2, layout="NCHW")


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize("groups", [1, 2, 3])
def test_what_a_hint_says_is_right(layout, groups):
    """Whatever is wrong, with the array or the layout that an error gives the convolution is no error."""
    hints = set()
    for sizes in product((1, 2, 3, 4), repeat=6):
        height, width, channels, c, k, r = sizes
        given = {"x": np.ones((1, height, width, channels), "f4"), "weight": np.ones((r, 1, c, k), "f4")}
        try:
            fastconv.conv2d(**given, groups=groups, layout=layout, padding=4)
        except ValueError as error:
            hint = str(error).rpartition("; ")[2]
        else:
            continue
        options = {"groups": groups, "layout": layout, "padding": 4}
        if hint.startswith("they fit"):
            options["layout"] = hint.partition('"')[2][:-1]
        elif ": give " in hint:
            name = "x" if "moveaxis" in hint else "weight"
            given[name] = eval(hint.partition(": give ")[2], {"np": np, **given})
            assert name == "weight" or f", {given['x'].shape} in {layout}" in hint
        else:
            continue
        hints.add(hint[:9])
        fastconv.conv2d(**given, **options)
    assert len(hints) >= 2


@pytest.mark.parametrize(("layout", "axes"), [("NHWC", "(2, 3, 1, 0)"), ("NCHW", "(3, 2, 0, 1)")])
def test_one_array_in_the_other_layout_is_told_how_to_turn(layout, axes):
    """What an error says is done, and then the call is right."""
    right = {
        "NHWC": {"x": X, "weight": WEIGHT},
        "NCHW": {"x": X.transpose(0, 3, 1, 2), "weight": WEIGHT.transpose(3, 2, 0, 1)},
    }
    wrong = right["NCHW" if layout == "NHWC" else "NHWC"]
    order = "OIHW" if layout == "NHWC" else "HWIO"
    message = message_of(**right[layout] | {"weight": wrong["weight"]}, layout=layout)
    assert message.endswith(f"; this weight fits as {order}: give weight.transpose{axes}")
    expected = fastconv.conv2d(**right[layout], layout=layout)
    for x, y in (wrong["x"], expected), (wrong["x"][0], expected[0]):
        given = {"x": x, "weight": right[layout]["weight"], "layout": layout}
        turned = eval(message_of(**given).partition(": give ")[2], {"np": np, "x": x})
        np.testing.assert_array_equal(fastconv.conv2d(**given | {"x": turned}), y)


def test_a_kernel_that_is_too_large_is_told_how_weights_are_read():
    rgb = X[..., :3], np.ones((64, 3, 3, 3), np.float32)  # the channels fit by chance
    with pytest.raises(ValueError, match=r"weight spans 64 pixels of height, .*; in layout NHWC weights are HWIO$"):
        fastconv.conv2d(*rgb)
    with pytest.raises(ValueError, match=r"padding 0 \+ 0$"):  # what no other order of the axes makes fit
        fastconv.conv2d(X, np.ones((7, 3, 4, 8), np.float32))
    with pytest.raises(
        ValueError, match=r"kernel spans 7 pixels of height, more than x's height 5 with padding 0 \+ 0$"
    ):
        fastconv.max_pool2d(X, 7)


def test_a_dilation_is_named_where_it_is_what_makes_a_kernel_too_large():
    expected = "weight with dilation 9 spans 19 pixels of width, more than x's width 6 with padding 1 + 1"
    assert message_of(dilation=(1, 9), padding=1) == expected
    for dilation, algorithm in product(((1, 2**31 - 1), (2**22, 2**22)), ("auto", "direct")):
        with pytest.raises(ValueError, match=r"^dilation .* spreads weight's 3×3 taps over .* more than this library"):
            fastconv.Conv2d(WEIGHT, dilation=dilation, algorithm=algorithm)


def test_exchanged_channels_are_told():
    matrix = WEIGHT[0, 0]
    with pytest.raises(ValueError, match="this weight fits with its input and output channels exchanged"):
        fastconv.pointwise(X, matrix.T)
    with pytest.raises(ValueError, match=r"must have shape \(K, C\) in layout NCHW, got \(8, 4, 1, 1\); conv2d takes"):
        fastconv.pointwise(X, matrix.T[..., None, None], layout="NCHW")


@pytest.mark.parametrize("shape", [(1, 8), (8, 1), (4,), ()])
def test_a_bias_is_told_its_shape_and_why(shape):
    expected = "bias must have shape (8,), a value for each output channel of weight (3, 3, 4, 8), HWIO in layout NHWC"
    assert message_of(bias=np.ones(shape, np.float32)) == f"{expected}, got {shape}"
    part = WEIGHT[:1, :1], np.ones(shape, np.float32)
    with pytest.raises(ValueError, match=r"^the bias of reduce must .* of the weight of reduce .* in layout NCHW, got"):
        fastconv.Reduced((part[0].transpose(3, 2, 0, 1), part[1]), (NEXT, None), layout="NCHW")
    assert message_of(bias=False) == "bias must be a numpy array, or None where there is none, got False"


@pytest.mark.parametrize(
    ("call", "given"),
    [
        (lambda: fastconv.Conv2d(64, 32, 3, padding=1), "Conv2d(int, int, int, padding=int)"),
        (lambda: fastconv.Conv2d(WEIGHT, kernel_size=3), "Conv2d(ndarray, kernel_size=int)"),
        (lambda: fastconv.conv2d(X, WEIGHT, None, 1), "conv2d(ndarray, ndarray, NoneType, int)"),
        (lambda: fastconv.pointwise(X, WEIGHT[0, 0], padding=1), "pointwise(ndarray, ndarray, padding=int)"),
        (lambda: fastconv.max_pool2d(X, 3, 2), "max_pool2d(ndarray, int, int)"),
        (lambda: fastconv.avg_pool2d(X, 3, strides=2), "avg_pool2d(ndarray, int, strides=int)"),
        (lambda: fastconv.global_avg_pool2d(X, 1), "global_avg_pool2d(ndarray, int)"),
        (lambda: fastconv.MLPConv((), (), (), kernel=3), "MLPConv(tuple, tuple, tuple, kernel=int)"),
        (lambda: fastconv.Reduced((), (), 1, 0, "relu"), "Reduced(tuple, tuple, int, int, str)"),
        (lambda: fastconv.Bottleneck((), (), (), dilation=1), "Bottleneck(tuple, tuple, tuple, dilation=int)"),
        (lambda: fastconv.Fire((), (), (), stride=1), "Fire(tuple, tuple, tuple, stride=int)"),
        (lambda: fastconv.Inception(padding=1), "Inception(padding=int)"),
    ],
)
def test_a_call_that_does_not_fit_is_told_all_arguments(call, given):
    name = given.partition("(")[0]
    with pytest.raises(TypeError) as caught:
        call()
    message = str(caught.value)
    assert message.startswith(f"{name} takes ")
    assert message.endswith(f"; got {given}")
    signature = inspect.signature(getattr(fastconv, name))
    options = [p.name for p in signature.parameters.values() if p.kind is inspect.Parameter.KEYWORD_ONLY]
    assert f", and by name {', '.join(options)};" in message


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
