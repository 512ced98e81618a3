#!/usr/bin/env bash
# Expected: mish(x) is x · tanh(softplus(x)), as MindSpore documents it: from 10 on it is x to seven digits.
# What happens: on a CPU MindSpore's mish squares exp(x), which leaves float32: it is NaN from 44.4 on, and inf from
#   42.5 on in the few values that fill no vector. ops.tanh and ops.softplus, put together as the formula says, are
#   right up to the largest number. Its logsigmoid, log of 1 / (1 + exp(-x)), is -inf from -88.8 down where it should be
#   x.
# Why it matters: YOLOv4 has mish behind every convolution of its backbone, and 45 is nothing unusual in a map whose
#   norms are folded; one NaN takes the whole picture within a few layers. Write the formula, or clamp what goes in.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==1.26.4 mindspore==2.10.0
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
import mindspore
import numpy as np
from mindspore import Tensor, nn, ops

print("mindspore", mindspore.__version__)
mindspore.set_device("CPU")
for length in (1, 8, 19):
    for value in (10, 42, 45, 1000):
        x = Tensor(np.full(length, value, np.float32))
        results = {"ops.mish": ops.mish(x), "nn.Mish": nn.Mish()(x), "formula": x * ops.tanh(ops.softplus(x))}
        results = {name: result.asnumpy() for name, result in results.items()}
        print(f"{length} times {value}:", {name: np.unique(result).tolist() for name, result in results.items()})
        assert np.allclose(results.pop("formula"), value, rtol=1e-6)
        for result in results.values():
            assert not np.isfinite(result).any() if value > 44 else np.allclose(result, value, rtol=1e-6)

logs = ops.logsigmoid(Tensor(np.float32([-80, -100]))).asnumpy()
print("logsigmoid of -80 and -100:", logs)
assert np.isclose(logs[0], -80) and logs[1] == -np.inf
EOF
