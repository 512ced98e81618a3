"""What the errors of arrays in another order of the axes tell: all that would fit, and how to turn it."""

from itertools import islice, product

import numpy as np
import pytest
from test_error_messages import WEIGHT, X, message_of

import fastconv


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
@pytest.mark.parametrize("padding", [4, ((1, 0), (0, 1)), 0])
def test_what_a_hint_says_is_right(padding, layout, groups):
    """Whatever is wrong, with the array or the layout that an error gives the convolution is no error.

    Of all sizes to 4 every third combination is tried.
    """
    told = set()
    for sizes in islice(product((1, 2, 3, 4), repeat=6), None, None, 3):
        height, width, channels, c, k, r = sizes
        given = {"x": np.ones((1, height, width, channels), "f4"), "weight": np.ones((r, 1, c, k), "f4")}
        try:
            fastconv.conv2d(**given, groups=groups, layout=layout, padding=padding)
        except ValueError as error:
            message, *hints = str(error).split("; ")
        else:
            continue
        for hint in hints:
            right, options = dict(given), {"groups": groups, "layout": layout, "padding": padding}
            if "they fit" in hint:
                options["layout"] = hint.partition('"')[2][:-1]
            elif ": give " in hint:
                name = "x" if "moveaxis" in hint else "weight"
                right[name] = eval(hint.partition(": give ")[2], {"np": np, **given})
                assert name == "weight" or f", {right['x'].shape} in {layout}" in hint
            else:
                continue
            told.add(hint.removeprefix("or ")[:9])
            if message.startswith("groups"):  # nothing is said of x there
                fastconv.Conv2d(right["weight"], **options)
            else:
                fastconv.conv2d(**right, **options)
    assert len(told) >= 2


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


@pytest.mark.parametrize(
    ("layout", "shape"), [("NHWC", (1, 1, 3, 1)), ("NHWC", (1, 1, 16, 32)), ("NCHW", (1, 3, 1, 1))]
)
def test_a_1x1_is_not_taken_for_a_kernel_of_one_channel(layout, shape):
    x = np.ones((1, 20, 40, 1) if layout == "NHWC" else (1, 1, 20, 40), np.float32)
    assert "fits as" not in message_of(x=x, weight=np.ones(shape, np.float32), layout=layout)
    square = np.ones((1, 1, 5, 5), np.float32)  # one filter, as PyTorch has it
    assert message_of(x=np.ones((1, 9, 9, 1), np.float32), weight=square).endswith("give weight.transpose(2, 3, 1, 0)")


def test_a_part_of_a_block_is_not_turned_to_a_kernel_that_it_may_not_have():
    first, square = np.ones((1, 1, 4, 1), np.float32), np.ones((1, 1, 5, 5), np.float32)
    with pytest.raises(ValueError, match=r"^cccp1 of shape \(1, 1, 5, 5\) takes 5 channels .*, but conv has 1$"):
        fastconv.MLPConv((first, None), (square, None))
    with pytest.raises(ValueError, match=r"^conv of .*, but reduce has 1; this weight fits as OIHW"):  # any kernel
        fastconv.Reduced((first, None), (square, None))


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


def test_exchanged_channels_are_told():
    matrix = WEIGHT[0, 0]
    with pytest.raises(
        ValueError, match=r"^weight of shape \(8, 4\) .* where weights are \(C, K\); .*: give weight\.T$"
    ):
        fastconv.pointwise(X, matrix.T)
    with pytest.raises(ValueError, match=r"must have shape \(K, C\) in layout NCHW, got \(8, 4, 1, 1\); conv2d takes"):
        fastconv.pointwise(X, matrix.T[..., None, None], layout="NCHW")


def test_all_that_fits_is_told_and_the_weight_first():
    x, weight = np.ones((1, 8, 6, 4), np.float32), WEIGHT.swapaxes(2, 3)
    moved = "; or this x fits as NCHW, (1, 6, 4, 8) in NHWC: give np.moveaxis(x, -3, -1)"
    exchanged = "; this weight fits with its input and output channels exchanged: give weight."
    assert message_of(x=x, weight=weight).endswith(f"{exchanged}swapaxes(2, 3){moved}")
    for call, turned in [
        (lambda: fastconv.pointwise(x, weight[0, 0]), "T"),
        (lambda: fastconv.Reduced((weight[:1, :1], None), (WEIGHT, None))(x), "swapaxes(2, 3)"),
    ]:
        with pytest.raises(ValueError, match="where weights are") as caught:
            call()
        assert str(caught.value).endswith(f"{exchanged}{turned}{moved}")
    both = np.ones((1, 4, 6, 4), np.float32), np.ones((8, 4, 3, 3), np.float32)
    assert message_of(x=both[0], weight=both[1]).endswith('.transpose(2, 3, 1, 0); or they fit layout="NCHW"')
    with pytest.raises(ValueError, match=r"takes 4 channels .* but reduce has 8; this weight fits .* weight\.swapaxes"):
        fastconv.Reduced((WEIGHT[:1, :1], None), (WEIGHT, None))


@pytest.mark.parametrize("layout", ["NHWC", "NCHW"])
@pytest.mark.parametrize(("multiplier", "channels"), [(1, 3), (1, 16), (2, 16)])
def test_depthwise_weights_of_other_libraries_are_told_how_to_turn(layout, multiplier, channels):
    """What an error says is done, and gives the weight in this library's order."""
    tensorflow = np.arange(9.0 * channels * multiplier).reshape(3, 3, channels, multiplier)
    hwio = tensorflow.reshape(3, 3, 1, -1)
    right, other = hwio, hwio.transpose(3, 2, 0, 1)
    if layout == "NCHW":
        right, other = other, right
    x = np.ones((1, 8, 8, channels) if layout == "NHWC" else (1, channels, 8, 8))
    for weight in (tensorflow, other):
        with pytest.raises(ValueError, match=": give weight") as caught:
            fastconv.conv2d(x, weight, groups=channels, layout=layout)
        turned = eval(str(caught.value).partition(": give ")[2], {"weight": weight})
        np.testing.assert_array_equal(turned, right)
