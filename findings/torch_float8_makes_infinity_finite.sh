#!/usr/bin/env bash
# Expected: one rule for values beyond the range of an 8-bit float, in all of its formats and packages: the largest
#   number, as ONNX's Cast does, or NaN and infinity. An infinite value never becomes an ordinary one.
# What happens: torch's .to() gives 448 for everything beyond in float8_e4m3fn, infinity too; float8_e5m2 gives infinity
#   instead and the fnuz formats NaN. ml_dtypes (NumPy, JAX) gives NaN in e4m3fn. ONNX Runtime's Cast saturates all
#   four.
# Why it matters: quantised weights and activations of one network have 448, inf or NaN in one place by the package that
#   cast them, and an overflow or a division by zero before a cast to e4m3fn leaves no trace in torch.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 ml_dtypes==0.6.0 \
  onnx==1.23.2 onnxruntime==1.32.0
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
import ml_dtypes
import numpy as np
import onnxruntime as ort
import torch
from onnx import TensorProto, helper

print("torch", torch.__version__, "ml_dtypes", ml_dtypes.__version__, "onnxruntime", ort.__version__)
x = np.array([440, 1e6, np.inf], np.float32)


def onnx_cast(kind):
    steps = (("x", "t", kind), ("t", "y", TensorProto.FLOAT))
    casts = [helper.make_node("Cast", [a], [b], to=to) for a, b, to in steps]
    values = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [3]) for name in "xy"]
    graph = helper.make_graph(casts, "g", values[:1], values[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


inf, nan = np.inf, np.nan
for name, by_torch, by_ml_dtypes, largest in (
    ("float8_e4m3fn", [448, 448, 448], [448, nan, nan], 448),
    ("float8_e5m2", [448, inf, inf], [448, inf, inf], 57344),
    ("float8_e4m3fnuz", [nan, nan, nan], [nan, nan, nan], 240),
    ("float8_e5m2fnuz", [448, nan, nan], [448, nan, nan], 57344),
):
    got = torch.from_numpy(x).to(getattr(torch, name)).float().numpy()
    with np.errstate(all="ignore"):
        numpys = x.astype(getattr(ml_dtypes, name)).astype(np.float32)
    onnxs = onnx_cast(getattr(TensorProto, name.upper().replace("_", "")))
    print(f"{name} of {x}: torch {got}, ml_dtypes {numpys}, onnxruntime {onnxs}")
    assert np.array_equal(got, by_torch, equal_nan=True) and np.array_equal(numpys, by_ml_dtypes, equal_nan=True)
    assert np.array_equal(onnxs, [min(448, largest), largest, largest])
EOF
