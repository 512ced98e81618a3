#!/usr/bin/env bash
# Expected: ONNX Runtime's graph optimisations keep what a model computes; a layer norm that is written as nodes is
#   recognised by what it computes, the operands of Sub and Div and the exponent of Pow among it.
# What happens: LayerNormFusion asks for a Sub, Div and Pow, not for their order or for the 2. (mean - x) / std becomes
#   (x - mean) / std, with the sign lost; std / (x - mean) becomes its inverse; and a mean of |x - mean| to the 4th, or
#   any other exponent, the variance. From opset 17 on this is so at the level "basic" already, before that from
#   "extended" on, and at the default always. With Mul(d, d) for the square, or no optimisation, all are right.
# Why it matters: the sign of a normalised value is free, since the learned factor takes it up, so a network may well
#   have been trained with mean - x, and norms by other moments exist. The error is that of a wrong network. Write the
#   square as a product, or compare with the level ORT_DISABLE_ALL once.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
"$dir/venv/bin/python" - <<'EOF'
import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper, parser

print("onnx", onnx.__version__, "onnxruntime", ort.__version__)
x = np.array([[1, 2, 3, 7]], np.float32)
factor, bias = np.array([1, 1, 2, 2], np.float32), np.array([0, 1, 0, 1], np.float32)
inits = {"axis": np.array([-1]), "eps": np.float32(1e-6), "factor": factor, "bias": bias}


def run(body, opset, exponent, level):
    graph = f"g (float[1,4] x) => (float[1,4] y) {{m = ReduceMean(x, axis) {body} y = Add(scaled, bias)}}"
    if opset < 18:
        graph = graph.replace("ReduceMean(x, axis)", "ReduceMean<axes=[-1]>(x)")
        graph = graph.replace("ReduceMean(q, axis)", "ReduceMean<axes=[-1]>(q)")
    model = parser.parse_model(f'<ir_version: 8, opset_import: ["": {opset}]> {graph}')
    for name, value in (inits | {"exponent": np.float32(exponent)}).items():
        if f", {name})" in graph:
            model.graph.initializer.append(numpy_helper.from_array(value, name))
    options = ort.SessionOptions()
    options.graph_optimization_level = getattr(ort.GraphOptimizationLevel, f"ORT_{level}")
    session = ort.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return session.run(None, {"x": x})[0]


rest = "v = ReduceMean(q, axis) e = Add(v, eps) s = Sqrt(e)"
norm = f"d = Sub(x, m) q = Pow(d, exponent) {rest} n = Div(d, s) scaled = Mul(n, factor)"
turned = norm.replace("Sub(x, m)", "Sub(m, x)")
for text, body, exponent, kept in (
    ("(x - mean) / std", norm, 2, True),
    ("(mean - x) / std", turned, 2, False),
    ("std / (x - mean)", norm.replace("Div(d, s)", "Div(s, d)"), 2, False),
    ("(x - mean) / root of the fourth moment", norm, 4, False),
    ("(mean - x) / std, square by Mul", turned.replace("Pow(d, exponent)", "Mul(d, d)"), 2, True),
):
    for opset, level in ((16, "ENABLE_BASIC"), (16, "ENABLE_EXTENDED"), (20, "ENABLE_BASIC"), (20, "ENABLE_ALL")):
        right, got = (run(body, opset, exponent, name) for name in ("DISABLE_ALL", level))
        with np.printoptions(precision=3, suppress=True):
            print(f"{text}, opset {opset}, {level}: {got[0]}, without optimisation {right[0]}")
        assert np.allclose(right, got, atol=1e-4) == (kept or (opset, level) == (16, "ENABLE_BASIC"))
        if not kept and level == "ENABLE_ALL":
            assert np.allclose(got, run(norm, opset, 2, "DISABLE_ALL"), atol=1e-4)
EOF
