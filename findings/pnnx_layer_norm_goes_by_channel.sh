#!/usr/bin/env bash
# Expected: nn.LayerNorm((C, H, W)) on an image is converted to one mean and one variance for the image, or refused:
#   pnnx writes its 0=18, the number of values, into ncnn's file.
# What happens: ncnn's LayerNorm knows rows and planes only. Any other number it takes for a plane: each channel gets its
#   own mean and variance, as in an instance norm. Neither pnnx nor ncnn says a word. LayerNorm((H, W)) and LayerNorm(W)
#   are right.
# Why it matters: recurrent and generative convolution networks normalise whole images. Which channel is the strong one
#   is lost, while all values stay in their usual range. GroupNorm(1, C), which has the same mean and variance, is right.
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
from torch import nn

print(*(f"{name} {version(name)}" for name in ("pnnx", "ncnn", "torch")))
C, H, W = 2, 3, 3
image = torch.arange(C * H * W, dtype=torch.float32).reshape(1, C, H, W)


def by_ncnn(norm, name):
    same = nn.Conv2d(C, C, 1, bias=False)
    same.weight.data = torch.eye(C)[:, :, None, None]
    network = nn.Sequential()
    network.add_module("same", same)  # tells pnnx which axis is the batch
    network.add_module("norm", norm)
    torch.jit.trace(network.eval(), image).save(f"{name}.pt")
    subprocess.run([Path(sys.prefix, "bin", "pnnx"), f"{name}.pt", f"inputshape=[1,{C},{H},{W}]", "fp16=0"], check=True,
                   capture_output=True)
    net = ncnn.Net()
    assert net.load_param(f"{name}.ncnn.param") == net.load_model(f"{name}.ncnn.bin") == 0
    given = np.ascontiguousarray(image[0].numpy())
    extractor = net.create_extractor()
    extractor.input("in0", ncnn.Mat(given))
    return np.array(extractor.extract("out0")[1])


for name, norm in (("layer_chw", nn.LayerNorm((C, H, W))), ("layer_hw", nn.LayerNorm((H, W))),
                   ("layer_w", nn.LayerNorm(W)), ("one_group", nn.GroupNorm(1, C))):
    right, got = norm(image)[0].detach().numpy(), by_ncnn(norm, name)
    print(f"{name}: torch {right.ravel().round(2)}, ncnn {got.ravel().round(2)}")
    assert np.allclose(got, right, atol=1e-3) == (name != "layer_chw")
    by_channel = nn.functional.instance_norm(image)[0].numpy()
    assert name != "layer_chw" or np.allclose(got, by_channel, atol=1e-3)
EOS
