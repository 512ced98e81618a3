#!/usr/bin/env bash
# Expected: Resize of a uint8 image with linear interpolation rounds its results to the nearest byte; an image of one
#   grey stays that grey.
# What happens: ONNX Runtime computes in float32 and cuts the fraction off. A plain 200 enlarged from 64 to 100 pixels
#   has places of 199, where the float32 result is 199.99998; over random images the mean is 0.49 lower than that of the
#   float32 Resize. With antialias=1 it rounds. OpenVINO rounds.
# Why it matters: networks that carry their preprocessing take bytes and resize first. Every activation then stems from
#   a darker image than in training, and a comparison at the bytes differs by 1 in half of the places.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 \
  openvino==2026.4.1
"$dir/venv/bin/python" - <<'EOF'
import numpy as np
import onnxruntime as ort
import openvino as ov
from onnx import TensorProto, helper, numpy_helper

print("onnxruntime", ort.__version__, "openvino", ov.__version__)


def model(dtype, **settings):
    node = helper.make_node("Resize", ["x", "", "", "sizes"], ["y"], mode="linear", **settings)
    x = helper.make_tensor_value_info("x", dtype, [1, 3, 64, 64])
    y = helper.make_tensor_value_info("y", dtype, [1, 3, 100, 100])
    sizes = numpy_helper.from_array(np.array([1, 3, 100, 100]), "sizes")
    opset = [helper.make_opsetid("", 18)]
    graph = helper.make_graph([node], "g", [x], [y], [sizes])
    return helper.make_model(graph, opset_imports=opset, ir_version=9).SerializeToString()


def resized(image, dtype, **settings):
    session = ort.InferenceSession(model(dtype, **settings), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": image})[0]


image = np.random.default_rng(0).integers(0, 256, (1, 3, 64, 64), np.uint8)
right = resized(image.astype(np.float32), TensorProto.FLOAT)
got = resized(image, TensorProto.UINT8)
smooth = resized(image, TensorProto.UINT8, antialias=1)
core = ov.Core()
openvino = core.compile_model(core.read_model(model(TensorProto.UINT8)), "CPU")(image)[0]
same = np.array_equal(got, np.floor(right))
print(f"mean of bytes less mean of float32: {got.mean() - right.mean():.3f} (equal to its floor: {same})")
print(f"with antialias {smooth.mean() - right.mean():.3f}, OpenVINO {openvino.mean() - right.mean():.3f}")
plain = np.full_like(image, 200)
values = [np.unique(a).tolist() for a in (resized(plain, TensorProto.UINT8), resized(plain, TensorProto.UINT8, antialias=1))]
print("an image of 200s holds", values[0], "and with antialias", values[1])
assert same and got.mean() - right.mean() < -0.4 and values == [[199, 200], [200]]
assert abs(smooth.mean() - right.mean()) < 0.25 and abs(openvino.mean() - right.mean()) < 0.05
assert abs(openvino - right).max() < 0.51
EOF
