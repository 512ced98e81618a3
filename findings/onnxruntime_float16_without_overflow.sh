#!/usr/bin/env bash
# Expected: a tensor that an ONNX file declares float16 is rounded to float16 between two nodes: a sum beyond 65504 is
#   inf there, at least with all graph optimisations switched off.
# What happens: ONNX Runtime's CPU provider casts to float32 before the first node and back after the last and keeps
#   float32 in between, at every optimisation level: a float16 network with values of 400,000 in its middle gives
#   finite results.
# Why it matters: a network converted to float16 and checked on a CPU can be all inf elsewhere, and an importer that
#   rounds as the file says differs from this oracle. Declare the middle tensor an output, and it is inf there.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
"$dir/venv/bin/python" - <<'EOF'
import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

print("onnx", onnx.__version__, "onnxruntime", ort.__version__)
x = np.full((1, 4, 2, 2), 1000, np.float16)
weight = numpy_helper.from_array(np.full((1, 4, 1, 1), 100, np.float16), "weight")
scale = numpy_helper.from_array(np.array(0.001, np.float16), "scale")


def network(outputs):
    nodes = [helper.make_node("Conv", ["x", "weight"], ["sum"]), helper.make_node("Mul", ["sum", "scale"], ["y"])]
    shapes = {"x": x.shape, "sum": (1, 1, 2, 2), "y": (1, 1, 2, 2)}
    info = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT16, shape) for name, shape in shapes.items()}
    graph = helper.make_graph(nodes, "g", [info["x"]], [info[name] for name in outputs], [weight, scale])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(outputs, level):
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    session = ort.InferenceSession(network(outputs).SerializeToString(), options, providers=["CPUExecutionProvider"])
    return [y.flat[0] for y in session.run(None, {"x": x})]


with np.errstate(over="ignore"):
    rounded = ReferenceEvaluator(network(["y"])).run(None, {"x": x})[0]
print("onnx.reference, which rounds between nodes: y =", rounded.flat[0])
for level in (ort.GraphOptimizationLevel.ORT_DISABLE_ALL, ort.GraphOptimizationLevel.ORT_ENABLE_ALL):
    (alone,), (total, y) = run(["y"], level), run(["sum", "y"], level)
    print(f"{level.name}: y = {alone}; with the sum as an output too: sum = {total}, y = {y}")
    assert np.isfinite(alone) and np.isinf(total)
EOF
