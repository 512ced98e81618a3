#!/usr/bin/env bash
# Expected: x[[0, 1], [3, -1]] has the same values after OpenVINO's conversion from PyTorch; a single list, x[[0, -1]],
#   a list behind a colon and index_put have.
# What happens: where two or more dimensions are indexed together, the conversion adds indices times strides to one flat
#   index and counts no negative one from its own end. [1, -1] of a 3 × 4 map is value 3, in the row above, instead of
#   7. A negative sum counts from the end of the map, which is right for [-1, 1] and a row off for [-1, -1]. Constants
#   and indices that are fed alike, by torch.export and by tracing.
# Why it matters: "the last step of each sequence" and "pixels by coordinates" are written so, and a wrong neighbour
#   looks plausible: nothing fails, since the flat index lies inside. Add the size to negative indices beforehand.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 openvino==2026.4.1 \
    packaging==26.4
CI=true "$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
from importlib.metadata import version

import openvino
import torch
from torch import nn

print(*(f"{name} {version(name)}" for name in ("openvino", "torch")))
core = openvino.Core()


class Call(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, *inputs):
        return self.function(*inputs)


def converted(function, *inputs, trace):
    module = Call(function).eval()
    if trace:
        model = openvino.convert_model(module, example_input=inputs)
    else:
        model = openvino.convert_model(torch.export.export(module, inputs))
    compiled = core.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return compiled([x.numpy() for x in inputs])[0].ravel().tolist()


x = torch.arange(12.0).reshape(3, 4)
fed = torch.tensor([0, 1]), torch.tensor([3, -1])
for text, function, inputs, got in (
    ("x[[0, -1]][:, 0]", lambda x: x[[0, -1]][:, 0], (x,), [0, 8]),
    ("x[1, [0, -1]]", lambda x: x[1, [0, -1]], (x,), [4, 7]),
    ("x[[0, 1], [3, -1]]", lambda x: x[[0, 1], [3, -1]], (x,), [3, 3]),
    ("x[[0, 1], [3, 3]]", lambda x: x[[0, 1], [3, 3]], (x,), [3, 7]),
    ("x[[0, -1], [3, 1]]", lambda x: x[[0, -1], [3, 1]], (x,), [3, 9]),
    ("x[[0, -1], [3, -1]]", lambda x: x[[0, -1], [3, -1]], (x,), [3, 7]),
    ("x[i, j], both fed", lambda x, i, j: x[i, j], (x, *fed), [3, 3]),
    ("x[None][:, [0, 2], [1, -1]]", lambda x: x[None][:, [0, 2], [1, -1]], (x,), [1, 7]),
):
    right = function(*inputs).ravel().tolist()
    results = [converted(function, *inputs, trace=trace) for trace in (False, True)]
    print(f"{text}: torch {right}, OpenVINO {results[0]}, traced {results[1]}")
    assert results == [got, got]
EOF
