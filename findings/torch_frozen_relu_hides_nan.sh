#!/usr/bin/env bash
# Expected: torch.compile keeps a NaN that eager keeps. ReLU, ReLU6, Hardtanh and Hardsigmoid of PyTorch hand a NaN on,
#   compiled or not, and freezing is documented to inline weights and to fold constants.
# What happens: with torch._inductor.config.freezing a convolution and the activation behind it become one operation of
#   oneDNN, whose minima and maxima pass over a NaN: it becomes 0 behind a ReLU and a ReLU6, -1 behind a Hardtanh, and
#   1 behind a Hardsigmoid. Linear layers in front, activations alone, and leaky ReLU, Hardswish, SiLU,
#   sigmoid keep it; so does everything without freezing.
# Why it matters: a NaN is how a broken weight or pixel is noticed at the end of a network. The frozen network, the one
#   that goes into production, answers with finite numbers instead. Check the input and the weights, not the output.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0
cat > "$dir/frozen.py" <<'EOF'
import torch
import torch._inductor.config as config
from torch import nn

torch.set_num_threads(1)
x = torch.ones(1, 8, 6, 6)
x[..., 2, 2] = torch.nan
print("torch", torch.__version__)


def compiled(model, freezing):
    """What the compiled model makes of the NaN, in its first channel."""
    torch._dynamo.reset()
    config.freezing = freezing
    return torch.compile(model)(x)[0, 0, 2, 2].item()


with torch.no_grad():
    for activation, known in (
        (nn.ReLU(), 0), (nn.ReLU6(), 0), (nn.Hardtanh(), -1), (nn.Hardsigmoid(), 1), (nn.LeakyReLU(), None),
        (nn.SiLU(), None),
    ):
        models = [nn.Sequential(layer, activation).eval() for layer in (nn.Conv2d(8, 8, 1), nn.Linear(6, 6))]
        convolved, linear = (compiled(model, True) for model in models)
        plain = compiled(models[0], False)
        print(f"{activation} behind a convolution: {plain}, frozen {convolved}; behind a linear layer, frozen {linear}")
        assert all(model(x)[0, 0, 2, 2].isnan() for model in models) and plain != plain and linear != linear
        assert convolved != convolved if known is None else convolved == known
EOF
TORCHINDUCTOR_CACHE_DIR="$dir/cache" "$dir/venv/bin/python" "$dir/frozen.py" 2> "$dir/log" ||
    { tail -5 "$dir/log"; exit 1; }
