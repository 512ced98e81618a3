"""GridSample by fastconv's loops: what ONNX Runtime and NumPy's code give, the same bits for any threads."""

import numpy as np
import onnx
import pytest
from onnx_models import assert_close, by_onnxruntime, model

import fastconv
from fastconv.onnx._in_numpy.sampling import grid_sample
from fastconv.onnx._program import Node

RNG = np.random.default_rng(0)
MODES = [(mode, padding, corners) for mode in ("linear", "nearest") for padding in ("zeros", "border", "reflection")
         for corners in (0, 1)]  # fmt: skip
SHAPES = [((2, 3, 5, 7), (4, 6)), ((1, 17, 1, 9), (3, 1)), ((3, 1, 6, 1), (1, 40)), ((2, 5, 2, 3), (50, 60))]


def sampled(mode, padding, corners, dtype=np.float32):
    attributes = {"mode": mode, "padding_mode": padding, "align_corners": corners}
    kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype))
    return model([("GridSample", "x grid", "y", attributes)], {}, ("x", "grid"), dtype=kind), attributes


@pytest.mark.parametrize(("shape", "size"), SHAPES)
@pytest.mark.parametrize(("mode", "padding", "corners"), MODES)
def test_images_at_places(mode, padding, corners, shape, size):
    """Far from the image, too, and where there is no number."""
    x = RNG.standard_normal(shape, np.float32)
    grid = RNG.uniform(-1.6, 1.6, (shape[0], *size, 2)).astype(np.float32)
    proto, attributes = sampled(mode, padding, corners)
    net = fastconv.onnx.load(proto, strict=True)
    given = {"x": x, "grid": grid}
    y = net(given)
    assert_close(y, by_onnxruntime(proto, *given.values()), 1e-5)
    assert all(part.isa for part in net.describe({"x": x.shape, "grid": grid.shape}).parts.values())
    for threads in 1, 3:
        np.testing.assert_array_equal(fastconv.onnx.load(proto, num_threads=threads)(given), y)
    grid.ravel()[:6] = np.nan, np.inf, -np.inf, 3e38, 1, -1
    node = Node("", "GridSample", "", 20, ("x", "grid"), ("y",), attributes)
    for dtype in (np.float32, np.float64):
        proto, _ = sampled(mode, padding, corners, dtype)
        x, grid = x.astype(dtype), grid.astype(dtype)
        y = fastconv.onnx.load(proto)({"x": x, "grid": grid})
        with np.errstate(invalid="ignore"):
            want = grid_sample(node, x, grid)
        np.testing.assert_allclose(y, want, rtol=8 * np.finfo(dtype).eps, atol=np.finfo(dtype).eps)


@pytest.mark.parametrize("corners", [0, 1])
@pytest.mark.parametrize("padding", ["border", "reflection"])
@pytest.mark.parametrize("axes", [2, 3])
def test_an_infinite_pixel_at_the_edge(axes, padding, corners):
    """It is what a place at its middle has: beyond it there is nothing, of which a share of 0 would make NaN."""
    x = np.ones((1, 1, *(3,) * axes), np.float32)
    x[(..., *(2,) * axes)] = np.inf
    size = 1 if corners else 2 / 3  # from the middle of the image to the last pixel's
    grid = np.full((1, *(1,) * axes, axes), size, np.float32)
    proto, _ = sampled("linear", padding, corners)
    assert fastconv.onnx.load(proto)({"x": x, "grid": grid}).item() == np.inf


def test_a_grid_that_a_graph_computes():
    """Images and places that lie as maps do, and a convolution of what is sampled."""
    nodes = [
        ("Conv", "x w", "c", {}),
        ("Transpose", "flow", "grid", {"perm": [0, 2, 3, 1]}),
        ("GridSample", "c grid", "s", {}),
        ("Conv", "s w", "y", {}),
    ]
    proto = model(nodes, {"w": RNG.standard_normal((3, 3, 1, 1), np.float32)}, ("x", "flow"))
    given = {"x": RNG.standard_normal((2, 3, 9, 8), np.float32), "flow": RNG.uniform(-1, 1, (2, 2, 4, 5)).astype("f4")}
    net = fastconv.onnx.load(proto, strict=True)
    assert_close(net(given), by_onnxruntime(proto, *given.values()), 1e-5)
    assert "NumPy" not in {
        part.algorithm for part in net.describe({"x": (2, 3, 9, 8), "flow": (2, 2, 4, 5)}).parts.values()
    }


def test_max_bytes_counts_what_is_sampled():
    x, grid = np.zeros((1, 100, 1, 1), np.float32), np.zeros((1, 20, 10, 2), np.float32)
    proto, _ = sampled("linear", "zeros", 0)
    wanted = 100 * 20 * 10 * x.itemsize
    fastconv.onnx.load(proto, max_bytes=wanted)({"x": x, "grid": grid})
    with pytest.raises(ValueError, match=r"GridSample 'y': its result of shape \(1, 100, 20, 10\).* max_bytes"):
        fastconv.onnx.load(proto, max_bytes=wanted - 1)({"x": x, "grid": grid})
