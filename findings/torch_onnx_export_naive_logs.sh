#!/usr/bin/env bash
# Expected: logsigmoid, logaddexp, expm1 and log1p exist because the plain formulas overflow or lose digits; a model
#   exported to ONNX computes them as exactly as PyTorch, as it does for logsumexp and softplus.
# What happens: torch.onnx.export writes Log(Sigmoid(x)), Log(Exp(x) + Exp(y)), Exp(x) - 1 and Log(1 + x). In ONNX
#   Runtime logsigmoid(-20) is -inf and logsigmoid(-16) is off by 0.6, logaddexp(100, 100) is inf, expm1(1e-8) and
#   log1p(1e-8) are 0. binary_cross_entropy_with_logits, made of logsigmoid, is inf for a confident wrong logit of -100.
# Why it matters: these are written for just those values: losses, log-probabilities, beams, CTC, small rates. Nothing
#   warns. Write -softplus(-x) for logsigmoid and logsumexp of a stack for logaddexp: both are right.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 onnx==1.23.2 \
    onnxscript==0.7.2 onnxruntime==1.32.0
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
from importlib.metadata import version

import numpy as np
import onnxruntime as ort
import torch
from torch import nn
from torch.nn import functional as F

print(*(f"{name} {version(name)}" for name in ("torch", "onnxscript", "onnxruntime")))


class Call(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def exported(function, x):
    model = torch.onnx.export(Call(function).eval(), (x,), verbose=False).model_proto
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: x.numpy()})[0], [node.op_type for node in model.graph.node]


def entropy(x):
    return F.binary_cross_entropy_with_logits(x, torch.ones_like(x), reduction="none")


for text, function, values, kept in (
    ("logsigmoid", F.logsigmoid, [-16, -20, -100], False),
    ("-softplus(-x)", lambda x: -F.softplus(-x), [-16, -20, -100], True),
    ("logaddexp(x, x)", lambda x: torch.logaddexp(x, x), [1, 100, -110], False),
    ("logsumexp([x, x])", lambda x: torch.stack([x, x]).logsumexp(0), [1, 100, -110], True),
    ("binary_cross_entropy_with_logits", entropy, [-10, -100], False),
    ("expm1", torch.expm1, [1e-8, 1e-4], False),
    ("log1p", torch.log1p, [1e-8, 1e-4], False),
):
    x = torch.tensor(values, dtype=torch.float32)
    right, (got, nodes) = function(x).numpy(), exported(function, x)
    print(f"{text} of {values}: torch {right}, exported {got} as {nodes}")
    assert np.allclose(got, right, rtol=0.001, atol=0) == kept
EOF
