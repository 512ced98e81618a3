#!/usr/bin/env bash
# Expected: TVM's from_exported_program keeps which pixels torch's interpolate and grid_sample take, as it does for
#   "nearest-exact", "bicubic" and "area", or names what it does not support.
# What happens: "nearest" becomes "nearest-exact": 8 to 2 takes columns 2 and 6 for 0 and 4, 8 to 7 leaves 3 out; only
#   whole factors up and some sizes agree. A bilinear scale_factor of 1.3 becomes the sizes' ratio, 10/8; antialias is
#   dropped. grid_sample reads the grid (N, H, W, 2) as (N, 2, H, W): other values and another shape.
# Why it matters: label maps are shrunk with "nearest", and decoders that meet a skip connection of odd size interpolate
#   with size=. The shift of a pixel at most costs some accuracy, and no shape tells.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 apache-tvm==0.27.0.post1
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOS' || { cat "$dir/log"; exit 1; }
import numpy as np
import torch
import torch.nn.functional as F
import tvm
from torch import nn
from tvm import relax
from tvm.relax.frontend.torch import from_exported_program

print("apache-tvm", tvm.__version__, "torch", torch.__version__)


class Call(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


def compiled(function, *inputs):
    program = tvm.compile(from_exported_program(torch.export.export(Call(function), inputs)), target="llvm")
    return relax.VirtualMachine(program, tvm.cpu())["main"](*(tvm.runtime.tensor(x.numpy()) for x in inputs))[0].numpy()


def compare(text, function, *inputs):
    right, got = function(*inputs).numpy(), compiled(function, *inputs)
    same = right.shape == got.shape and np.allclose(right, got, atol=1e-4)
    print(f"{text}: torch {right.shape} {right[0, 0, 0].round(2)}, TVM {got.shape} {got[0, 0, 0].round(2)}")
    return same


columns = torch.arange(8.0).expand(1, 1, 8, 8).contiguous()
for mode, sizes, right in (("nearest", (2, 5, 7, 9), False), ("nearest", (4, 16, 24), True),
                           ("nearest-exact", (2, 5, 9), True), ("bilinear", (5, 9), True), ("bicubic", (12,), True)):
    for size in sizes:
        # 8 to 4 agrees because TVM rounds the halves down there
        assert compare(f"{mode} 8 to {size}", lambda x: F.interpolate(x, size=size, mode=mode), columns) == right
        if mode == "nearest" and size > 2 and not right:
            exact = F.interpolate(columns, size=size, mode="nearest-exact").numpy()
            assert np.array_equal(compiled(lambda x: F.interpolate(x, size=size), columns), exact)
for text, arguments in (
    ("bilinear, factor 1.3", {"scale_factor": 1.3, "mode": "bilinear"}),
    ("bilinear 8 to 3, antialias", {"size": 3, "mode": "bilinear", "antialias": True}),
):
    assert not compare(text, lambda x: F.interpolate(x, **arguments), columns)
grid = torch.linspace(-0.9, 0.9, 64).reshape(1, 2, 16, 2)
sampled = (lambda x, grid: F.grid_sample(x, grid, align_corners=False)), columns
assert not compare("grid_sample, grid (1, 2, 16, 2)", *sampled, grid)
assert compiled(*sampled, grid).shape == (1, 1, 16, 2)
EOS
