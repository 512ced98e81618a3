#!/usr/bin/env bash
# Expected: the counters of multiplications for PyTorch agree about one convolution, up to the factor two of "one
#   multiply-add is two operations"; and a transposed convolution costs C·K·R·S for each pixel of its *input*.
# What happens: torch's own counter gives 2 for a multiply-add, fvcore, torchinfo and thop 1, all under the name of
#   operations or "mult-adds". For a transposed convolution of stride 2 torchinfo and thop count four times too many
#   (they take the output's pixels). A Linear that runs on every pixel of a map torchinfo counts once for the whole
#   map. torchinfo counts biases as multiplications. A functional convolution is one pixel to torchinfo and nothing to thop.
# Why it matters: papers quote these figures. U-Nets, decoders and vision transformers come out wrong by up to four
#   times or by the number of pixels, and a sum of two tools is off by two.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 torchinfo==1.8.0 \
    fvcore==0.1.5.post20221221
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps thop==0.1.1.post2209072238
"$dir/venv/bin/python" - 2>/dev/null <<'EOF'
import logging
from importlib.metadata import version

import thop
import torch
import torch.nn.functional as F
import torchinfo
from fvcore.nn import FlopCountAnalysis
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

logging.disable(logging.CRITICAL)
print(*(f"{name} {version(name)}" for name in ("torch", "torchinfo", "fvcore", "thop")))


class Pixels(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(8, 16, bias=False)

    def forward(self, x):
        return self.linear(x.permute(0, 2, 3, 1))


class Functional(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(16, 8, 3, 3))

    def forward(self, x):
        return F.conv2d(x, self.weight, padding=1)


def count(module, x):
    module.eval()
    with FlopCounterMode(display=False) as counter:
        module(x)
    counts = [
        counter.get_total_flops(),
        FlopCountAnalysis(module, x).total(),
        torchinfo.summary(module, input_data=x, verbose=0).total_mult_adds,
        thop.profile(module, (x,), verbose=False)[0],
    ]
    return [int(n) for n in counts]


x = torch.ones(1, 8, 10, 10)
modules = {  # each with the multiplications that it takes
    "conv 3×3": (nn.Conv2d(8, 16, 3, padding=1, bias=False), 8 * 16 * 9 * 100),
    "conv 3×3 with bias": (nn.Conv2d(8, 16, 3, padding=1), 8 * 16 * 9 * 100),
    "transposed 4×4, stride 2": (nn.ConvTranspose2d(8, 16, 4, stride=2, padding=1, bias=False), 8 * 16 * 16 * 100),
    "linear on each pixel": (Pixels(), 8 * 16 * 100),
    "functional 3×3": (Functional(), 8 * 16 * 9 * 100),
}
ratios = {}
print(f"{'multiplications, and':26} {'true':>8} {'torch':>8} {'fvcore':>8} {'torchinfo':>9} {'thop':>8}")
for name, (module, true) in modules.items():
    counts = count(module, x)
    ratios[name] = [n / true for n in counts]
    print(f"{name:26} {true:8} {counts[0]:8} {counts[1]:8} {counts[2]:9} {counts[3]:8}")
assert all(two == 2 and one == 1 for two, one, *_ in ratios.values())
assert ratios["conv 3×3"][2:] == [1, 1] and ratios["conv 3×3 with bias"][2] > 1 == ratios["conv 3×3 with bias"][3]
assert ratios["transposed 4×4, stride 2"][2:] == [4, 4]
assert ratios["linear on each pixel"][2:] == [0.01, 1] and ratios["functional 3×3"][2:] == [0.01, 0]
EOF
