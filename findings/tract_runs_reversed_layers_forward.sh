#!/usr/bin/env bash
# Expected: direction="reverse" of an RNN, GRU or LSTM in an ONNX file begins with the last time step, as ONNX says and
#   ONNX Runtime computes; an engine that does not know it refuses.
# What happens: tract takes "reverse" for "forward", for all three: the result is that of the same weights read from the
#   first step on, in Y and in Y_h, without a word. "bidirectional" is right in both halves.
# Why it matters: layers that read backwards are half of what recognisers of text and speech are made of, and stand
#   alone where their two ways were exported as two layers. Shapes are right, and the numbers look like any others.
#   Reverse the sequence around the layer with a Slice of step -1, or write it as bidirectional and drop a half.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 \
    tract==0.23.9
"$dir/venv/bin/python" - "$dir/net.onnx" <<'EOF'
import sys

import numpy as np
import onnx
import onnxruntime as ort
import tract
from onnx import TensorProto, helper, numpy_helper

print("tract", tract.version(), "onnxruntime", ort.__version__)
rng = np.random.default_rng(0)
STEPS, INPUTS, HIDDEN = 5, 3, 4
x = rng.standard_normal((STEPS, 1, INPUTS), np.float32)


def run(layer, direction, weights, output):
    """The results of ONNX Runtime and of tract."""
    outputs = [name if name == output else "" for name in ("Y", "Y_h")]
    node = helper.make_node(layer, ["x", *weights], outputs, hidden_size=HIDDEN, direction=direction)
    values = [helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)]
    values += [helper.make_tensor_value_info(output, TensorProto.FLOAT, None)]
    constants = [numpy_helper.from_array(array, name) for name, array in weights.items()]
    graph = helper.make_graph([node], "g", values[:1], values[1:], constants)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), sys.argv[1])
    right = ort.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
    return right, tract.onnx().load(sys.argv[1]).into_model().into_runnable().run([x])[0].to_numpy()


for layer, gates in (("RNN", 1), ("GRU", 3), ("LSTM", 4)):
    for output in ("Y", "Y_h"):
        for direction in ("forward", "bidirectional", "reverse"):
            shapes = {"W": (gates * HIDDEN, INPUTS), "R": (gates * HIDDEN, HIDDEN), "B": (2 * gates * HIDDEN,)}
            ways = 2 if direction == "bidirectional" else 1
            weights = {name: rng.standard_normal((ways, *shape), np.float32) for name, shape in shapes.items()}
            right, got = run(layer, direction, weights, output)
            print(f"{layer}, {direction}, {output}: largest difference {abs(got - right).max():.2g}")
            if direction == "reverse":
                assert abs(got - right).max() > 0.1
                right, _ = run(layer, "forward", weights, output)
            assert np.allclose(got, right, atol=1e-4)
EOF
