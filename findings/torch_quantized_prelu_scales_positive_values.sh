#!/usr/bin/env bash
# Expected: a PReLU that torch's FX quantisation converts multiplies negative values by its slope and leaves positive
#   ones as they are, up to the steps of 8 bits.
# What happens: it computes positive values as slope · x with the slope 1 rounded to the steps of the weights; these
#   hold what the slopes need and no more. With the default slope of 0.25 the 3 becomes 0.75, with 0.5 it becomes 1.5,
#   with -0.5 and with 0 every positive value is 0. No warning says so. LeakyReLU is right, PReLU with the slope 1 too.
# Why it matters: networks for faces and super-resolution have a PReLU behind every convolution. The quantised network
#   is linear there: size, speed and the sign of each value are right, the accuracy is gone. Both engines do so.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0
"$dir/venv/bin/python" -W ignore - <<'EOF'
import torch
from torch import nn
from torch.ao.quantization import get_default_qconfig_mapping
from torch.ao.quantization.quantize_fx import convert_fx, prepare_fx

torch.set_grad_enabled(False)
print("torch", torch.__version__)
x = torch.linspace(-3, 3, 9).reshape(1, 1, 3, 3)


def quantised(layer, engine):
    torch.backends.quantized.engine = engine
    prepared = prepare_fx(nn.Sequential(layer).eval(), get_default_qconfig_mapping(engine), (x,))
    prepared(x)
    return convert_fx(prepared)(x)


for engine in ("x86", "qnnpack"):
    for slope in (0.25, 0.5, -0.5, 0.0, 1.0):
        layer = nn.PReLU(init=slope)
        got = quantised(layer, engine)
        print(f"{engine}, slope {slope}: {got[x > 0].numpy().round(2)}, right {x[x > 0].numpy().round(2)}")
        # negative values: right wherever the result's range, made for the right values, holds them
        assert torch.allclose(got[x < 0], layer(x)[x < 0], atol=0.05)
        assert torch.allclose(got[x > 0], x[x > 0] * max(slope, 0), atol=0.05)
    leaky = nn.LeakyReLU(0.25)
    assert torch.allclose(quantised(leaky, engine), leaky(x), atol=0.05)
EOF
