#!/usr/bin/env bash
# Expected: torch.fx.experimental.optimization.fuse folds batch norms into convolutions only where that is right; it
#   does leave a convolution alone whose result has two readers.
# What happens: a convolution *module* that is called twice (shared between branches, scales or steps) is folded at
#   one call, and its weights change for the other call too; with a norm at each call the second norm is folded on top
#   of the first. The values are wrong by as much as the values are large; no warning.
# Why it matters: heads shared by the levels of a pyramid (EfficientDet: one convolution, a norm a level) have this
#   form. Fold by call and copy the weights; count the callers of a module, not the readers of a node.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0
"$dir/venv/bin/python" - <<'EOF'
import torch
from torch import nn
from torch.fx.experimental.optimization import fuse

print("torch", torch.__version__)
torch.manual_seed(0)


def norm():
    layer = nn.BatchNorm2d(4)
    layer.running_mean.normal_()
    layer.running_var.uniform_(0.5, 2)
    return layer


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv, self.conv2, self.norm1, self.norm2 = nn.Conv2d(4, 4, 1), nn.Conv2d(4, 4, 1), norm(), norm()


class NormAtEachCall(Network):
    def forward(self, x):
        return self.norm1(self.conv(x)) + self.norm2(self.conv(x + 1))


class NormAtOneCall(Network):
    def forward(self, x):
        return self.norm1(self.conv(x)) + self.conv(x + 1)


class NotShared(Network):
    def forward(self, x):
        return self.norm1(self.conv(x)) + self.norm2(self.conv2(x + 1))


x = torch.randn(1, 4, 5, 5)
for network, right in ((NormAtEachCall, False), (NormAtOneCall, False), (NotShared, True)):
    model = network().eval()
    error = (fuse(model)(x) - model(x)).abs().max().item()
    print(f"{network.__name__}: fused differs from unfused by {error:.2g}")
    assert (error < 1e-5) == right
EOF
