#!/usr/bin/env bash
# Expected: torch.onnx.export writes x.index_add, index_put with accumulate=True and scatter_reduce with "mean" as what
#   they are in PyTorch, or refuses them.
# What happens: where the indices are constant and name all rows in order, index_add(0, [0, 1, 2], u) and index_put
#   become a copy of u: x is gone from the sum. The exporter's optimiser (onnxscript's) takes any such ScatterND for an
#   assignment and does not look at its reduction. With optimize=False, or the same rows in another order, it is right.
#   scatter_reduce(…, "mean") is written without a reduction, optimised or not: the last value stays, not the mean.
# Why it matters: residual sums by index, position embeddings and the mean aggregation of graph networks are written so.
#   Shapes and checker are content. Write x + u, or a scatter_add of ones to divide by.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 onnx==1.23.2 \
    onnxscript==0.7.2 onnxruntime==1.32.0
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
from importlib.metadata import version

import onnxruntime as ort
import torch
from torch import nn

print(*(f"{name} {version(name)}" for name in ("torch", "onnxscript", "onnxruntime")))


class Call(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x, u):
        return self.function(x, u)


def exported(function, *inputs, optimize):
    model = torch.onnx.export(Call(function).eval(), inputs, optimize=optimize, verbose=False).model_proto
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    feeds = {value.name: x.numpy() for value, x in zip(session.get_inputs(), inputs)}
    return session.run(None, feeds)[0].tolist(), [node.op_type for node in model.graph.node]


def add(*rows):
    return lambda x, u: x.index_add(0, torch.tensor(rows), u)


def put(x, u):
    return x.index_put((torch.arange(3),), u, accumulate=True)


def mean(x, u):
    return x.scatter_reduce(0, torch.tensor([0, 0, 1]), u, "mean", include_self=False)


x, u = torch.tensor([10.0, 20, 30]), torch.tensor([2.0, 4, 6])
for text, function, plain, optimized in (
    ("index_add of rows 0, 1, 2", add(0, 1, 2), [12, 24, 36], [2, 4, 6]),
    ("index_add of rows 2, 1, 0", add(2, 1, 0), [16, 24, 32], [16, 24, 32]),
    ("index_put, accumulated", put, [12, 24, 36], [2, 4, 6]),
    ("scatter_reduce, mean of 2 and 4", mean, [4, 6, 30], [4, 6, 30]),
):
    right = function(x, u).tolist()
    without, _ = exported(function, x, u, optimize=False)
    got, nodes = exported(function, x, u, optimize=True)
    print(f"{text}: torch {right}, exported {got} as {nodes}, with optimize=False {without}")
    assert (got, without) == (optimized, plain)
    assert right == ([3, 6, 30] if function is mean else plain)
EOF
