"""What the standard says where engines differ from it and from each other; the right values are known."""

import ml_dtypes
import numpy as np
import pytest
from onnx_models import as_image, model, one, run

import fastconv

NAN, INF = np.nan, np.inf


def test_an_average_counts_the_image_and_its_padding_alone():
    y = run("AveragePool", np.ones((1, 1, 6, 6)), kernel_shape=[3, 3], strides=[2, 2], pads=[1] * 4,
            ceil_mode=1, count_include_pad=1)  # fmt: skip
    assert y.shape == (1, 1, 4, 4)
    assert y[0, 0, 3, 3] == 1 * 1 / 4  # one pixel of the image, three of the padding


@pytest.mark.parametrize("kind", ["MaxPool", "AveragePool"])
@pytest.mark.parametrize("opset", [12, 21, 22])
def test_no_window_begins_in_the_padding_after_the_image(kind, opset):
    y = run(kind, np.ones((1, 1, 2, 2)), kernel_shape=[1, 1], strides=[2, 2], pads=[0] * 4, ceil_mode=1, opset=opset)
    assert y.shape == (1, 1, 1, 1)
    y = run(
        kind, np.ones((1, 1, 4, 4)), kernel_shape=[2, 2], strides=[3, 3], pads=[0, 0, 1, 1], ceil_mode=1, opset=opset
    )
    assert y.shape == (1, 1, 2, 2)


def test_nan():
    x = as_image([[NAN, 1, 2, 3], [4, -1, 5, 6]])
    assert np.isnan(run("Relu", x)[0, 0, 0, 0])
    assert np.isnan(run("Clip", x, np.float32(0), np.float32(6))[0, 0, 0, 0])
    np.testing.assert_equal(run("MaxPool", x, kernel_shape=[2, 2], strides=[2, 2]), as_image([[NAN, 6]]))
    np.testing.assert_equal(
        run("MaxPool", x[..., ::-1].copy(), kernel_shape=[2, 2], strides=[2, 2]), as_image([[6, NAN]])
    )


def test_a_low_bound_above_the_high_one():
    assert (run("Clip", [[-1, 3, 9]], np.float32(5), np.float32(2)) == 2).all()


@pytest.mark.parametrize("auto_pad", ["VALID", "SAME_UPPER"])
def test_auto_pad_and_pads(auto_pad):
    with pytest.raises(ValueError, match=f"Conv 'y0': it has auto_pad {auto_pad} and pads"):
        run("Conv", np.ones((1, 1, 4, 4)), np.ones((1, 1, 3, 3), np.float32), auto_pad=auto_pad, pads=[1] * 4)


def test_a_dilated_pool_of_the_same_size():
    x = np.arange(25).reshape(1, 1, 5, 5)
    y = run("MaxPool", x, kernel_shape=[2, 2], dilations=[2, 2], auto_pad="SAME_UPPER")
    np.testing.assert_equal(y[0, 0, :2, :2], [[12, 13], [17, 18]] if y.shape[2] == 4 else [[6, 7], [11, 12]])
    assert y.shape == (1, 1, 5, 5)


def test_a_window_larger_than_the_image():
    for kind in "MaxPool", "AveragePool":
        with pytest.raises(ValueError, match=f"{kind} 'y0': its kernel spans 5 pixels, more than the 3"):
            run(kind, np.ones((1, 1, 3, 3)), kernel_shape=[5, 5])
    with pytest.raises(ValueError, match="Conv 'y0': its kernel spans 5 pixels"):
        run("Conv", np.ones((1, 1, 3, 3)), np.ones((1, 1, 5, 5), np.float32))


def test_small_values_are_right_relatively():
    x = np.array([[-50, -20, 1e-6, 1e-12, -16.84, 100]], np.float32)
    wide = x.astype(float)
    sigmoid = 1 / (1 + np.exp(-wide))
    np.testing.assert_allclose(run("Sigmoid", x), sigmoid, rtol=1e-6)
    np.testing.assert_allclose(run("Tanh", x), np.tanh(wide), rtol=1e-6)
    np.testing.assert_allclose(run("Softplus", x), np.log1p(np.exp(wide)), rtol=1e-6)
    log = model([("Sigmoid", "x", "s", {}), ("Log", "s", "y", {})], {})
    np.testing.assert_allclose(fastconv.onnx.load(log)(x), np.log(sigmoid), rtol=1e-6)
    swish = model([("Sigmoid", "x", "s", {}), ("Mul", "x s", "y", {})], {})
    np.testing.assert_allclose(fastconv.onnx.load(swish)(x), wide * sigmoid, rtol=1e-6)


def test_a_power_is_no_root():
    y = run("Pow", as_image([[-INF, -0.0, 4]]), np.float32(0.5)).ravel()
    np.testing.assert_equal(y, [INF, 0, 2])
    assert not np.signbit(y[1])


@pytest.mark.parametrize("kind", ["Upsample", "Resize"])
def test_linear_of_older_opsets_is_asymmetric(kind):
    scales = np.array([1, 1, 1, 2], np.float32)
    y = run(kind, np.array([0, 2]).reshape(1, 1, 1, 2), scales, mode="linear", opset=9 if kind == "Upsample" else 10)
    np.testing.assert_allclose(y.ravel(), [0, 1, 2, 2])


def test_a_nearest_neighbour_does_not_see_the_others():
    y = run(
        "Resize", np.array([1, INF, 3]).reshape(1, 1, 1, 3), None, np.array([1, 1, 1, 2], np.float32), mode="nearest"
    )
    np.testing.assert_equal(y.ravel(), [1, 1, INF, INF, 3, 3])


def test_a_transposed_convolution_of_a_given_size_loses_the_odd_row_at_the_start():
    x, weight = np.ones((1, 1, 2, 1)), np.arange(3, dtype=np.float32).reshape(1, 1, 3, 1)
    y = run("ConvTranspose", x, weight, strides=[2, 1], output_shape=[4, 1])  # of 0 1 2+0 1 2
    np.testing.assert_equal(y.ravel(), [1, 2, 1, 2])
    with pytest.raises(ValueError, match="its kernel is too small for a result of size"):
        run("ConvTranspose", x, weight[:, :, :1], strides=[2, 1], auto_pad="SAME_UPPER")


def test_a_transposed_convolution_of_large_stride():
    """By NumPy, since a graph has a convolution for each pixel of the stride."""
    x, weight = np.ones((1, 1, 1, 1), np.float32), np.arange(4, dtype=np.float32).reshape(1, 1, 2, 2)
    y = run("ConvTranspose", x, weight, strides=[200, 300], pads=[0, 0, 0, 1], output_padding=[0, 2])
    np.testing.assert_equal(y, np.pad(weight, ((0, 0), (0, 0), (0, 0), (0, 1))))
    with pytest.raises(ValueError, match=r"ConvTranspose .*its result of shape .* more than max_bytes"):
        run("ConvTranspose", np.ones((1, 1, 2, 2)), weight, strides=[200_000, 200_000])


def test_averages_are_exact():
    x = np.full((1, 1, 2000, 2000), 0.1, np.float32)
    assert run("GlobalAveragePool", x).ravel() == np.float32(0.1)
    assert run("GlobalAveragePool", np.full((1, 1, 2, 2), 2e38, np.float32)).ravel() == np.float32(2e38)


def test_a_slope_is_broadcast_from_the_last_axis():
    slope = np.array([1, 2], np.float32)
    y = run("PRelu", -np.ones((1, 2, 1, 2)), slope)
    np.testing.assert_equal(y, [[[[-1, -2]], [[-1, -2]]]])
    with pytest.raises(ValueError, match="PRelu 'y0': its slope of shape"):
        run("PRelu", -np.ones((1, 2, 1, 3)), slope)


@pytest.mark.parametrize("kind", ["MaxPool", "Conv", "Relu", "GlobalAveragePool"])
def test_empty_batches(kind):
    constants = [np.ones((4, 3, 2, 2), np.float32)] if kind == "Conv" else []
    attributes = {"kernel_shape": [2, 2]} if kind == "MaxPool" else {}
    shape = {"MaxPool": (0, 3, 4, 4), "Conv": (0, 4, 4, 4), "Relu": (0, 3, 5, 5), "GlobalAveragePool": (0, 3, 1, 1)}
    assert run(kind, np.ones((0, 3, 5, 5)), *constants, **attributes).shape == shape[kind]


def test_an_empty_batch_is_reshaped_as_any_other():
    """The size that is not given follows from those of an image, which ONNX Runtime refuses."""
    for old, target, new in (
        ((64, 6, 5), [0, 64, -1], (64, 30)),
        ((64, 6, 5), [0, -1, 16, 30], (4, 16, 30)),
        ((8, 6, 5), [0, 2, 4, -1], (2, 4, 30)),
        ((30,), [0, 3, -1], (3, 10)),
    ):
        net = fastconv.onnx.load(model([("Relu", "x", "r", {}), ("Reshape", "r s", "y", {})], {"s": np.array(target)}))
        for batch in 2, 0:
            assert net(np.ones((batch, *old), np.float32)).shape == (batch, *new)


def test_a_window_of_a_convolution_may_lie_in_the_padding():
    for x, weight, pads, shape in (
        (np.ones((1, 1, 3)), np.ones((1, 1, 1)), [1, 2], (1, 1, 6)),
        (np.ones((1, 1, 2, 2, 2)), np.ones((1, 1, 1, 1, 1)), [0, 0, 0, 2, 2, 2], (1, 1, 4, 4, 4)),
    ):
        assert run("Conv", x, weight.astype(np.float32), pads=pads).shape == shape
    half = np.ones((1, 1, 2, 2), np.float16)
    y = fastconv.onnx.load(one("Conv", half, half[..., :1, :1], pads=[0, 0, 0, 2]))(half)
    np.testing.assert_equal(y[0, 0], [[1, 1, 0, 0], [1, 1, 0, 0]])


def test_a_column_that_gemm_adds_is_not_a_row():
    x, eye, column = np.zeros((2, 2)), np.eye(2, dtype=np.float32), np.array([[1], [2]], np.float32)
    np.testing.assert_equal(run("Gemm", x, eye, column), [[1, 1], [2, 2]])
    np.testing.assert_equal(run("Gemm", x, eye, column.T), [[1, 2], [1, 2]])


def test_resize_to_less_in_opset_10():
    y = run("Resize", as_image([[1, 2, 3, 4], [5, 6, 7, 8]]), np.array([1, 1, 0.6, 0.6], np.float32), opset=10)
    np.testing.assert_equal(y, as_image([[1, 3]]))


def test_pads_that_crop_more_than_there_is():
    with pytest.raises(ValueError, match=r"Pad 'y0': pads crop more than an input of shape \(2,\) has"):
        run("Pad", [1, 2], np.array([-3, 2]))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_empty_batches_by_numpy(dtype):
    x, scales = np.zeros((0, 2, 4, 4), dtype), np.array([1, 1, 2, 2], np.float32)
    weight = np.ones((2, 1, 1, 1), dtype)
    for proto, shape in (
        (one("Conv", x, weight, group=2), (0, 2, 4, 4)),
        (one("ConvTranspose", x, weight, group=2, strides=[2, 2]), (0, 2, 7, 7)),
        (one("Resize", x, None, scales, mode="linear"), (0, 2, 8, 8)),
        (one("Resize", x, None, None, np.array([0, 2, 3, 8]), mode="nearest"), (0, 2, 3, 8)),
    ):
        assert fastconv.onnx.load(proto)(x).shape == shape


SUMS_OF_HALVES = {  # (of what, the sum)
    "Softmax": ((np.ones((1, 3000, 4, 4)), {"axis": 1}), 1 / 3000),
    "LogSoftmax": ((np.ones((1, 3000)), {"axis": 1}), -np.log(3000)),
    "ReduceSum": ((np.ones((1, 5000)), {}), 5000),
    "ReduceL1": ((np.ones((1, 5000)), {}), 5000),
    "ReduceL2": ((np.full((1, 9), 300), {}), 900),
    "ReduceLogSum": ((np.full((1, 5), 30000), {}), np.log(150000)),
    "ReduceMean": ((np.full((1, 5000), 40000), {}), 40000),
}


@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
@pytest.mark.parametrize("kind", SUMS_OF_HALVES)
def test_sums_of_halves_are_rounded_once(kind, dtype):
    dtype = np.dtype(getattr(ml_dtypes, dtype, dtype))
    (x, attributes), want = SUMS_OF_HALVES[kind]
    y = fastconv.onnx.load(one(kind, x.astype(dtype), **attributes))(x.astype(dtype))
    assert y.dtype == dtype
    np.testing.assert_array_equal(np.unique(y.astype(np.float32)), np.float32(dtype.type(want)))


def test_other_sums_of_halves():
    ones, large = np.ones(5000, np.float16), np.full(2, 40000, np.float16)
    total = fastconv.onnx.load(one("CumSum", ones, np.array(0)))(ones)
    np.testing.assert_array_equal(total, np.arange(1, 5001).astype(np.float16))
    for kind, more, want in (("Mean", 1, 40000), ("Sum", -1, 40000)):
        constants = large, large * np.float16(more)
        got = fastconv.onnx.load(one(kind, large, *constants))(large)
        np.testing.assert_array_equal(got, np.full(2, want, np.float16))
    spread = np.full((1, 9, 1, 1), 20000, np.float16)
    weight = np.array([1, 1, 1, 1, -1, -1, -1, -1, 0], np.float16).reshape(9, 1, 1, 1)
    assert fastconv.onnx.load(one("ConvTranspose", spread, weight))(spread) == 0


def test_an_average_is_summed_in_float64():
    x = np.full((2**20, 3), 0.1)
    np.testing.assert_array_equal(run("ReduceMean", x, np.array([0]), keepdims=0), x[0].astype(np.float32))


@pytest.mark.parametrize("kind", ["Conv", "ConvTranspose", "Gemm", "MatMul"])
def test_subnormal_weights_are_0(kind):
    """The smallest that is not remains; so do all, if they are small together."""
    tiny = np.finfo(np.float32).tiny
    weight = np.array([[tiny, tiny / 2], [-tiny / 4, -tiny], [3, -0.0], [1e-45, 2]], np.float32)
    bias = np.array([tiny / 8, 1], np.float32)
    x, want = np.full((1, 4), 2.0**10, np.float32), np.array([[tiny + 3, 2 - tiny]]) * 2.0**10 + [[0, 1]]
    if kind in ("Conv", "ConvTranspose"):
        x, weight = x[..., None, None], (weight.T if kind == "Conv" else weight)[..., None, None]
    y = run(kind, x, weight, *[bias] * (kind != "MatMul")).reshape(1, 2)
    np.testing.assert_allclose(y, want - [[0, kind == "MatMul"]], rtol=1e-6)
    x[:, 2:] = 0  # what is left are products with the smallest
    y = run(kind, x, weight).reshape(1, 2)
    np.testing.assert_array_equal(y, np.array([[tiny, -tiny]]) * 2.0**10)
    y = run(kind, x, np.full_like(weight, tiny / 2)).reshape(1, 2)  # beside none that is larger
    np.testing.assert_array_equal(y, np.full((1, 2), tiny * 2.0**10))
