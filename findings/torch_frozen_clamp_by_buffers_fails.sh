#!/usr/bin/env bash
# Expected: inductor's freezing=True is an optimisation: what compiles without it compiles with it.
# What happens: a clamp whose bounds are buffers of no axes, after a convolution, raises from inside the compiler,
#   "'<=' not supported between instances of 'Constant' and 'Constant'": freezing made the bounds constants, which the
#   lowering of clamp compares as if they were numbers. Without freezing, or with Python numbers, it is right.
# Why it matters: learned or calibrated clips and exported ReLU6s come so (ONNX's Clip has its bounds as tensors, and
#   converters keep them as buffers). The error names neither the clamp nor the buffers.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0
TORCHINDUCTOR_CACHE_DIR="$dir/cache" "$dir/venv/bin/python" - 2>/dev/null <<'EOF'
import torch
import torch._inductor.config
from torch import nn

print("torch", torch.__version__)
torch.manual_seed(0)


class Clipped(nn.Module):
    def __init__(self, as_buffers):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 1)
        if as_buffers:
            self.register_buffer("low", torch.tensor(0.0))
            self.register_buffer("high", torch.tensor(6.0))
        else:
            self.low, self.high = 0.0, 6.0

    def forward(self, x):
        return torch.clamp(self.conv(x), self.low, self.high)


x, seen = torch.randn(1, 4, 5, 5), {}
for freezing in (False, True):
    for as_buffers in (False, True):
        torch._dynamo.reset()
        torch._inductor.config.freezing = freezing
        net = Clipped(as_buffers).eval()
        with torch.no_grad():
            try:
                seen[freezing, as_buffers] = str(torch.allclose(torch.compile(net)(x), net(x)))
            except Exception as error:
                seen[freezing, as_buffers] = f"{type(error).__name__}: {str(error).splitlines()[0]}"
        print(f"freezing={freezing}, bounds as {'buffers' if as_buffers else 'numbers'}: {seen[freezing, as_buffers]}")
failed = seen.pop((True, True))
assert "'<=' not supported" in failed and set(seen.values()) == {"True"}
EOF
