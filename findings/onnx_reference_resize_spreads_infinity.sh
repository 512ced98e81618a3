#!/usr/bin/env bash
# Expected: Resize with mode "nearest" copies pixels: each value of the result is one of the image's.
# What happens: the onnx library's own evaluator interpolates between pixels with weights 0 and 1. An infinite pixel
#   comes out as the largest finite float32, and as NaN in the pixels beside it, although none of them is its copy.
#   ONNX Runtime copies it.
# Why it matters: the evaluator is the usual oracle for Resize, where engines differ most. For maps with masks of -inf,
#   as before a softmax, it is the one that is wrong.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
"$dir/venv/bin/python" -W ignore - <<'EOF'
import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

print("onnx", onnx.__version__, "onnxruntime", ort.__version__)
scales = numpy_helper.from_array(np.array([1, 1, 1, 2], np.float32), "scales")
node = helper.make_node("Resize", ["x", "", "scales"], ["y"], mode="nearest")
x = helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 1, 1, 4])
y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 1, 8])
graph = helper.make_graph([node], "g", [x], [y], [scales])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=9)
onnx.checker.check_model(model, full_check=True)
image = np.array([0, np.inf, 0, 0], np.float32).reshape(1, 1, 1, 4)
feeds = {"x": image}
reference = ReferenceEvaluator(model).run(None, feeds)[0].ravel()
engine = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, feeds)[0].ravel()
print("image", image.ravel(), "each pixel twice", np.repeat(image, 2))
print("onnx.reference", reference)
print("ONNX Runtime  ", engine)
assert (engine == np.repeat(image, 2)).all()
largest = np.finfo(np.float32).max
assert (reference[2:4] == largest).all() and np.isnan(reference[[1, 4]]).all() and (reference[[0, 5, 6, 7]] == 0).all()
EOF
