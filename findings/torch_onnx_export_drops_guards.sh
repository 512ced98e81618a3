#!/usr/bin/env bash
# Expected: a size that depends on a dynamic one by way of a float, int(h * 0.7), is computed in the ONNX model, or the
#   model refuses sizes that it was not made for, as torch.export's module() does ("Guard failed: … == 6").
# What happens: torch.export makes a constant of it, 6 for the 9 rows of the example, and guards that. torch.onnx.export
#   (the default exporter) leaves the guard out and says nothing: the model has symbolic sizes, takes 12 rows and gives
#   6 where 8 are right. int(w ** 0.5) as a factor is frozen too. math.floor(h * 0.7) and h * 7 // 10 are computed.
# Why it matters: crops, top-k and scaled maps ask for a share of the size. The model was exported as dynamic, runs with
#   every size and cuts all of them as the example. The older exporter warns at least (TracerWarning).
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 onnx==1.23.2 \
    onnxscript==0.7.2 onnxruntime==1.32.0
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
import math
import warnings
from importlib.metadata import version

import numpy as np
import onnxruntime as ort
import torch
from torch import nn

print(*(f"{name} {version(name)}" for name in ("torch", "onnxscript", "onnxruntime")))


class Call(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


functions = {
    "x[:, : int(h * 0.7)]": (lambda x: x[:, : int(x.shape[1] * 0.7)], True),
    "x * int(w ** 0.5)": (lambda x: x * int(x.shape[2] ** 0.5), True),
    "x[:, : math.floor(h * 0.7)]": (lambda x: x[:, : math.floor(x.shape[1] * 0.7)], False),
    "x[:, : h * 7 // 10]": (lambda x: x[:, : x.shape[1] * 7 // 10], False),
}
example, image = torch.ones(1, 9, 10), torch.ones(1, 12, 25)
sizes = {1: torch.export.Dim.DYNAMIC, 2: torch.export.Dim.DYNAMIC}
for name, (function, frozen) in functions.items():
    module = Call(function).eval()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        program = torch.onnx.export(module, (example,), dynamic_shapes=(sizes,), verbose=False)
    assert not any("constant" in str(w.message) or "guard" in str(w.message).lower() for w in caught)
    dims = [dim.dim_param for dim in program.model_proto.graph.input[0].type.tensor_type.shape.dim[1:]]
    session = ort.InferenceSession(program.model_proto.SerializeToString(), providers=["CPUExecutionProvider"])
    got = session.run(None, {session.get_inputs()[0].name: image.numpy()})[0]
    right = module(image).numpy()
    print(f"{name}: torch {right.shape} of {right.max()}, ONNX {got.shape} of {got.max()}, input sizes {dims}")
    assert all(dims)
    try:
        torch.export.export(module, (example,), dynamic_shapes=(sizes,)).module()(image)
        guarded = False
    except AssertionError as error:
        guarded = "Guard failed" in str(error)
        print("  torch.export's module:", str(error).splitlines()[0])
    assert guarded == frozen
    if frozen:
        assert got.shape[1] == min(6, image.shape[1]) if "0.7" in name else got.max() == 3
        assert got.shape != right.shape or not np.allclose(got, right)
    else:
        assert got.shape == right.shape
EOF
