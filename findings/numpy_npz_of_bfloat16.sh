#!/usr/bin/env bash
# Expected: np.savez keeps bfloat16 and float8 arrays (ml_dtypes), or refuses them.
# What happens: it saves all of them without a word. bfloat16, float8_e4m3fn and int4 come back as raw bytes, dtype V2
#   or V1, with which no arithmetic works and which no longer say what they were (float8_e4m3fn and int4 look alike);
#   the file of a float8_e5m2 array cannot be read at all, since its dtype is written as "<f1".
# Why it matters: .npz is the simplest file for weights; a half-precision one loses its types when it is written,
#   which is noticed when it is read. Save a.view(np.uint16) and the dtype's name, and read V2 as an error that says
#   so.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 ml_dtypes==0.6.0
"$dir/venv/bin/python" -W error - "$dir/weights.npz" <<'EOF'
import sys

import ml_dtypes
import numpy as np

print("numpy", np.__version__, "ml_dtypes", ml_dtypes.__version__)
seen = {}
for name in ("bfloat16", "float8_e4m3fn", "int4", "float8_e5m2"):
    np.savez(sys.argv[1], weight=np.ones(4, getattr(ml_dtypes, name)))
    try:
        weight = np.load(sys.argv[1])["weight"]
        seen[name] = str(weight.dtype)
        print(f"{name}: loaded as {weight.dtype}, kind {weight.dtype.kind}: {weight}")
    except ValueError as error:
        seen[name] = "ValueError"
        print(f"{name}: saved; loading raises {error}")
assert seen == {"bfloat16": "|V2", "float8_e4m3fn": "|V1", "int4": "|V1", "float8_e5m2": "ValueError"}
EOF
