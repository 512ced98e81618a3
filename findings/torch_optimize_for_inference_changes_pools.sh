#!/usr/bin/env bash
# Expected: torch.jit.optimize_for_inference and torch.fx.experimental.optimization.optimize_for_inference compute what
#   the module computes, but for the last bits; what oneDNN cannot do stays outside its part.
# What happens: behind a convolution both hand the following layers to oneDNN's tensors. An average pool with
#   ceil_mode=True that counts its padding then divides the windows cut off at the last border by the whole window, 9,
#   instead of by the part of it on image and padding: a corner of 25 becomes 11.1. With count_include_pad=False, or
#   where nothing is cut off, it is right. In the fx one the in-place method relu_ works on a copy: y.relu_() + y adds
#   the old y.
# Why it matters: average pools with ceil_mode are in what came from Caffe, whose pools all are so, and in-place methods
#   before a shortcut in many others. Operators and arguments that oneDNN lacks (a divisor_override, a dilated max pool,
#   gelu by tanh) raise at the first call; these two do not. Compare once with the plain module.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { tail -5 "$dir/log"; exit 1; }
import torch
from torch import nn
from torch.fx.experimental.optimization import optimize_for_inference
from torch.nn import functional as F

print("torch", torch.__version__)


class Net(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.first, self.second = nn.Conv2d(1, 1, 1, bias=False), nn.Conv2d(1, 1, 1, bias=False)
        self.function = function
        for weight in self.parameters():
            nn.init.ones_(weight)

    def forward(self, x):
        return self.second(self.function(self.first(x)))


def jit(net, x):
    return torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.trace(net, x.clone())))(x.clone())


def fx(net, x):
    return optimize_for_inference(net)(x.clone())


def pool(x, **options):
    return F.avg_pool2d(x, 3, 2, 1, ceil_mode=True, **options)


right, wrong = True, False
with torch.no_grad():
    for text, function, in_jit, in_fx in (
        ("avg_pool2d, ceil_mode", pool, wrong, wrong),
        ("the same of 5 × 5, nothing cut off", pool, right, right),
        ("padding not counted", lambda x: pool(x, count_include_pad=False), right, right),
        ("y.relu_() + y, y of -100", lambda x: x.relu_() + x, right, wrong),
    ):
        size, value = (5 if "5 × 5" in text else 4), (-100.0 if "-100" in text else 100.0)
        net, x = Net(function).eval(), torch.full((1, 1, size, size), value)
        results = [run(net, x)[0, 0, -1, -1].item() for run in (lambda net, x: net(x.clone()), jit, fx)]
        print(f"{text}: last corner {results[0]:.2f}, by way of the jit {results[1]:.2f}, of fx {results[2]:.2f}")
        assert [abs(result - results[0]) < 0.01 for result in results[1:]] == [in_jit, in_fx]
EOF
