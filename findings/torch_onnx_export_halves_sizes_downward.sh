#!/usr/bin/env bash
# Expected: -(-h // 2), Python's usual way to round h / 2 up, keeps its meaning in a model that torch.onnx.export writes
#   with dynamic sizes: 5 rows of 9. torch.export keeps it, and its module() computes 5.
# What happens: both exporters (dynamo=True, the default, and dynamo=False) write // as ONNX's Div, which truncates
#   integers: -9 / 2 is -4, and the model gives 4 rows of 9. It does so for the very size that it was exported with.
#   Nothing is said. An even size hides it, and (h + 1) // 2 is right.
# Why it matters: "same" padding by hand, pyramids and crops compute sizes so. A model that is checked with 224 pixels
#   has one row less with 225, and its features no longer fit those that they are added to, or are shifted.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 onnx==1.23.2 \
    onnxscript==0.7.2 onnxruntime==1.32.0
"$dir/venv/bin/python" -W ignore - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
import io
from importlib.metadata import version

import onnxruntime as ort
import torch
import torch.nn.functional as F
from torch import nn

print(*(f"{name} {version(name)}" for name in ("torch", "onnxscript", "onnxruntime")))


class Half(nn.Module):
    """A map resized to half its size, rounded up in one of two ways."""

    def __init__(self, negative):
        super().__init__()
        self.negative = negative

    def forward(self, x):
        size = [-(-n // 2) if self.negative else (n + 1) // 2 for n in x.shape[2:]]
        return F.interpolate(x, size=size)


x = torch.randn(1, 1, 9, 10)
sizes = {2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC}
for negative in (True, False):
    module = Half(negative).eval()
    module_again = torch.export.export(module, (x,), dynamic_shapes=(sizes,)).module()
    default = torch.onnx.export(module, (x,), dynamic_shapes=(sizes,), verbose=False).model_proto.SerializeToString()
    legacy = io.BytesIO()
    torch.onnx.export(module, (x,), legacy, dynamo=False, input_names=["x"], dynamic_axes={"x": {2: "h", 3: "w"}})
    for rows, columns in ((9, 10), (8, 8), (225, 7)):
        image = torch.randn(1, 1, rows, columns)
        right = module(image).shape
        assert module_again(image).shape == right
        got = []
        for model in (default, legacy.getvalue()):
            session = ort.InferenceSession(model, providers=["CPUExecutionProvider"])
            got.append(session.run(None, {session.get_inputs()[0].name: image.numpy()})[0].shape[2:])
        formula = "-(-n // 2)" if negative else "(n + 1) // 2"
        print(f"{formula} of {rows}×{columns}: torch {tuple(right[2:])}, ONNX {got}")
        known = (rows // 2, columns // 2) if negative else tuple(right[2:])
        assert got == [known, known]
EOF
