#!/usr/bin/env bash
# Expected: onnxscript's optimizer, which torch.onnx.export runs by default, keeps what a model computes: a value that
#   is clipped to [0, 1] and then to [2, 3] is 2, and Relu of a value clipped to [-6, -1] is 0.
# What happens: two Clips become one with the larger minimum and the smaller maximum. Where the two ranges do not meet,
#   its minimum is above its maximum, and ONNX defines Clip then as the maximum: 1 instead of 2, and -1 from a Relu.
#   Nothing is said, and the checker passes. Ranges that meet are joined rightly; Max of Min is left alone there.
# Why it matters: limits that are computed from data are read by nobody, and a Relu is taken for a promise that nothing
#   negative follows. Whoever joins clips must clip the first one's bounds by the second one's.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 onnx==1.23.2 \
    onnxscript==0.7.2 onnxruntime==1.32.0
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
from importlib.metadata import version

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import numpy_helper, parser
from onnxscript import optimizer

print(*(f"{name} {version(name)}" for name in ("onnxscript", "torch", "onnx", "onnxruntime")))
x = np.array([-10, -3, 0, 0.5, 2.5, 10], np.float32)


def run(model):
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x})[0]


for body, bounds, wrong in (
    ("t = Clip(x, a, b) y = Clip(t, c, d)", (0, 1, 2, 3), 1),
    ("t = Clip(x, a, b) y = Clip(t, c, d)", (2, 3, 0, 1), None),
    ("t = Clip(x, a, b) y = Clip(t, c, d)", (0, 2, 1, 3), None),
    ("t = Clip(x, a, b) y = Relu(t)", (-6, -1), -1),
    ("t = Clip(x, a, b) y = Relu(t)", (-6, 1), None),
    ("t = Min(x, a) y = Max(t, b)", (1, 2), None),
):
    text = f'<ir_version: 9, opset_import: ["": 20]> g (float[6] x) => (float[6] y) {{{body}}}'
    model = parser.parse_model(text)
    for name, bound in zip("abcd", bounds, strict=False):
        model.graph.initializer.append(numpy_helper.from_array(np.float32(bound), name))
    optimized = optimizer.optimize(model)
    onnx.checker.check_model(optimized, full_check=True)
    before, after = run(model), run(optimized)
    print(f"{body}, {bounds}: {before}, after {[node.op_type for node in optimized.graph.node]}: {after}")
    assert np.array_equal(after, before if wrong is None else np.full(6, wrong))
    assert np.array_equal(after, before) == (wrong is None)


class Net(torch.nn.Module):
    def forward(self, x):
        return x.clamp(-6.0, -1.0).relu()


right = Net()(torch.tensor(x)).numpy()
exported = run(torch.onnx.export(Net(), (torch.tensor(x),), verbose=False).model_proto)
print("x.clamp(-6, -1).relu(): torch", right, "exported", exported)
assert (right == 0).all() and (exported == -1).all()
EOF
