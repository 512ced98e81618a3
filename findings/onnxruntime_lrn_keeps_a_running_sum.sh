#!/usr/bin/env bash
# Expected: local response normalisation divides a value by what its own window of channels holds, so a large value
#   two windows away changes nothing.
# What happens: ONNX Runtime's CPU kernel moves one sum of squares from channel to channel, adding the one that enters
#   and subtracting the one that leaves, in float32 and with the bias in it. Behind a channel of 1e6 the later channels
#   of that pixel are inf, behind a NaN every later one is NaN; right are ordinary numbers three channels on.
# Why it matters: AlexNet and GoogLeNet normalise so. A single saturated channel ruins the pixel, and a comparison with
#   another engine on random images shows nothing.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
"$dir/venv/bin/python" - <<'EOF'
import numpy as np
import onnxruntime as ort
from onnx import TensorProto, helper

SIZE, ALPHA, BETA = 3, 1.0, 0.75
print("onnxruntime", ort.__version__)
x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "xy")
node = helper.make_node("LRN", ["x"], ["y"], size=SIZE, alpha=ALPHA, beta=BETA, bias=1.0)
opset = [helper.make_opsetid("", 17)]
model = helper.make_model(helper.make_graph([node], "g", [x], [y]), opset_imports=opset, ir_version=9)
session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def right(x):
    squares = np.pad(x.astype(float) ** 2, 1)
    return x / (1 + ALPHA / SIZE * (squares[:-2] + squares[1:-1] + squares[2:])) ** BETA


seen = {}
for value in (1.0, 1e6, np.nan):
    channels = np.ones(8, np.float32)
    channels[1] = value
    got = session.run(None, {"x": channels.reshape(1, 8, 1, 1)})[0].ravel()
    seen[value] = got
    print(f"channel 1 is {value:g}: channels 3 to 6 are {got[3:7]}, right {right(channels)[3:7].round(4)}")
    assert np.allclose(right(channels)[3:7], right(np.ones(8))[3:7])
assert np.allclose(seen[1.0], right(np.ones(8, np.float32)), rtol=1e-5)
assert np.isinf(seen[1e6][3:7]).all() and np.isnan(seen[np.nan][3:]).all()
EOF
