#!/usr/bin/env bash
# Expected: pnnx keeps the rounding of a division, or refuses it: torch.div(x, y, rounding_mode="floor") is x // y, and
#   x % y is what is left over, with the sign of y.
# What happens: in ncnn the first is x / y, without rounding, though x // y does round; rounding_mode="trunc" rounds down
#   instead of to zero; x % y is what is left over from the nearest multiple, between -y/2 and y/2. No word of it.
# Why it matters: cells of a grid, bins and phases of positions are computed so inside networks (quantisation in training,
#   windows, encodings of coordinates). All positive x hide the second, and x % y is right in half of the places. Write
#   torch.floor(x / y) and x - y * torch.floor(x / y), which are right.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 ncnn==1.0.20261020 \
  pnnx==20261020
cd "$dir"
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOS' || { cat "$dir/log"; exit 1; }
import math
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import ncnn
import numpy as np
import torch
from torch import nn

print(*(f"{name} {version(name)}" for name in ("pnnx", "ncnn", "torch")))
C, BY = 2, 2.0
image = (torch.arange(18.0) - 8.7).reshape(1, C, 3, 3)  # no multiple of BY, nor a half of it
numbers = image[0].numpy()


class Network(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.same = nn.Conv2d(C, C, 1, bias=False)  # tells pnnx which axis is the batch
        self.same.weight.data = torch.eye(C)[:, :, None, None]
        self.function = function

    def forward(self, x):
        return self.function(self.same(x))


def compare(function, name):
    network = Network(function).eval()
    torch.jit.trace(network, image).save(f"{name}.pt")
    command = [Path(sys.prefix, "bin", "pnnx"), f"{name}.pt", "inputshape=[1,2,3,3]", "fp16=0"]
    report = subprocess.run(command, check=True, capture_output=True, text=True)
    net = ncnn.Net()
    assert net.load_param(f"{name}.ncnn.param") == net.load_model(f"{name}.ncnn.bin") == 0
    given = np.ascontiguousarray(image[0].numpy())
    extractor = net.create_extractor()
    extractor.input("in0", ncnn.Mat(given))
    warned = "unsupported" in report.stdout + report.stderr
    return network(image)[0].detach().numpy(), np.array(extractor.extract("out0")[1]), warned


nearest = np.array([math.remainder(x, BY) for x in numbers.ravel().tolist()]).reshape(numbers.shape)
for name, function, known in (
    ("floor_of_quotient", lambda x: torch.floor(x / BY), None),
    ("double_slash", lambda x: x // BY, None),
    ("div_floor", lambda x: torch.div(x, BY, rounding_mode="floor"), numbers / BY),
    ("div_trunc", lambda x: torch.div(x, BY, rounding_mode="trunc"), np.floor(numbers / BY)),
    ("left_over", lambda x: x - BY * torch.floor(x / BY), None),
    ("percent", lambda x: x % BY, nearest),
):
    right, got, warned = compare(function, name)
    print(f"{name}: torch {right.ravel()[::3].round(2)}, ncnn {got.ravel()[::3].round(2)}")
    assert np.allclose(got, right if known is None else known, atol=1e-3) and not warned
    assert np.allclose(got, right, atol=1e-3) == (known is None)
EOS
