#!/usr/bin/env bash
# Expected: onnx2torch turns an inference Dropout into nothing, whether or not the node names its second output, the
#   mask, which nobody reads.
# What happens: where the mask is named, the next node gets `dropout(x)[0]`, the first image of the batch: the result
#   has one axis less, and all other images are lost without a word. Later layers take three axes as well as four.
# Why it matters: files of the older exporters (Caffe2's SqueezeNet and AlexNet among them) name the mask of every
#   Dropout. A check with one image sees a missing axis at most, which a final flatten hides.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 torch==2.13.0
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps onnx2torch==1.5.15
"$dir/venv/bin/python" - <<'EOF'
import sys
import types
from importlib.metadata import version

import numpy as np
import torch
from onnx import TensorProto, helper, numpy_helper

for name in ("torchvision", "torchvision.ops"):  # imported for its box operations, which nothing here needs
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__getattr__ = lambda name: None

from onnx2torch import convert

print("onnx2torch", version("onnx2torch"), "torch", torch.__version__)
x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in "xy")
weight = numpy_helper.from_array(np.ones((1, 4, 1, 1), np.float32), "weight")
images = torch.arange(3 * 4 * 2 * 2, dtype=torch.float32).reshape(3, 4, 2, 2)
shapes = {}
for outputs in (["dropped"], ["dropped", "mask"]):
    nodes = [helper.make_node("Dropout", ["x"], outputs), helper.make_node("Conv", ["dropped", "weight"], ["y"])]
    graph = helper.make_graph(nodes, "g", [x], [y], [weight])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    result = convert(model).eval()(images)
    shapes[len(outputs)] = tuple(result.shape)
    print("outputs of Dropout:", outputs, "result:", tuple(result.shape), "sum", result.sum().item())
assert shapes == {1: (3, 1, 2, 2), 2: (1, 2, 2)}
EOF
