#!/usr/bin/env bash
# Expected: a forward hook that is registered on a layer of a compiled module runs from the next call on, as in eager
#   mode; a changed attribute of the module is noticed too.
# What happens: dynamo does not guard that there are no hooks (skip_nnmodule_hook_guards is True): one that comes after the
#   first call is never run, without a word. One that was there at the first call and is removed does stop.
# Why it matters: hooks that read features, clip activations or count calls stay silent. Register them before the first
#   call, call torch.compiler.reset(), or set torch._dynamo.config.skip_nnmodule_hook_guards = False.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0
"$dir/venv/bin/python" - <<'EOF'
import torch
from torch import nn

print("torch", torch.__version__)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(4, 4)

    def forward(self, x):
        return self.layer(x)


x, seen = torch.ones(2, 4), {}
for skips in (True, False):
    torch._dynamo.reset()
    torch._dynamo.config.skip_nnmodule_hook_guards = skips
    network = Network()
    compiled = torch.compile(network, backend="eager")
    compiled(x)
    network.layer.register_forward_hook(lambda module, given, y: torch.full_like(y, 7))
    seen[skips] = bool((compiled(x) == 7).all())
    print(f"skip_nnmodule_hook_guards = {skips}: the later hook {'runs' if seen[skips] else 'does not run'}")
assert seen == {True: False, False: True}
EOF
