"""What the messages of errors tell beyond the argument's name: all that is accepted, what was given, what would fit."""

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


def message_of(**wrong):
    with pytest.raises((TypeError, ValueError)) as caught:
        fastconv.conv2d(**{"x": X, "weight": WEIGHT, **wrong})
    return str(caught.value)


def test_a_dtype_that_differs_names_both():
    assert message_of(weight=WEIGHT.astype("d")) == "x has dtype float32, but weight has float64"
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
    assert "fit" not in message_of(weight=nchw["weight"])
    grouped = {"x": nchw["x"], "weight": np.ones((9, 2, 3, 3), np.float32)}  # in layout NHWC, 2 outputs of 3 channels
    assert "fit" not in message_of(**grouped)


def test_groups_are_named_where_there_are_some():
    assert "takes 4 channels in each of 2 groups, but x" in message_of(groups=2)
    assert "takes 3 channels, but x" in message_of(weight=WEIGHT[:, :, :3])


@pytest.mark.parametrize("algorithm", ["blas", "winograd"])
def test_an_algorithm_that_is_not_for_a_convolution_says_which(algorithm):
    message = message_of(algorithm=algorithm, stride=2)
    assert message.startswith(f'algorithm "{algorithm}" is for ')
    assert "got Conv2d(3×3, 4→8" in message
    assert "stride=2" in message
