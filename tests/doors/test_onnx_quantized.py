"""Networks whose constants alone are quantised: they are computed; others are refused, in test_onnx_files."""

import numpy as np
import onnx
import pytest
from onnx_models import assert_close, by_onnxruntime, model

import fastconv

RNG = np.random.default_rng(4)
X = RNG.standard_normal((2, 3, 8, 9), np.float32)
WEIGHT = RNG.integers(-8, 8, (4, 3, 3, 3)).astype(np.int8)


def convolution(*parameters, opset, **attributes):
    """A convolution whose weight is dequantised, and of opset 13 or newer its bias, of one axis and one scale, too."""
    names = "weight", "scale", "zero_point"
    constants = dict(zip(names, parameters, strict=False))
    nodes = [("DequantizeLinear", " ".join(constants), "w", attributes)]
    constants |= {"bias": np.arange(4, dtype=np.int32), "bias_scale": np.float32(0.25)}
    nodes += [("DequantizeLinear", "bias bias_scale", "b", {}), ("Conv", "x w b", "y", {})]
    return model(nodes, constants, opset=opset)


@pytest.mark.parametrize("opset", [10, 13, 19, 21, 25])
@pytest.mark.parametrize("zero_point", [(), (np.int8(3),)])
def test_constants_are_dequantised_by_one_scale(opset, zero_point):
    proto = convolution(WEIGHT, np.float32(0.1), *zero_point, opset=opset)
    assert_close(fastconv.onnx.load(proto, strict=True)(X), by_onnxruntime(proto, X))


@pytest.mark.parametrize("opset", [13, 19, 21])
def test_constants_are_dequantised_along_an_axis(opset):
    scale, zero_point = np.float32([0.5, 0.25, 2, 1]), np.int8([1, 0, -3, 2])
    for axis in 0, -4:
        proto = convolution(WEIGHT, scale, zero_point, opset=opset, axis=axis)
        assert_close(fastconv.onnx.load(proto)(X), by_onnxruntime(proto, X))


@pytest.mark.parametrize("dtype", [np.int8, "INT4", "UINT4"])
def test_constants_are_dequantised_by_blocks(dtype):
    """The last block is cut, as the standard has it; ONNX Runtime reads no INT4 of rank 4 so, hence the numbers."""
    if isinstance(dtype, str):
        dtype = onnx.helper.tensor_dtype_to_np_dtype(getattr(onnx.TensorProto, dtype))
    weight = np.arange(10).reshape(5, 2) % 8
    scale, zero_point = np.float32([[1, 2], [0.5, 4], [8, 1]]), np.int64([[0, 1], [1, 2], [3, 0]])
    constants = {"q": weight.astype(dtype), "s": scale, "z": zero_point.astype(dtype)}
    attributes = {"axis": 0, "block_size": 2}
    proto = model([("DequantizeLinear", "q s z", "w", attributes), ("MatMul", "x w", "y", {})], constants, opset=21)
    x = np.eye(5, dtype=np.float32)
    wanted = (weight - zero_point.repeat(2, 0)[:5]) * scale.repeat(2, 0)[:5]
    assert (fastconv.onnx.load(proto)(x) == wanted).all()


def test_a_result_of_another_dtype_than_the_scale_is_never_rounded_to_that():
    """200 · 0.0999755859375 is no float16."""
    attributes = {"output_dtype": onnx.TensorProto.FLOAT}
    proto = model(
        [("DequantizeLinear", "q s", "w", attributes), ("Mul", "x w", "y", {})],
        {"q": np.uint8([200]), "s": np.float16(0.1)},
        opset=23,
    )
    assert fastconv.onnx.load(proto)(np.ones(1, np.float32)) == np.float32(np.float16(0.1)) * 200


@pytest.mark.parametrize("kind", ["DequantizeLinear", "QuantizeLinear"])
def test_one_scale_needs_no_axis(kind):
    value = np.int8([2, -4]) if kind == "DequantizeLinear" else np.float32([2, -4])
    nodes = [(kind, "q s z", "w", {}), ("Cast", "w", "c", {"to": onnx.TensorProto.FLOAT}), ("Mul", "x c", "y", {})]
    for shape in (), (1,):
        scale = np.full(shape, 2, np.float32)
        proto = model(nodes, {"q": value, "s": scale, "z": np.zeros(shape, np.int8)}, opset=19)
        wanted = [4, -8] if kind == "DequantizeLinear" else [1, -2]
        assert (fastconv.onnx.load(proto)(np.ones(2, np.float32)) == wanted).all()


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ((np.ones(3, np.float32),), r"scales and zero points of shape \(3,\) do not fit x of shape \(4, 3, 3, 3\)"),
        ((np.ones((4, 3), np.float32),), r"scales and zero points of shape \(4, 3\) do not fit"),
        ((np.float32(1), np.uint8(1)), "its zero point must be of int8, as its input is, got uint8"),
        ((np.ones(4, np.float32), np.int8([1, 2])), r"scales and zero points of shape \(2,\) do not fit"),
    ],
)
def test_parameters_that_do_not_fit_are_told(parameters, told):
    proto = convolution(WEIGHT, *parameters, opset=19, axis=0)
    with pytest.raises(ValueError, match=f"DequantizeLinear 'w': {told}"):
        fastconv.onnx.load(proto)(X)
