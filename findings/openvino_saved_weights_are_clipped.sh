#!/usr/bin/env bash
# Expected: where ov.save_model stores weights as float16, a tensor whose values do not fit float16 stays float32.
# What happens: only where three quarters of it do not fit. With fewer, 1e5 is stored as 65504, inf as 65504 and 1e-8
#   as 0, without a word.
# Why it matters: folded norms with tiny variances, masks of -inf and de-normalising scales hold such values; read
#   from an .xml and .bin they give another network than the one that was saved. Ask for compress_to_fp16=False; an
#   importer cannot tell a 65504 that was one from one that was clipped.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 openvino==2026.4.1
"$dir/venv/bin/python" - "$dir/net" <<'EOF'
import os
import sys

import numpy as np
import openvino as ov
from openvino import opset13 as op

print("numpy", np.__version__, "openvino", ov.__version__)


def saved(weight):
    """The weight as it is in the files that save_model makes."""
    x = op.parameter([1, 4], np.float32)
    ov.save_model(ov.Model([op.multiply(x, op.constant(weight)).output(0)], [x]), sys.argv[1] + ".xml")
    settings = {"INFERENCE_PRECISION_HINT": "f32"}
    network = ov.Core().compile_model(sys.argv[1] + ".xml", "CPU", settings)
    return network(np.ones((1, 4), np.float32))[0][0], os.path.getsize(sys.argv[1] + ".bin")


for values, right in (
    ([1e5, 1, 1e-8, 2], [65504, 1, 0, 2]),
    ([np.inf, 1, 3, -1e9], [65504, 1, 3, -65504]),
    ([1e5, 1, 1e-8, -1e9], None),
):
    weight = np.array([values], np.float32)
    got, size = saved(weight)
    print(f"{weight[0]}: {size // 4} bytes a value, read back as {got}")
    assert np.array_equal(got, weight[0] if right is None else np.array(right, np.float32))
EOF
