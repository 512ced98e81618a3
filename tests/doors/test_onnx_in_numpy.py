"""What reads and writes at places that are values, as ONNX Runtime computes it."""

import numpy as np
import pytest
from onnx import TensorProto, helper
from onnx_models import assert_close, by_onnxruntime, model, one

import fastconv

RNG = np.random.default_rng(0)


def normal(*shape):
    return RNG.standard_normal(shape, np.float32)


X = normal(4, 5, 6)
PLACES = {
    "fewer elements": ("GatherElements", (RNG.integers(-6, 6, (2, 3, 4)),), {"axis": 2}),
    "more elements": ("GatherElements", (RNG.integers(0, 4, (9, 5, 1)),), {}),
    "points": ("GatherND", (RNG.integers(-4, 4, (3, 2)),), {}),
    "points of images": ("GatherND", (RNG.integers(0, 5, (4, 7, 1)),), {"batch_dims": 1}),
    "scattered": ("ScatterElements", (np.array([[[2], [0]]]), normal(1, 2, 1)), {"axis": 1}),
    "added": ("ScatterElements", (RNG.integers(0, 4, (8, 2, 3)), normal(8, 2, 3)), {"reduction": "add"}),
    "largest": ("ScatterElements", (RNG.integers(0, 6, (4, 2, 9)), normal(4, 2, 9)), {"axis": -1, "reduction": "max"}),
    "written": ("ScatterND", (np.array([[0], [-1]]), normal(2, 5, 6)), {}),
    "multiplied": ("ScatterND", (np.array([[1, 2], [1, 2]]), normal(2, 6)), {"reduction": "mul"}),
    "best": ("TopK", (np.array([3]),), {"axis": 1, "outputs": 2}),
    "worst": ("TopK", (np.array([2]),), {"largest": 0, "outputs": 2}),
    "repeated": ("Tile", (np.array([1, 2, 3]),), {}),
    "upper": ("Trilu", (np.array(1),), {}),
    "lower": ("Trilu", (), {"upper": 0}),
    "first": ("ArgMax", (), {"axis": 1}),
    "last": ("ArgMin", (), {"axis": -1, "keepdims": 0, "select_last_index": 1}),
    "sums before": ("CumSum", (np.array(1),), {"exclusive": 1, "reverse": 1}),
    "lengths": ("ReduceL2", (np.array([1]),), {}),
    "exponents": ("ReduceLogSumExp", (np.array([0, 2]),), {"keepdims": 0}),
    "unit vectors": ("LpNormalization", (), {"axis": 1}),
    "shares": ("LpNormalization", (), {"axis": -1, "p": 1}),
    "root mean squares": ("RMSNormalization", (normal(6),), {"opset": 23}),
    "signs": ("Sign", (), {}),
    "remainders": ("Mod", (np.float32(0.7),), {"fmod": 1}),
    "contracted": ("Einsum", (normal(7, 6), normal(5)), {"equation": "aij, kj, i -> ak"}),
    "traces": ("Einsum", (normal(5, 6),), {"equation": "...ij,ij"}),
}


@pytest.mark.parametrize("name", PLACES)
def test_places_that_are_values(name):
    kind, constants, attributes = PLACES[name]
    x = np.round(X, 1)  # so that some are equal
    proto = one(kind, x, *constants, **attributes)
    assert_close(fastconv.onnx.load(proto, strict=True)(x), by_onnxruntime(proto, x), 1e-6)


@pytest.mark.parametrize("like", ["FLOAT16", "INT32", "DOUBLE", "BOOL"])
def test_a_cast_to_what_another_is(like):
    proto = model([("CastLike", "x z", "y", {})], {}, ("x", "z"))
    proto.graph.input[1].type.tensor_type.elem_type = getattr(TensorProto, like)
    other = np.ones(1, helper.tensor_dtype_to_np_dtype(getattr(TensorProto, like)))
    assert_close(fastconv.onnx.load(proto, strict=True)(X, other), by_onnxruntime(proto, X, other))


def test_places_that_do_not_fit():
    for kind, constants, told in (
        ("GatherElements", (np.zeros((5, 6, 1), int),), r"indices of shape \(5, 6, 1\) lie beside x of shape"),
        ("GatherElements", (np.full((1, 1, 1), 4),), "indices from 4 to 4 of axis 0"),
        ("ScatterElements", (np.zeros((1, 1, 1), int), normal(1, 1, 2)), "indices and updates must have one shape"),
        ("GatherND", (np.zeros((2, 4), int),), r"indices of shape \(2, 4\) do not fit"),
        ("ScatterND", (np.zeros((2, 1), int), normal(2, 5)), r"updates must have shape \(2, 5, 6\), got \(2, 5\)"),
        ("TopK", (np.array([7]),), "k must be at most the 6 values of axis 2, got"),
        ("Tile", (np.array([1, 2]),), "repeats must have a value for each of the 3 axes"),
    ):
        outputs = 2 if kind == "TopK" else 1
        with pytest.raises(ValueError, match=f"{kind} 'y0': {told}"):
            fastconv.onnx.load(one(kind, X, *constants, outputs=outputs))(X)


@pytest.mark.parametrize("corners", [0, 1])
@pytest.mark.parametrize("padding", ["zeros", "border", "reflection"])
@pytest.mark.parametrize("mode", ["linear", "nearest", "cubic"])
def test_pixels_at_places_that_are_values(mode, padding, corners):
    """Some of which lie outside."""
    x, grid = normal(2, 3, 5, 7), RNG.uniform(-1.6, 1.6, (2, 4, 6, 2)).astype(np.float32)
    proto = one("GridSample", x, grid, mode=mode, padding_mode=padding, align_corners=corners)
    assert_close(fastconv.onnx.load(proto, strict=True)(x), by_onnxruntime(proto, x), 1e-5)


def test_pixels_at_places_that_do_not_fit():
    for shape, told in ((1, 4, 6, 2), "a grid of shape"), ((2, 4, 6, 3), "a grid of shape"):
        proto = one("GridSample", normal(2, 3, 5, 7), np.zeros(shape, np.float32))
        with pytest.raises(ValueError, match=f"GridSample 'y0': {told}"):
            fastconv.onnx.load(proto)(normal(2, 3, 5, 7))


@pytest.mark.parametrize("centers", [0, 1])
@pytest.mark.parametrize("least", [None, 0.4])
@pytest.mark.parametrize("most", [0, 3, 100])
def test_boxes_that_others_cover_are_left_out(most, least, centers):
    """Of two images and three classes; corners in any order, and some scores are equal."""
    boxes, scores = RNG.random((2, 40, 4), np.float32), np.round(RNG.random((2, 3, 40), np.float32), 1)
    rest = [np.array([most]), np.float32([0.3])] + ([] if least is None else [np.float32([least])])
    proto = one("NonMaxSuppression", boxes, scores, *rest, center_point_box=centers)
    net = fastconv.onnx.load(proto, strict=True)
    found = net(boxes)
    assert_close(found, by_onnxruntime(proto, boxes))
    assert (len(found) > 0) == (most > 0)


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("ratio", [0, 2])
@pytest.mark.parametrize("opset", [10, 16])
def test_regions_are_cut_out_of_maps(opset, ratio, mode):
    """Some reach beyond the map."""
    x, corners = normal(2, 3, 9, 12), RNG.uniform(-3, 14, (6, 2, 2)).astype(np.float32)
    rois, images = np.sort(corners, 1).reshape(6, 4), np.array([0, 1, 1, 0, 0, 1])
    how = {"output_height": 3, "output_width": 2, "sampling_ratio": ratio, "spatial_scale": 0.8, "mode": mode}
    proto = one("RoiAlign", x, rois, images, opset=opset, **how)
    assert_close(fastconv.onnx.load(proto, strict=True)(x), by_onnxruntime(proto, x), 1e-5)


@pytest.mark.parametrize("mode", ["avg", "max"])
@pytest.mark.parametrize("roi", [(0, 0, 0, 0), (2, 2, 2, 5), (5, 5, 3, 3)])
def test_regions_without_extent(roi, mode):
    """They have no points where the extent says how many."""
    x, half = normal(1, 2, 8, 8), {"coordinate_transformation_mode": "half_pixel"}
    rois, how = np.array([roi], np.float32), {"output_height": 2, "output_width": 2, "mode": mode, **half}
    proto = one("RoiAlign", x, rois, np.array([0]), **how)
    assert_close(fastconv.onnx.load(proto, strict=True)(x), by_onnxruntime(proto, x))


def test_an_element_of_a_sequence_that_a_call_names():
    """Which have unlike shapes, of which a graph reads one."""
    nodes = [
        ("SplitToSequence", "x sizes", "s", {"axis": 1}),
        ("SequenceAt", "s i", "e", {}),
        ("Relu", "e", "r", {}),
        ("GlobalAveragePool", "r", "y", {}),
    ]
    proto = model(nodes, {"sizes": np.array([1, 3])}, ("x", "i"), shapes={"x": [None] * 4, "i": []})
    proto.graph.input[1].type.tensor_type.elem_type = TensorProto.INT64
    net, x = fastconv.onnx.load(proto), normal(2, 4, 3, 3)
    for i, part in enumerate((x[:, :1], x[:, 1:])):
        np.testing.assert_allclose(net(x, np.array(i)), np.maximum(part, 0).mean((2, 3), keepdims=True), rtol=1e-5)


def test_a_negative_depth():
    x = np.array([0, 1])
    with pytest.raises(ValueError, match="OneHot 'y0': depth must be at least 0, got -1"):
        fastconv.onnx.load(one("OneHot", x, np.array(-1), np.array([0, 1])))(x)
