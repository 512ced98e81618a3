#!/usr/bin/env bash
# Expected: module.compile(), which compiles a module in place, does what torch.compile(module) does.
# What happens: for a class whose forward stands in torch itself, such as Sequential or Linear, the backend is never
#   called: dynamo skips torch's own files, and the wrapper that torch.compile puts around such a module is not there.
#   The module runs in eager mode, without a word.
# Why it matters: the blocks of a network are often Sequentials, and compiling them one by one ("regional compilation")
#   then gains nothing. Give them a class of their own, or put torch.compile(block) in their places.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0
"$dir/venv/bin/python" - <<'EOF'
import torch
from torch import nn

print("torch", torch.__version__)
calls = []


def backend(module, inputs):
    calls.append(module)
    return module


class Own(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return self.layer(x).relu()


def sequential():
    return nn.Sequential(nn.Linear(4, 4), nn.ReLU())


seen = {}
for name, make in {"Sequential": sequential, "Linear": lambda: nn.Linear(4, 4), "a class of one's own": Own}.items():
    for in_place in (False, True):
        torch._dynamo.reset()
        calls.clear()
        module = make()
        if in_place:
            module.compile(backend=backend)
        else:
            module = torch.compile(module, backend=backend)
        module(torch.ones(2, 4))
        seen[name, in_place] = len(calls)
        print(f"{name}, {'module.compile()' if in_place else 'torch.compile(module)'}: the backend had {len(calls)} calls")
assert [*seen.values()] == [1, 0, 1, 0, 1, 1]
EOF
