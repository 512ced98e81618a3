#!/usr/bin/env bash
# Expected: pnnx converts F.pad(x, pads, mode="circular") to what it is, or refuses it: ncnn has reflected and repeated
#   borders, both of which come out right.
# What happens: ncnn pads with zeros, and pnnx writes nothing about it and ends with 0. For a Conv2d with
#   padding_mode="circular" it prints one line, "unsupported padding_mode circular", among its others, ends with 0 as
#   well and writes a convolution that runs, with zeros at the border.
# Why it matters: panoramas, weather on a globe and textures that tile are padded so. The inner pixels are right and the
#   sizes too, so that one seam is wrong, which grows with each layer.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 ncnn==1.0.20261020 \
  pnnx==20261020
cd "$dir"
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOS' || { cat "$dir/log"; exit 1; }
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import ncnn
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

print(*(f"{name} {version(name)}" for name in ("pnnx", "ncnn", "torch")))
C = 2
image = torch.arange(1.0, 19.0).reshape(1, C, 3, 3)


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


torch.manual_seed(0)
convolution = nn.Conv2d(C, 1, 3, padding=1, padding_mode="circular")
zeros = F.conv2d(image, convolution.weight, convolution.bias, padding=1)[0].detach().numpy()
for name, function, known in (
    ("reflect", lambda x: F.pad(x, (1, 1, 1, 1), mode="reflect"), None),
    ("replicate", lambda x: F.pad(x, (1, 1, 1, 1), mode="replicate"), None),
    ("circular", lambda x: F.pad(x, (1, 1, 1, 1), mode="circular"), F.pad(image, (1, 1, 1, 1))[0].numpy()),
    ("circular_pad", nn.CircularPad2d(1), F.pad(image, (1, 1, 1, 1))[0].numpy()),
    ("circular_convolution", convolution, zeros),
):
    right, got, warned = compare(function, name)
    print(f"{name}: first row in torch {right[0, 0].round(2)}, in ncnn {got[0, 0].round(2)}, pnnx warned: {warned}")
    assert np.allclose(got, right if known is None else known, atol=1e-3)
    assert np.allclose(got, right, atol=1e-3) == (known is None) and warned == (name == "circular_convolution")
EOS
