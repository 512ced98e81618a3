#!/usr/bin/env bash
# Expected: torch.remainder(x, d), x % d, lies in 0 … d and is exact, as in NumPy and Python, and floor_divide fits to
#   it (1 // 0.1 is 9, since 0.1 is a little more); torch.compile, torch.onnx.export and OpenVINO keep that.
# What happens: all three take the floor of a rounded quotient and subtract in float32. 1e8 % 3 is 0 instead of 1, 1e30
#   % 0.3 is -7.6e22 instead of 0.0043, and 1 // 0.1 and 0.7 // 0.1 are 10 and 7 instead of 9 and 6. Small exact numbers
#   are right in all.
# Why it matters: phases (t % (2 · pi)), positions on a torus and hashed rows are indices afterwards: one outside its
#   range reads another bin or fails far from here. Compiling a model changes such values though nothing else differs.
#   Take remainders of integers, or in float64.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 onnx==1.23.2 \
    onnxscript==0.7.2 onnxruntime==1.32.0 openvino==2026.4.1 packaging==26.4
CI=true "$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
from importlib.metadata import version

import numpy as np
import onnxruntime as ort
import openvino
import torch
from torch import nn

print(*(f"{name} {version(name)}" for name in ("torch", "onnxscript", "onnxruntime", "openvino")))


class Call(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x, d):
        return self.function(x, d)


def compiled(function, x, d):
    return torch.compile(function)(x, d).numpy()


def exported(function, x, d):
    model = torch.onnx.export(Call(function).eval(), (x, d), verbose=False).model_proto
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, dict(zip((value.name for value in session.get_inputs()), (x.numpy(), d.numpy()))))[0]


def converted(function, x, d):
    model = openvino.convert_model(torch.export.export(Call(function).eval(), (x, d)))
    return openvino.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})([x.numpy(), d.numpy()])[0]


x = torch.tensor([1e8, 1e30, 1, 0.7, 7.5, 9])
d = torch.tensor([3, 0.3, 0.1, 0.1, 2, 4])
print("x", x.tolist(), "d", d.numpy())
for name, function in (("remainder", torch.remainder), ("floor_divide", torch.floor_divide)):
    right = function(x, d).numpy()
    print(f"{name}, torch", right)
    assert np.array_equal(right, getattr(np, name)(x.numpy(), d.numpy()))
    for engine in (compiled, exported, converted):
        got = engine(function, x, d)
        print(f"{name}, {engine.__name__}", got)
        assert np.array_equal(got[-2:], right[-2:])
        if name == "remainder":
            assert got[0] == 0 and got[1] < -1e20
        else:
            assert got[2] == 10 and got[3] == 7
EOF
