#!/usr/bin/env bash
# Expected: onnx.version_converter keeps what a network computes, or raises: an importer may bring every file to one
#   opset first and read that opset alone.
# What happens: a linear Upsample-9 or Resize-10 (whose grid is "asymmetric") becomes a Resize of opset 11 or later
#   without coordinate_transformation_mode, which means "half_pixel"; Hardmax, which flattened up to opset 12, goes
#   along one axis afterwards. Both pass check_model(full_check=True). Softmax, the same case, is converted rightly.
# Why it matters: an upsampling network (U-Net, FPN, YOLO) gives other feature maps without a word. Read each opset as
#   it is, or write the mode into the old nodes' successors yourself.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
"$dir/venv/bin/python" - <<'EOF'
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper, version_converter

print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__)
x = np.random.default_rng(0).standard_normal((1, 4, 5, 5)).astype(np.float32)
scales = numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32), "scales")


def run(model):
    return onnxruntime.InferenceSession(model.SerializeToString()).run(None, {"x": x})[0]


def change(op, opset, shape, inputs=("x",), **attributes):
    node = helper.make_node(op, inputs, ["y"], **attributes)
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("x", x.shape), ("y", shape))]
    graph = helper.make_graph([node], "g", values[:1], values[1:], [scales] if "scales" in inputs else [])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)], ir_version=7)
    converted = version_converter.convert_version(model, 17)
    onnx.checker.check_model(converted, full_check=True)
    difference = abs(run(model) - run(converted)).max()
    print(f"{op} of opset {opset}, converted to opset 17: results differ by {difference:.3g}")
    return difference


assert change("Upsample", 9, (1, 4, 10, 10), ("x", "scales"), mode="linear") > 0.1
assert change("Resize", 10, (1, 4, 10, 10), ("x", "scales"), mode="linear") > 0.1
assert change("Hardmax", 11, x.shape, axis=1) == 1
assert change("Softmax", 11, x.shape, axis=1) < 1e-6
EOF
