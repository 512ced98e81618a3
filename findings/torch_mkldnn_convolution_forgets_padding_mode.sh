#!/usr/bin/env bash
# Expected: torch.utils.mkldnn.to_mkldnn, and torch.fx's optimize_for_inference that calls it, keep what a module
#   computes, or raise for a layer that they cannot convert.
# What happens: a Conv2d with padding_mode "circular", "reflect" or "replicate" is converted to one that pads with
#   zeros, without a word. The inside is right, the border is not. String paddings ("same") raise.
# Why it matters: the function is there to make a trained network faster, and such padding is that of networks for
#   panoramas, weather on the globe and image restoration; the seam that it was to remove is back. torch.jit's functions
#   keep it.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0
"$dir/venv/bin/python" -W ignore - <<'EOF'
import copy

import torch
import torch.nn.functional as F
from torch import nn
from torch.fx.experimental.optimization import optimize_for_inference
from torch.utils.mkldnn import to_mkldnn

torch.set_grad_enabled(False)
torch.manual_seed(0)
print("torch", torch.__version__)
x = torch.randn(2, 4, 9, 9)
for mode in ("zeros", "circular", "reflect", "replicate"):
    layer = nn.Conv2d(4, 4, 3, padding=1, padding_mode=mode).eval()
    network = nn.Sequential(layer, nn.ReLU(), nn.Conv2d(4, 4, 1)).eval()
    zeros = copy.deepcopy(network)
    zeros[0].padding_mode = "zeros"
    converted = to_mkldnn(copy.deepcopy(layer))(x.to_mkldnn()).to_dense()
    optimised = optimize_for_inference(copy.deepcopy(network))(x)
    scripted = torch.jit.optimize_for_inference(torch.jit.script(copy.deepcopy(network)))(x)
    errors = [abs(got - right).max().item() for got, right in ((converted, layer(x)), (optimised, network(x)))]
    print(f"{mode}: to_mkldnn is {errors[0]:.2g} off, fx's optimize_for_inference {errors[1]:.2g}")
    assert all(error < 1e-4 for error in errors) if mode == "zeros" else all(error > 0.1 for error in errors)
    assert torch.allclose(converted, F.conv2d(x, layer.weight, layer.bias, padding=1), atol=1e-4)
    assert torch.allclose(optimised, zeros(x), atol=1e-4) and torch.allclose(scripted, network(x), atol=1e-4)
EOF
