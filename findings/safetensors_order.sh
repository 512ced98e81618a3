#!/usr/bin/env bash
# Expected: safetensors gives tensors back in the order of the dict that was saved, as npz and pickle do, or at least
#   in one order.
# What happens: the file is sorted by size of element, then by name ("conv10" before "conv2"), and so is load_file;
#   safe_open's keys() are sorted by name alone; load(bytes) has an order that changes from one process to the next.
# Why it matters: an importer that takes weights by position, the first kernel for the first convolution, works on a
#   file of one dtype with few layers and fails from the tenth layer on, or every now and then. Go by name only.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 safetensors==0.8.0
cat > "$dir/order.py" <<'EOF'
import subprocess
import sys

import numpy as np
import safetensors
from safetensors.numpy import load, load_file, save_file

path = sys.argv[1] + "/weights.safetensors"
if sys.argv[2:] == ["load"]:
    print(*load(open(path, "rb").read()))
    sys.exit()
print("numpy", np.__version__, "safetensors", safetensors.__version__)
weights = {f"conv{i}": np.zeros(3, np.float32 if i > 2 else np.float16) for i in range(1, 12)}
save_file(weights, path)
with safetensors.safe_open(path, "numpy") as file:
    keys = list(file.keys())
loads = [subprocess.run([sys.executable, *sys.argv, "load"], capture_output=True, text=True).stdout for _ in range(4)]
for name, order in {"saved": weights, "load_file": load_file(path), "keys()": keys}.items():
    print(f"{name + ':':10}", *order)
print("load, in four processes:")
print(*(f"           {order}" for order in loads), sep="", end="")
assert list(load_file(path)) == ["conv10", "conv11", *(f"conv{i}" for i in range(3, 10)), "conv1", "conv2"]
assert keys == sorted(weights)
assert len(set(loads)) > 1
EOF
"$dir/venv/bin/python" "$dir/order.py" "$dir"
