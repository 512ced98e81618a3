#!/usr/bin/env bash
# Expected: what a model computes from its weights alone has the same value whether it is computed when the model is
#   read, when it is compiled, or in each call.
# What happens: where a file of ONNX is read with read_model, or compiled by its name, OpenVINO's CPU takes |f(w)| of
#   constants for f(w): the absolute value of w - v, w · v, -w or tanh(w) keeps its sign, and its square root is NaN.
#   The mean of |w - mean(w)| is 0. |w| itself is right, and so is |x - v| of an input. ov.convert_model folds constants
#   before, by other code, and is right; nothing is said.
# Why it matters: scales of binary and ternary networks are the mean of |w - mean(w)|, and pruning and normalised
#   weights are written with an absolute value. Compare the results of both ways, or fold the constants before OpenVINO
#   sees them.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 openvino==2026.4.1
"$dir/venv/bin/python" - "$dir/net.onnx" 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
import sys
from importlib.metadata import version

import numpy as np
import onnx
import openvino as ov
from onnx import numpy_helper, parser
from onnx.reference import ReferenceEvaluator

print("openvino", version("openvino"))
x, weights, others = np.ones(4, np.float32), np.float32([-7.5, -2.5, 3, 5]), np.float32([2, -2, 1, 8])


def run(model):
    return ov.Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(x)[0]


for body, signed in (
    ("a = Abs(w) y = Mul(x, a)", None),
    ("t = Sub(x, v) y = Abs(t)", None),
    ("t = Sub(w, v) a = Abs(t) y = Mul(x, a)", weights - others),
    ("t = Mul(w, v) a = Abs(t) y = Mul(x, a)", weights * others),
    ("t = Neg(w) a = Abs(t) y = Mul(x, a)", -weights),
    ("t = Tanh(w) a = Abs(t) r = Sqrt(a) y = Mul(x, r)", [np.nan, np.nan, *np.sqrt(np.tanh(weights[2:]))]),
    ("m = ReduceMean(w) t = Sub(w, m) a = Abs(t) s = ReduceMean(a) y = Mul(x, s)", np.zeros(4)),
):
    text = f'<ir_version: 9, opset_import: ["": 20]> g (float[4] x) => (float[4] y) {{{body}}}'
    model = parser.parse_model(text)
    model.graph.initializer.extend([numpy_helper.from_array(weights, "w"), numpy_helper.from_array(others, "v")])
    onnx.save(model, sys.argv[1])
    right = ReferenceEvaluator(model).run(None, {"x": x})[0]
    got = [run(model) for model in (sys.argv[1], ov.Core().read_model(sys.argv[1]), ov.convert_model(sys.argv[1]))]
    print(f"{body}: right {right.round(3)}, compiled by name {got[0].round(3)}, converted {got[2].round(3)}")
    assert np.array_equal(got[0], got[1], equal_nan=True) and np.allclose(got[2], right, atol=1e-5)
    assert np.allclose(got[0], right if signed is None else signed, atol=1e-5, equal_nan=True)
    assert np.allclose(got[0], right, atol=1e-5) == (signed is None)
EOF
