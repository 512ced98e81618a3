#!/usr/bin/env bash
# Expected: what onnxscript's optimizer makes of a valid model is a valid model; torch.onnx.export runs it by default.
# What happens: its rules name a new constant after the value that comes in: x_min, x_max, x/shape. Where two of them
#   apply to one value, both constants take the name, one is renamed in the node and not stored. Two Flattens of one
#   map, or two branches that clip one map and have a Relu behind, become a file with a name that nobody defines. The
#   optimizer and the exporter end without an error; onnx's checker and ONNX Runtime refuse the file.
# Why it matters: x.clamp(-1, 1).relu() and x.clamp(-5, 5).relu() of one x is enough, and blocks that go apart are what
#   networks are made of. The error comes where the file is read, on another machine. Export with optimize=False.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 onnx==1.23.2 \
    onnxscript==0.7.2 onnxruntime==1.32.0
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
from importlib.metadata import version

import numpy as np
import onnx
import onnxruntime as ort
import torch
from onnx import numpy_helper, parser
from onnxscript import optimizer

print(*(f"{name} {version(name)}" for name in ("onnxscript", "torch", "onnx", "onnxruntime")))


def undefined(model):
    """The names that nodes read and nobody defines, after seeing that the checker and ONNX Runtime say the same."""
    graph = model.graph
    known = {""}.union(*({v.name for v in values} for values in (graph.input, graph.initializer)))
    known.update(name for node in graph.node for name in node.output)
    missing = [name for node in graph.node for name in node.input if name not in known]
    refused = []
    for check, error in ((onnx.checker.check_model, onnx.checker.ValidationError), (load, Exception)):
        try:
            check(model)
        except error:
            refused.append(check)
    assert len(refused) == (2 if missing else 0)
    return missing


def load(model):
    ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


bounds = {name: np.float32(value) for name, value in (("a", -1), ("b", 1), ("c", -5), ("d", 5))}
for body, broken in (
    ("y = Flatten(x)", False),
    ("y = Flatten(x) z = Flatten<axis=2>(x)", True),
    ("t = Clip(x, a, b) y = Relu(t)", False),
    ("t = Clip(x, a, b) y = Relu(t) u = Clip(x, c, d) z = Relu(u)", True),
    ("t = Max(x, a) y = Min(t, b) u = Max(x, c) z = Min(u, d)", True),
):
    outputs = "float[n,m] y, float[k,l] z" if "z =" in body else "float[n,m] y"
    shape = "2,3,4" if "Flatten" in body else "2,3"
    text = f'<ir_version: 9, opset_import: ["": 20]> g (float[{shape}] x) => ({outputs}) {{{body}}}'
    model = parser.parse_model(text)
    used = (name for name in bounds if f", {name})" in body or f" {name}," in body)
    model.graph.initializer.extend(numpy_helper.from_array(bounds[name], name) for name in used)
    optimized = optimizer.optimize(onnx.shape_inference.infer_shapes(model))
    before, after = undefined(model), undefined(optimized)
    print(f"{body}: undefined before {before}, after {after}")
    assert not before and bool(after) == broken


class Net(torch.nn.Module):
    def forward(self, x):
        return x.clamp(-1.0, 1.0).relu(), x.clamp(-5.0, 5.0).relu()


for optimize in (False, True):
    model = torch.onnx.export(Net(), (torch.ones(2, 3),), verbose=False, optimize=optimize).model_proto
    names = undefined(model)
    print(f"torch.onnx.export with optimize={optimize}: undefined {names}")
    assert bool(names) == optimize
EOF
