#!/usr/bin/env bash
# Expected: torch.nn.utils.fusion.fuse_conv_bn_eval is handed the layer itself, so it knows a ConvTranspose2d from a
#   Conv2d; and with transpose=True it folds any transposed convolution.
# What happens: without transpose=True it scales a transposed convolution's *input* channels and says nothing where
#   they are as many as the outputs. With transpose=True it raises for every groups > 1, from inside the arithmetic;
#   for groups = channels (depthwise upsampling) the call *without* transpose=True is the right one.
# Why it matters: decoders and super-resolution networks end in such layers; whoever folds by this function, or copies
#   its axis rule, gets wrong images. The scale belongs on axis 1 within each group: w.view(groups, C/groups,
#   K/groups, R, S).
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0
"$dir/venv/bin/python" - <<'EOF'
import torch
from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

print("torch", torch.__version__)
torch.manual_seed(0)
x = torch.randn(1, 4, 5, 5)
norm = nn.BatchNorm2d(4).eval()
norm.running_mean.normal_()
norm.running_var.uniform_(0.5, 2)
norm.weight.data.normal_()
seen = {}
for groups in (1, 2, 4):
    conv = nn.ConvTranspose2d(4, 4, 3, groups=groups).eval()
    for transpose in (False, True):
        try:
            error = (fuse_conv_bn_eval(conv, norm, transpose=transpose)(x) - norm(conv(x))).abs().max().item()
            seen[groups, transpose] = "right" if error < 1e-5 else "wrong"
            print(f"groups={groups}, transpose={transpose}: off by {error:.2g}")
        except RuntimeError as error:
            seen[groups, transpose] = "raises"
            print(f"groups={groups}, transpose={transpose}: {str(error)[:90]}")
assert [seen[1, t] for t in (False, True)] == ["wrong", "right"]
assert [seen[2, t] for t in (False, True)] == ["wrong", "raises"]
assert [seen[4, t] for t in (False, True)] == ["right", "raises"]
EOF
