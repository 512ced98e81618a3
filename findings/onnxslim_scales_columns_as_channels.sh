#!/usr/bin/env bash
# Expected: onnxslim folds a factor behind a convolution into its weights where the factor goes by channel, (K, 1, 1) or
#   (1, K, 1, 1), and leaves one of shape (K,) alone: by ONNX's broadcasting that goes along the width.
# What happens: it folds any factor of K values. On a map as wide as it has channels, a Mul by column becomes a Mul by
#   channel, without a word; an Add of the same shape is left alone.
# Why it matters: window functions, position weights and masks by column have this shape, and square sizes like 64
#   channels of 64×64 are common. The sizes stay right, so only the values tell.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 \
  onnxslim==0.1.98
"$dir/venv/bin/python" - <<'EOS'
import numpy as np
import onnx
import onnxruntime as ort
import onnxslim
from onnx import TensorProto, helper, numpy_helper

print("onnxslim", onnxslim.__version__, "onnx", onnx.__version__)
CHANNELS = 4
rng = np.random.default_rng(0)
image = rng.standard_normal((1, CHANNELS, 6, 6), np.float32)
weight = rng.standard_normal((CHANNELS, CHANNELS, 3, 3), np.float32)


def run(model):
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": image})[0]


seen = {}
for operator in ("Mul", "Add"):
    for shape in ((CHANNELS, 1, 1), (CHANNELS,)):
        arrays = {"w": weight, "s": rng.standard_normal(shape, np.float32)}
        nodes = helper.make_node("Conv", ["x", "w"], ["t"]), helper.make_node(operator, ["t", "s"], ["y"])
        x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, CHANNELS, s, s]) for n, s in (("x", 6), ("y", 4)))
        constants = [numpy_helper.from_array(array, name) for name, array in arrays.items()]
        graph = helper.make_graph(nodes, "g", [x], [y], constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
        before = run(model)
        slim = onnxslim.slim(model)
        after = run(slim)
        operators, error = [node.op_type for node in slim.graph.node], abs(after - before).max()
        print(f"Conv, {operator} of shape {shape}: becomes {operators}, off by {error:.2g}")
        seen[operator, len(shape)] = len(operators), bool(error > 0.1)
assert seen == {("Mul", 3): (1, False), ("Mul", 1): (1, True), ("Add", 3): (1, False), ("Add", 1): (2, False)}, seen
EOS
