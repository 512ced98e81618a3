#!/usr/bin/env bash
# Expected: TVM's from_exported_program translates an operator of torch with its arguments, or names it as not supported,
#   as it does for adaptive_max_pool2d.
# What happens: the factor alpha of torch.add, torch.sub, torch.rsub and x.add_ is dropped, for tensors and for numbers,
#   and the factor 1.0507 of SELU: both give other values without a word. torch.add(x, y, alpha=0.1) is x + y.
# Why it matters: residual scaling (Inception-ResNet, EDSR and ESRGAN: x + 0.1 * branch) and sums of losses or averages
#   are written with alpha, and some code generators do so. The shapes are right. Write x + 0.1 * y, which is right.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 apache-tvm==0.27.0.post1
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOS' || { cat "$dir/log"; exit 1; }
import numpy as np
import torch
import tvm
from torch import nn
from tvm import relax
from tvm.relax.frontend.torch import from_exported_program

print("apache-tvm", tvm.__version__, "torch", torch.__version__)


class Call(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x, y):
        return self.function(x, y)


def compiled(module, *inputs):
    program = tvm.compile(from_exported_program(torch.export.export(module, inputs)), target="llvm")
    return relax.VirtualMachine(program, tvm.cpu())["main"](*(tvm.runtime.tensor(x.numpy()) for x in inputs))[0].numpy()


x, y = torch.arange(-2, 4, dtype=torch.float32), torch.full((6,), 10.0)
scale = 1.0507009873554805
for text, function, without in (
    ("x + 0.1 * y", lambda x, y: x + 0.1 * y, None),
    ("add(x, y, alpha=0.1)", lambda x, y: torch.add(x, y, alpha=0.1), lambda x, y: x + y),
    ("add(x, 10, alpha=0.1)", lambda x, y: torch.add(x, 10, alpha=0.1) + 0 * y, lambda x, y: x + 10),
    ("sub(x, y, alpha=0.1)", lambda x, y: torch.sub(x, y, alpha=0.1), lambda x, y: x - y),
    ("rsub(x, y, alpha=0.1)", lambda x, y: torch.rsub(x, y, alpha=0.1), lambda x, y: y - x),
    ("(2 * x).add_(y, alpha=0.1)", lambda x, y: (2 * x).add_(y, alpha=0.1), lambda x, y: 2 * x + y),
    ("selu(x)", lambda x, y: nn.functional.selu(x) + 0 * y, lambda x, y: nn.functional.selu(x) / scale),
):
    right, got = function(x, y).numpy(), compiled(Call(function), x, y)
    print(f"{text}: torch {right.round(3)}, TVM {got.round(3)}")
    known = right if without is None else without(x, y).numpy()
    assert np.allclose(got, known, atol=1e-5) and np.allclose(got, right, atol=0.05) == (without is None)
EOS
