#!/usr/bin/env bash
# Expected: a module compiled by inductor with freezing=True either keeps its weights as constants, so that
#   load_state_dict after the first call changes nothing, or follows the new ones.
# What happens: after load_state_dict the next call computes with the *old weights and the new biases* of convolutions,
#   silently: only what was packed is a constant. And freezing happens only under no_grad or inference_mode; else the
#   option is passed over without a word, and every change is followed.
# Why it matters: whoever compiles once and loads checkpoints later, or averages weights, serves a network that never
#   existed. A race that forgets no_grad times the unfrozen code under the name of the frozen.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0
TORCHINDUCTOR_CACHE_DIR="$dir/cache" "$dir/venv/bin/python" - <<'EOF'
import torch
import torch._inductor.config
import torch.nn.functional as F
from torch import nn

print("torch", torch.__version__)
torch._inductor.config.freezing = True
torch.manual_seed(0)
x = torch.randn(1, 64, 28, 28)


def run(weights, biases):
    y = F.relu(F.conv2d(x, weights["0.weight"], biases["0.bias"], padding=1))
    return F.conv2d(y, weights["2.weight"], biases["2.bias"])


seen = {}
for mode in (torch.no_grad, torch.enable_grad):
    net = nn.Sequential(nn.Conv2d(64, 64, 3, padding=1), nn.ReLU(), nn.Conv2d(64, 64, 1)).eval()
    old = {name: array.clone() for name, array in net.state_dict().items()}
    new = {name: torch.randn_like(array) / 10 for name, array in old.items()}
    with mode():
        compiled = torch.compile(net)
        compiled(x)
        net.load_state_dict(new)
        y = compiled(x)
    with torch.no_grad():
        pairs = {"old": (old, old), "new": (new, new), "old weights, new biases": (old, new)}
        seen[mode.__name__] = [name for name, pair in pairs.items() if torch.allclose(y, run(*pair), atol=1e-3)]
    print(f"{mode.__name__}: after load_state_dict it computes with {seen[mode.__name__]}")
assert seen == {"no_grad": ["old weights, new biases"], "enable_grad": ["new"]}
EOF
