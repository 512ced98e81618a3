#!/usr/bin/env bash
# Expected: avg_pool2d of a quantised tensor takes count_include_pad and divisor_override as it does of a float one, for
#   every quantised engine, or raises.
# What happens: the engine "qnnpack" leaves both out without a word: with count_include_pad=False the padding is counted
#   still, so that a plain 2 is 0.9 in the corner and 1.35 at the edge, and divisor_override=3 of a 3×3 window gives the
#   mean, 2, instead of 6. The engine "x86" is right in both.
# Why it matters: the pools of Inception do not count the padding, and the border of the quantised network is dark then,
#   on one engine of two. A check with the default engine of a PC says nothing about the phone's.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0
"$dir/venv/bin/python" -W ignore - <<'EOF'
import torch
import torch.nn.functional as F

print("torch", torch.__version__)
x = torch.full((1, 1, 4, 4), 2.0)
cases = (
    ({"padding": 1}, None),
    ({"padding": 1, "count_include_pad": False}, [8 / 9, 4 / 3, 4 / 3, 2]),
    ({"divisor_override": 3}, [2.0]),
    ({"ceil_mode": True}, None),
)
for options, known in cases:
    right = F.avg_pool2d(x, 3, 2, **options).flatten()
    for engine in ("x86", "qnnpack"):
        torch.backends.quantized.engine = engine
        quantised = torch.quantize_per_tensor(x, 0.05, 64, torch.quint8)
        got = F.avg_pool2d(quantised, 3, 2, **options).dequantize().flatten()
        print(f"{options}, {engine}: {got.numpy().round(2).tolist()}, float {right.numpy().round(2).tolist()}")
        wrong = engine == "qnnpack" and known is not None
        assert torch.allclose(got, torch.tensor(known) if wrong else right, atol=0.05)
        assert not wrong or not torch.allclose(got, right, atol=0.5)
EOF
