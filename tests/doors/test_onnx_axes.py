"""An axis that a tensor has not is an error that names the node, whatever the operator, in a graph or by NumPy."""

import numpy as np
import pytest
from onnx import helper
from onnx_models import model

import fastconv

X = np.arange(2.0 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
INDICES = np.zeros(X.shape, np.int64)


def ints(*values):
    return np.array(values)


# By operator, of an axis: the inputs after x, the attributes.
OPERATORS = {
    **{f"Reduce{kind}": lambda axis: ((ints(axis),), {}) for kind in ("Sum", "Mean", "Max", "Min", "Prod", "L2")},
    **{kind: lambda axis: ((), {"axis": axis}) for kind in ("Softmax", "LogSoftmax", "Hardmax", "ArgMax", "Flatten")},
    "Squeeze": lambda axis: ((ints(axis),), {}),
    "Unsqueeze": lambda axis: ((ints(axis),), {}),
    "Concat": lambda axis: ((X,), {"axis": axis}),
    "Split": lambda axis: ((), {"axis": axis, "num_outputs": 1}),
    "Slice": lambda axis: ((ints(0), ints(1), ints(axis)), {}),
    "Transpose": lambda axis: ((), {"perm": [0, 1, 2, axis]}),
    "LayerNormalization": lambda axis: ((np.ones(5, np.float32),), {"axis": axis}),
    "RMSNormalization": lambda axis: ((np.ones(5, np.float32),), {"axis": axis}),
    "LpNormalization": lambda axis: ((), {"axis": axis}),
    "MeanVarianceNormalization": lambda axis: ((), {"axes": [axis]}),
    "Gather": lambda axis: ((ints(0),), {"axis": axis}),
    "GatherElements": lambda axis: ((INDICES,), {"axis": axis}),
    "ScatterElements": lambda axis: ((INDICES, X), {"axis": axis}),
    "TopK": lambda axis: ((ints(1),), {"axis": axis}),
    "Pad": lambda axis: ((ints(1, 1), np.float32(0), ints(axis)), {}),
    "Resize": lambda axis: ((None, None, ints(3)), {"axes": [axis]}),
    "CenterCropPad": lambda axis: ((ints(2),), {"axes": [axis]}),
}


@pytest.mark.parametrize("kind", OPERATORS)
@pytest.mark.parametrize("axis", [6, 7, -6, -7])
@pytest.mark.parametrize("before", ["Identity", "Relu"])
def test_an_axis_out_of_range(kind, axis, before):
    constants, attributes = OPERATORS[kind](axis)
    names = ["a", *("" if value is None else f"c{i}" for i, value in enumerate(constants))]
    results = [f"y{i}" for i in range(2 if kind == "TopK" else 1)]
    node = helper.make_node(kind, names, results, **attributes)
    arrays = {f"c{i}": value for i, value in enumerate(constants) if value is not None}
    nodes = [(before, "x", "a", {}), (node, None, None, None)]
    with pytest.raises(ValueError, match=rf"{kind} 'y0': (?!IndexError).*{axis}"):
        fastconv.onnx.load(model(nodes, arrays, outputs=results, opset=23))(X)
