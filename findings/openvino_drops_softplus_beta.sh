#!/usr/bin/env bash
# Expected: ov.convert_model(torch_module) either translates an operation with its arguments or names it as not
#   supported, as it does for divisor_override of average pools.
# What happens: of a traced module it drops some arguments without a word. Softplus(beta, threshold) becomes the one
#   of beta 1, round(x, decimals=1) rounds to integers, var(correction=2) computes with correction 1.
# Why it matters: Softplus(beta=100), a smooth ReLU, stands in networks of signed distances, depth and variance: 0
#   becomes 0.69 in every unit. By way of torch.export both forms of Softplus come out right.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 openvino==2026.4.1 \
  packaging==26.4
CI=true "$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
import numpy as np
import openvino as ov
import torch
from torch import nn

print("openvino", ov.__version__, "torch", torch.__version__)
x = torch.linspace(-3, 3, 7) * 1.03


class Call(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def run(module, exported):
    source = torch.export.export(module, (x,)) if exported else module
    return ov.Core().compile_model(ov.convert_model(source, example_input=x), "CPU")(x.numpy())[0]


for text, function, plain, export_is_right in (
    ("Softplus()", nn.Softplus(), None, True),
    ("Softplus(beta=100)", nn.Softplus(beta=100), nn.Softplus(), True),
    ("Softplus(threshold=1)", nn.Softplus(threshold=1), nn.Softplus(), True),
    ("round(decimals=1)", lambda x: torch.round(x, decimals=1), torch.round, None),
    ("var(correction=2)", lambda x: x.var(0, correction=2), lambda x: x.var(0), None),
):
    module = Call(function).eval()
    right, got = module(x).numpy(), run(module, exported=False)
    print(f"{text}: torch {right.round(3)}, openvino {got.round(3)}")
    is_right = np.allclose(got, right, atol=1e-4)
    assert is_right == (plain is None)
    assert is_right or np.allclose(got, plain(x).numpy(), atol=1e-4)
    if export_is_right:
        assert np.allclose(run(module, exported=True), right, atol=1e-4)
EOF
