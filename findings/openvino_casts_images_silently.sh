#!/usr/bin/env bash
# Expected: a network whose input is uint8 refuses an image of floats, as ONNX Runtime does, or rounds it; it refuses
#   300 or clips it to 255.
# What happens: OpenVINO's Python interface calls astype(the input's type) on every array, without a word. An image of
#   0..1 becomes all 0 (1.0 alone stays 1), 254.7 becomes 254, integers are taken modulo 256: 300 is 44, -1 is 255.
#   A list of the same numbers is refused.
# Why it matters: networks with their preprocessing inside (PrePostProcessor) and quantised ones take uint8; whoever
#   goes on feeding the floats of before gets a black image's result, of the right shape and type.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 \
  openvino==2026.4.1
CI=true "$dir/venv/bin/python" - "$dir/net.onnx" <<'EOF'
import sys

import numpy as np
import onnx
import onnxruntime as ort
import openvino as ov
from onnx import TensorProto, helper

print("openvino", ov.__version__, "onnxruntime", ort.__version__)
x = helper.make_tensor_value_info("x", TensorProto.UINT8, [1, 1, 1, 3])
y = helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 1, 1, 3])
cast = helper.make_node("Cast", ["x"], ["y"], to=TensorProto.FLOAT)
graph = helper.make_graph([cast], "g", [x], [y])
onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), sys.argv[1])
net = ov.Core().compile_model(sys.argv[1], "CPU")
session = ort.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])


def refuses(run, image):
    try:
        run(image)
    except Exception:
        return True
    return False


for pixels, right in (
    (np.array([0.5, 0.999, 1.0], np.float32), [0, 0, 1]),
    (np.array([0.5, 127.7, 254.7], np.float64), [0, 127, 254]),
    (np.array([300, -1, 1000], np.int64), [44, 255, 232]),
):
    image = pixels.reshape(1, 1, 1, 3)
    got = net(image)[0].ravel().tolist()
    by_ort = refuses(lambda image: session.run(None, {"x": image}), image)
    print(f"{pixels} of {image.dtype} arrives as {got}; ONNX Runtime refuses it: {by_ort}")
    assert got == right and by_ort and refuses(net, image.tolist())
EOF
