#!/usr/bin/env bash
# Expected: an image's result does not depend on the other images of its batch. Dynamic quantisation chooses the scale
#   of the activations when it runs, for every image.
# What happens: quantize_dynamic puts one DynamicQuantizeLinear in front of a convolution, and that takes the smallest
#   and the largest value of the whole batch. Beside an image that is 100 times as bright the error grows from 3 % of
#   the result's deviation to twice that deviation; alone, or in a batch of its like, the image is fine.
# Why it matters: accuracy measured with one batch size is not that of another, a service that gathers requests
#   answers one user by what others sent, and one bad image spoils a batch. Quantised statically, images do not mix.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
"$dir/venv/bin/python" - "$dir" 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
import sys

import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_dynamic, quantize_static

print("onnxruntime", ort.__version__)
plain, dynamic, static = (f"{sys.argv[1]}/{name}.onnx" for name in ("plain", "dynamic", "static"))
rng = np.random.default_rng(0)
images = rng.standard_normal((2, 4, 8, 8), np.float32)
images[1] *= 100
weight = rng.standard_normal((4, 4, 3, 3), np.float32)
x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 4, None, None]) for name in "xy")
conv = helper.make_node("Conv", ["x", "w"], ["y"])
graph = helper.make_graph([conv], "g", [x], [y], [numpy_helper.from_array(weight, "w")])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), plain)


class Batch(CalibrationDataReader):
    def __init__(self):
        self.batches = iter([{"x": images}])

    def get_next(self):
        return next(self.batches, None)


quantize_dynamic(plain, dynamic, weight_type=QuantType.QUInt8)
quantize_static(plain, static, Batch(), activation_type=QuantType.QUInt8, weight_type=QuantType.QUInt8)


def run(path, batch):
    """The first image's result."""
    return ort.InferenceSession(path, providers=["CPUExecutionProvider"]).run(None, {"x": batch})[0][0]


right = run(plain, images)
errors = {}
for name, batch in (("alone", images[:1]), ("beside a bright one", images), ("beside itself", images[[0, 0]])):
    errors[name] = abs(run(dynamic, batch) - right).max() / right.std()
    print(f"{name}: largest error {errors[name]:.3f} of the deviation")
assert max(errors["alone"], errors["beside itself"]) < 0.05 and errors["beside a bright one"] > 1
assert np.array_equal(run(dynamic, images[:1]), run(dynamic, images[[0, 0]]))
assert np.array_equal(run(static, images[:1]), run(static, images))
EOF
