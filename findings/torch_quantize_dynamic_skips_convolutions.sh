#!/usr/bin/env bash
# Expected: a function that quantises a model's weights to 8 bits does so for its convolutions, above all where they are
#   named in the call; a type of layer that it cannot quantise raises or warns.
# What happens: torch.ao's quantize_dynamic(model, {nn.Conv2d, nn.Linear}) gives a model whose convolutions are the
#   float32 ones; so does torchao's quantize_(model, Int8WeightOnlyConfig()). Both quantise the linear layer and say
#   nothing of the others. A model of convolutions alone comes back as it was, its outputs equal bit by bit.
# Why it matters: the result is taken for the accuracy, speed and size of an int8 network that is float32 in nearly all
#   of its arithmetic. A comparison with an engine that quantises convolutions compares two types. Look at the modules.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 torchao==0.18.0
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
import copy
import warnings

import torch
import torchao
from torch import nn
from torch.ao.quantization import quantize_dynamic
from torchao.quantization import Int8WeightOnlyConfig, quantize_

print("torch", torch.__version__, "torchao", torchao.__version__)
torch.manual_seed(0)
image = torch.randn(1, 3, 16, 16)


def by_torchao(model):
    quantize_(model, Int8WeightOnlyConfig())
    return model


def by_torch(model):
    return quantize_dynamic(model, {nn.Conv2d, nn.Linear})


features = nn.Sequential(nn.Conv2d(3, 64, 3), nn.ReLU(), nn.Conv2d(64, 64, 3)).eval()
network = nn.Sequential(features, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 64)).eval()
for quantise in (by_torch, by_torchao):
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with torch.no_grad():
            whole, part = quantise(copy.deepcopy(network)), quantise(copy.deepcopy(features))
            same = torch.equal(part(image), features(image)), torch.equal(whole(image), network(image))
    said = [str(w.message) for w in said if "Conv" in str(w.message)]
    print(f"{quantise.__name__}: {part[0]} of {part[0].weight.dtype}, {whole[3]}, warnings of convolutions: {said}")
    print(f"  outputs equal to the float32 ones: convolutions alone {same[0]}, with the linear layer {same[1]}")
    assert type(part[0]) is nn.Conv2d and type(part[0].weight) is nn.Parameter and part[0].weight.dtype == torch.float32
    assert same == (True, False) and not said
EOF
