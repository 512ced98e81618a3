#!/usr/bin/env bash
# Expected: onnxoptimizer's default passes keep what a model computes; a Pad of zeros and the padding of a MaxPool are
#   different things, since a pool's own padding never wins.
# What happens: the pass fuse_pad_into_pool, one of the defaults, turns Pad (value 0) and MaxPool into a MaxPool with
#   pads. Windows at the border whose values are all negative give a negative maximum instead of 0. After a ReLU it is
#   right, so networks that have one there pass every test; after a linear convolution or a batch norm they do not.
# Why it matters: PyTorch and Keras models with an explicit zero padding before their first pool (ResNets of Keras) are
#   exported so. Whoever fuses the two must know that the map is nowhere negative.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxoptimizer==0.4.2 \
    onnxruntime==1.32.0
"$dir/venv/bin/python" - <<'EOF'
from importlib.metadata import version

import numpy as np
import onnxoptimizer
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper

print("onnxoptimizer", version("onnxoptimizer"), "onnxruntime", ort.__version__)
x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in [("x", (1, 1, 4, 4)), ("y", None)])
nodes = [
    helper.make_node("Pad", ["x", "pads"], ["padded"]),
    helper.make_node("MaxPool", ["padded"], ["y"], kernel_shape=[3, 3], strides=[2, 2]),
]
pads = numpy_helper.from_array(np.array([0, 0, 1, 1, 0, 0, 1, 1]), "pads")
opset = [helper.make_opsetid("", 17)]
model = helper.make_model(helper.make_graph(nodes, "g", [x], [y], [pads]), opset_imports=opset, ir_version=9)


def run(model, image):
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": image})[0].squeeze()


optimized = onnxoptimizer.optimize(model)
print("nodes before:", [node.op_type for node in model.graph.node], "after:", [n.op_type for n in optimized.graph.node])
image = -1 - np.arange(16, dtype=np.float32).reshape(1, 1, 4, 4)
print("negative map, before:", run(model, image).tolist(), "after:", run(optimized, image).tolist())
assert [node.op_type for node in optimized.graph.node] == ["MaxPool"]
assert run(model, image)[0, 0] == 0 and run(optimized, image)[0, 0] == -1
assert np.array_equal(run(model, -image), run(optimized, -image))
EOF
