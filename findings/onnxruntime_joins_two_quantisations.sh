#!/usr/bin/env bash
# Expected: ONNX Runtime's optimisations keep what a file quantises: behind QuantizeLinear and DequantizeLinear with a
#   scale of 0.1 all values are multiples of 0.1, and two such pairs in a row with different scales round twice.
# What happens: from the level "basic" on it makes one pair of two and gives it a scale of its own, so that 255 steps
#   cover the range which both have: 0.1 behind 0.05 gives multiples of 0.05, and 0.1 twice with zero points of -28 and
#   28 gives multiples of 0.078. With ORT_DISABLE_ALL the file is computed as written. Two equal pairs lose nothing.
# Why it matters: the second pair is what hardware with that scale will compute; simulated so, each value is off by up to
#   half a step, classes at the border change and a comparison bit by bit with the accelerator fails. Two pairs come from
#   quantising each layer's input and output apart. Put session.disable_double_qdq_remover to "1".
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
"$dir/venv/bin/python" - <<'EOF'
import numpy as np
import onnxruntime as ort
from onnx import numpy_helper, parser

print("onnxruntime", ort.__version__)
x = np.linspace(-20, 20, 4001, dtype=np.float32)
BODY = """q = QuantizeLinear(x, s, z) d = DequantizeLinear(q, s, z)
          r = QuantizeLinear(d, t, w) y = DequantizeLinear(r, t, w)"""


def pair(x, scale, zero):
    return (np.clip(np.rint(x / np.float32(scale)) + zero, -128, 127) - zero) * np.float32(scale)


def run(constants, level, **entries):
    text = f'<ir_version: 9, opset_import: ["": 17]> g (float[{len(x)}] x) => (float[{len(x)}] y) {{{BODY}}}'
    model = parser.parse_model(text)
    model.graph.initializer.extend(numpy_helper.from_array(array, name) for name, array in constants.items())
    options = ort.SessionOptions()
    options.graph_optimization_level = level
    for key, value in entries.items():
        options.add_session_config_entry(f"session.{key}", value)
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


level = ort.GraphOptimizationLevel
for first, second, step in (
    ((0.1, 0), (0.1, 0), 0.1),
    ((0.05, 10), (0.1, 10), 0.05),
    ((0.1, -28), (0.1, 28), 0.078),
):
    constants = {name: np.array(value, np.float32) for name, value in zip("st", (first[0], second[0]))}
    constants |= {name: np.array(value, np.int8) for name, value in zip("zw", (first[1], second[1]))}
    right = pair(pair(x, *first), *second)
    plain, basic, kept = (
        run(constants, level.ORT_DISABLE_ALL),
        run(constants, level.ORT_ENABLE_BASIC),
        run(constants, level.ORT_ENABLE_ALL, disable_double_qdq_remover="1"),
    )
    found = np.diff(np.unique(basic)).min()
    print(f"pairs {first} and {second}: steps of {np.diff(np.unique(plain)).min():.4f}, optimised {found:.4f}; "
          f"off by {abs(basic - right).max():.4f}, with the entry by {abs(kept - right).max():.4f}")
    assert np.allclose(plain, right, atol=1e-5) and np.allclose(kept, right, atol=1e-5)
    assert np.isclose(found, step, atol=1e-3) and (abs(basic - right).max() > 0.04) == (step < 0.1)
EOF
