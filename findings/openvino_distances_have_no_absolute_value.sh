#!/usr/bin/env bash
# Expected: torch.cdist and pairwise_distance keep their norm in OpenVINO, or the conversion refuses p other than 2.
# What happens: the conversion takes differences to the power p without their absolute value. With p = 1 positive and
#   negative differences cancel (5 instead of 11), and a negative sum gives NaN or stays negative; so with 3, 1.5 and
#   others. p = inf, the largest difference, gives 1 everywhere, and p = 0, the number of different values, inf. p = 2
#   is right. So is pairwise_distance by way of torch.export, which takes it apart first; traced, it is wrong as well.
#   vector_norm has the absolute value in both.
# Why it matters: L1 distances of features (matching, nearest prototypes, k-means layers) keep their shape, and NaN does
#   not appear where the differences happen to be positive. Write (x[:, None] - y[None]).abs().sum(-1).
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 openvino==2026.4.1 \
    packaging==26.4
CI=true "$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
from importlib.metadata import version

import numpy as np
import openvino
import torch
from torch import nn

print(*(f"{name} {version(name)}" for name in ("openvino", "torch")))
core = openvino.Core()


class Call(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x, y):
        return self.function(x, y)


def converted(function, x, y, trace):
    module = Call(function).eval()
    if trace:
        model = openvino.convert_model(module, example_input=(x, y))
    else:
        model = openvino.convert_model(torch.export.export(module, (x, y)))
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled([x.numpy(), y.numpy()])[0].ravel()


def cdist(p):
    return lambda x, y: torch.cdist(x, y, p=p)


def pairwise(p):
    return lambda x, y: nn.functional.pairwise_distance(x, y, p=p, eps=0)


def written(x, y):
    return (x[:, None] - y[None]).abs().sum(-1)


nan, inf = np.nan, np.inf
x, y = torch.tensor([[5.0, 1]]), torch.tensor([[-3.0, 4], [6, 7], [1, 0]])
for text, function, trace, got in (
    ("cdist, p=2", cdist(2), False, [8.54, 6.08, 4.12]),
    ("cdist, p=1", cdist(1), False, [5, nan, 5]),
    ("cdist, p=1, traced", cdist(1), True, [5, nan, 5]),
    ("cdist, p=3", cdist(3), False, [7.86, nan, 4.02]),
    ("cdist, p=inf", cdist(inf), False, [1, 1, 1]),
    ("cdist, p=0", cdist(0), False, [inf, inf, inf]),
    ("pairwise_distance, p=1", pairwise(1), False, [11, 7, 5]),
    ("pairwise_distance, p=1, traced", pairwise(1), True, [5, -7, 5]),
    ("abs and sum", written, False, [11, 7, 5]),
):
    right, result = function(x, y).numpy().ravel(), converted(function, x, y, trace)
    print(f"{text}: torch {right.round(2)}, OpenVINO {result.round(2)}")
    assert np.allclose(result, got, atol=0.01, equal_nan=True)
    assert np.allclose(result, right, atol=0.01) == (text in {"cdist, p=2", "pairwise_distance, p=1", "abs and sum"})
EOF
