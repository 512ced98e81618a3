"""Attention, the operator, against ONNX Runtime; `test_onnx_fusion.py` has the nodes that exporters write for it."""

import numpy as np
import pytest
from onnx import helper
from onnx_models import FLOAT, assert_close, by_onnxruntime, model

import fastconv

RNG = np.random.default_rng(0)
MASK = RNG.standard_normal((2, 1, 7, 9)).astype(np.float32)
HOLES = np.where(MASK > 1, -np.inf, MASK).astype(np.float32)

# (shapes of queries, keys and values, attributes, mask)
CASES = {
    "itself": ([(2, 4, 7, 8)] * 3, {}, None),
    "other sizes": ([(2, 4, 7, 8), (2, 4, 9, 8), (2, 4, 9, 5)], {}, None),
    "a scale": ([(2, 4, 7, 8)] * 3, {"scale": 0.3}, None),
    "causal": ([(2, 4, 7, 8)] * 3, {"is_causal": 1}, None),
    "a mask": ([(2, 4, 7, 8), (2, 4, 9, 8), (2, 4, 9, 5)], {}, HOLES),
    "a mask of yes and no": ([(2, 4, 7, 8), (2, 4, 9, 8), (2, 4, 9, 5)], {}, MASK[:, 0] < 1),
    "a causal mask": ([(2, 4, 7, 8)] * 3, {"is_causal": 1}, MASK[0, 0, :, :7]),
    "heads side by side": ([(2, 7, 32), (2, 9, 32), (2, 9, 20)], {"q_num_heads": 4, "kv_num_heads": 4}, HOLES),
}


def attention(shapes, attributes, mask, outputs=("y",), names=("q", "k", "v"), opset=23):
    constants = {} if mask is None else {"mask": mask if mask.ndim != 3 else mask[:, None]}
    node = helper.make_node("Attention", [*names, *constants], outputs, **attributes)
    given = dict(zip(names, shapes, strict=True))
    return model([(node, None, None, None)], constants, names, outputs, opset=opset, dtype=FLOAT, shapes=given)


@pytest.mark.parametrize("name", CASES)
def test_attention(name):
    shapes, attributes, mask = CASES[name]
    proto, xs = attention(shapes, attributes, mask), [RNG.standard_normal(shape, np.float32) for shape in shapes]
    net = fastconv.onnx.load(proto, strict=True)
    assert_close(net(*xs), by_onnxruntime(proto, *xs), 1e-6)
    assert {step.algorithm for step in net.profile(*xs).steps}.isdisjoint({"onnx.reference"})


@pytest.mark.parametrize(
    "case", ["fewer keys", "a soft cap", "a window", "the scores", "a row without any", "a short mask"]
)
def test_what_is_left_to_the_reference(case):
    shapes, attributes, mask, outputs, opset = [(2, 4, 7, 8)] * 3, {}, None, ("y",), 23
    if case == "fewer keys":
        shapes = [(2, 4, 7, 8), (2, 2, 7, 8), (2, 2, 7, 8)]
    elif case == "a soft cap":
        attributes = {"softcap": 2.0}
    elif case == "a window":
        attributes, opset = {"left_window_size": 2}, 26
    elif case == "the scores":
        outputs = "y", "", "", "scores"
    elif case == "a short mask":
        mask = np.ones((7, 1), bool)
    else:
        mask = np.array([[True] * 7] * 6 + [[False] * 7])
    proto = attention(shapes, attributes, mask, outputs, opset=opset)
    if case == "the scores":
        del proto.graph.output[1:3]
    xs = [RNG.standard_normal(shape, np.float32) for shape in shapes]
    net = fastconv.onnx.load(proto)
    results = net(*xs)
    assert "onnx.reference" in {step.algorithm for step in net.profile(*xs).steps}
    assert np.isfinite(results[0]).all()
    with pytest.raises(ValueError, match="Attention 'y': fastconv has no code for this operator"):
        fastconv.onnx.load(proto, strict=True)(*xs)
