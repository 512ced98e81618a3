#!/usr/bin/env bash
# Expected: a tensor that gguf's reader gives has one shape, that of the array which was written.
# What happens: `tensor.shape` is the shape backwards, the order in which the format stores it, while `tensor.data` has
#   the array's own shape. For a 3×3 kernel with as many inputs as outputs both look like convolution weights: HWIO
#   (3, 3, C, K) is told as (K, C, 3, 3), which is OIHW, and reshaping the data by it raises nothing.
# Why it matters: whoever sizes a layer by `tensor.shape`, or reshapes by it, reads scrambled weights of the right shape.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 gguf==0.19.0
"$dir/venv/bin/python" - "$dir/weights.gguf" <<'EOF'
import sys
from importlib.metadata import version

import gguf
import numpy as np

print("gguf", version("gguf"))
hwio = np.arange(3 * 3 * 4 * 8, dtype=np.float32).reshape(3, 3, 4, 8)
writer = gguf.GGUFWriter(sys.argv[1], "cnn")
writer.add_tensor("hwio", hwio)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
(tensor,) = gguf.GGUFReader(sys.argv[1]).tensors
told, has = tuple(int(n) for n in tensor.shape), tensor.data.shape
print("written", hwio.shape, "tensor.shape", told, "tensor.data.shape", has)
assert told == hwio.shape[::-1] and has == hwio.shape and np.array_equal(tensor.data, hwio)
as_told = tensor.data.reshape(told)
assert not np.array_equal(as_told, hwio.transpose(3, 2, 0, 1))
EOF
