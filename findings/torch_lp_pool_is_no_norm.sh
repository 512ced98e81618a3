#!/usr/bin/env bash
# Expected: LPPool2d(p, window) is the p-norm of a window, the p-th root of the sum of |x|^p, as ONNX's LpPool; with
#   ceil_mode the last windows have fewer pixels and sum those.
# What happens: torch sums x^p without the absolute value. For p = 3 a window whose sum is negative is NaN, one of -1
#   and 1 is 0; p = 1 is the signed sum. With ceil_mode a window cut by the border is scaled up to a whole one: of ones
#   its norm of 3×3 is 3 everywhere. ONNX Runtime's LpPool of opset 18 gives the norm of the absolute values in each
#   case.
# Why it matters: even p without ceil_mode, the usual test, agrees. A port with p = 1 or 3, or on an odd size, is off by
#   sign, by factors at the last row and column, or gets NaN for good input.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 onnx==1.23.2 \
  onnxruntime==1.32.0
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
import numpy as np
import onnxruntime as ort
import torch
from onnx import TensorProto, helper

print("torch", torch.__version__, "onnxruntime", ort.__version__)


def pools(x, p, window, stride, ceil_mode=False):
    """The row of results of torch and of ONNX Runtime."""
    attributes = dict(kernel_shape=[1, window], strides=[1, stride], p=p, ceil_mode=int(ceil_mode))
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 1, 1, None]) for name in "xy"]
    graph = helper.make_graph([helper.make_node("LpPool", ["x"], ["y"], **attributes)], "g", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=8)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    x = np.array(x, np.float32).reshape(1, 1, 1, -1)
    pool = torch.nn.LPPool2d(p, (1, window), (1, stride), ceil_mode=ceil_mode)
    return pool(torch.from_numpy(x)).numpy().ravel(), session.run(None, {"x": x})[0].ravel()


for text, x, arguments, theirs, norm in (
    ("p = 2, signs", [3, -4, 3, 4], (2, 2, 2), [5, 5], [5, 5]),
    ("p = 1, signs", [3, -4, 3, 4], (1, 2, 2), [-1, 7], [7, 7]),
    ("p = 3, signs", [-1, 1, -1, -1], (3, 2, 2), [0, np.nan], [2 ** (1 / 3)] * 2),
    ("p = 2, ones, ceil_mode", [1, 1, 1, 1, 1, 1], (2, 4, 4, True), [2, 2], [2, 2**0.5]),
):
    got, ours = pools(x, *arguments)
    print(f"{text}: torch {got.round(3)}, onnxruntime {ours.round(3)}, norm {np.round(norm, 3)}")
    assert np.allclose(got, theirs, atol=1e-5, equal_nan=True) and np.allclose(ours, norm, atol=1e-5)
EOF
