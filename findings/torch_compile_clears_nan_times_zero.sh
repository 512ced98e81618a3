#!/usr/bin/env bash
# Expected: NaN and inf times 0 are NaN under torch.compile as they are without, and 0, False and 0.0 are one factor.
# What happens: inductor takes x * 0, 0 * x and x * False for zeros and does not look at x; x * 0.0 and products with an
#   array of zeros are NaN. (x * 0).sum() of a broken tensor is 0 compiled, and -0.0 becomes 0. x - x, x / x and x ** 0
#   are as without torch.compile.
# Why it matters: "+ 0 * x.sum()" keeps unused parameters or heads in a loss, and a NaN in them stopped the training
#   before the model was compiled; checks of a kernel by x * 0 == 0 pass for all values. Ask torch.isfinite.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0
TORCHINDUCTOR_CACHE_DIR="$dir/cache" "$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { tail -5 "$dir/log"; exit 1; }
import torch

print("torch", torch.__version__)
x = torch.tensor([torch.nan, torch.inf, -1, 2])
print("x", x.tolist())
for text, function, kept in (
    ("x * 0", lambda x: x * 0, False),
    ("0 * x", lambda x: 0 * x, False),
    ("x * False", lambda x: x * False, False),
    ("(x * 0).sum()", lambda x: (x * 0).sum(), False),
    ("x * 0.0", lambda x: x * 0.0, True),
    ("x * torch.zeros(4)", lambda x: x * torch.zeros(4), True),
    ("x - x", lambda x: x - x, True),
    ("x / x", lambda x: x / x, True),
):
    eager, compiled = function(x), torch.compile(function)(x)
    print(f"{text}: {eager.tolist()}, compiled {compiled.tolist()}")
    assert eager.isnan().any() and torch.equal(eager.isnan(), compiled.isnan()) == kept
    assert kept or (compiled == 0).all()
EOF
