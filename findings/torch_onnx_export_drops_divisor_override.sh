#!/usr/bin/env bash
# Expected: torch.onnx.export writes an AvgPool2d with divisor_override as a pool and a factor, or refuses it; ONNX's
#   AveragePool has no such attribute.
# What happens: both exporters write the AveragePool alone and say nothing. With divisor_override=1, the usual way to
#   *sum* a window, the file's results are window times too small.
# Why it matters: sums of windows, and averages where the padding never counts, are written so; the checker, the shapes
#   and a look at the graph find nothing. Compare outputs after each export, or multiply an ordinary average.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 onnx==1.23.2 \
  onnxruntime==1.32.0 onnxscript==0.7.2
"$dir/venv/bin/python" - "$dir" 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
import contextlib
import os
import sys

import numpy as np
import onnx
import onnxruntime as ort
import torch

print("torch", torch.__version__, "onnx", onnx.__version__)
image = torch.ones(1, 1, 4, 4)
for dynamo in (True, False):
    for divisor in (None, 1, 5):
        pool = torch.nn.AvgPool2d(2, 2, divisor_override=divisor).eval()
        path = os.path.join(sys.argv[1], f"{dynamo} {divisor}.onnx")
        with contextlib.redirect_stdout(sys.stderr):
            torch.onnx.export(pool, (image,), path, dynamo=dynamo)
        graph = onnx.load(path).graph
        onnx.checker.check_model(path, full_check=True)
        session = ort.InferenceSession(path, providers=["CPUExecutionProvider"])
        got = session.run(None, {graph.input[0].name: image.numpy()})[0]
        right, operators = pool(image)[0, 0, 0, 0].item(), [node.op_type for node in graph.node]
        print(f"dynamo={dynamo}, divisor_override={divisor}: {operators} gives {got[0, 0, 0, 0]:.3g}, torch {right:.3g}")
        assert np.all(got == 1) and right == np.float32(4 / (divisor or 4))
EOF
