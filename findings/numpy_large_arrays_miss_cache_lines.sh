#!/usr/bin/env bash
# Expected: the larger a NumPy array, the better aligned: a large one comes in whole pages from the system, so it
#   begins at a multiple of 64 bytes.
# What happens: from 32 MiB on (often from 128 KiB) glibc maps pages for it and keeps 16 bytes at their start for
#   itself: the data begin 16 bytes after a page, always, and each 64-byte vector of the array lies in two cache
#   lines. A torch tensor of that size begins at a multiple of 64.
# Why it matters: aligned vector loads never apply, each 64-byte load touches two lines, and a race that gives one
#   engine a NumPy array and another its own tensor compares two alignments. Allocate with an offset, and align
#   outputs of your own.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6
"$dir/venv/bin/python" - <<'EOF'
import platform

import numpy as np

print("numpy", np.__version__, *platform.libc_ver())
x = np.ones((3000, 3000), np.float32)
made = {
    "np.ones": x,
    "np.empty": np.empty((32, 64, 112, 112), np.float32),
    "np.zeros": np.zeros((32, 112, 112, 64), np.float32),
    "x + x": x + x,
    "x.T copied": np.ascontiguousarray(x.T),
    "64-bit": np.empty(5_000_000),
}
for name, array in made.items():
    print(f"{name}, {array.nbytes / 2**20:.0f} MiB: begins {array.ctypes.data % 4096} bytes after a page")
    assert array.nbytes >= 2**25 and array.ctypes.data % 4096 == 16
EOF
