#!/usr/bin/env bash
# Expected: // of PyTorch's integers rounds down, as torch.floor_divide and torch.div(rounding_mode="floor") say: -7 //
#   2 is -4, and q · b + a % b is a.
# What happens: OpenVINO converts them for int32 and int64 to a division that rounds toward zero: -7 // 2 is -3, by
#   torch.export and by tracing. a % b is floored, so the two no longer fit each other. For float32 all are right.
# Why it matters: relative positions, shifts of windows and indices around a centre are negative and are divided by a
#   stride or a bucket; they land one place off, in a row that exists. Numbers that are never negative show nothing.
#   Divide as float and take the floor.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 openvino==2026.4.1 \
    packaging==26.4
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
from importlib.metadata import version

import numpy as np
import openvino as ov
import torch
from torch import nn

print(*(f"{name} {version(name)}" for name in ("openvino", "torch")))


class Call(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, a, b):
        return self.function(a, b)


def compiled(function, a, b):
    exported = ov.convert_model(torch.export.export(Call(function), (a, b)))
    traced = ov.convert_model(Call(function), example_input=(a, b))
    results = [ov.Core().compile_model(model, "CPU")([a.numpy(), b.numpy()])[0] for model in (exported, traced)]
    assert np.array_equal(*results)
    return results[0]


numbers = torch.tensor([-7, -7, -1, 7, 7, -8]), torch.tensor([2, -2, 3, -2, 2, 4])
for dtype in (torch.int64, torch.int32, torch.float32):
    a, b = (x.to(dtype) for x in numbers)
    for text, function in (
        ("a // b", lambda a, b: a // b),
        ("div, floor", lambda a, b: torch.div(a, b, rounding_mode="floor")),
        ("div, trunc", lambda a, b: torch.div(a, b, rounding_mode="trunc")),
        ("a % b", lambda a, b: a % b),
    ):
        right, got = function(a, b).numpy(), compiled(function, a, b)
        print(f"{dtype} {text} of {a.tolist()} by {b.tolist()}: torch {right}, OpenVINO {got}")
        cut = dtype != torch.float32 and text in ("a // b", "div, floor")
        assert np.array_equal(got, torch.div(a, b, rounding_mode="trunc").numpy() if cut else right)
        assert np.array_equal(got, right) != cut
EOF
