#!/usr/bin/env bash
# Expected: tract computes Sub(c, Conv(x)), a constant by channel less a convolution, as it is written.
# What happens: it folds c into the convolution's bias and forgets to turn the sign of the weights: the result is
#   Conv(x) + (c - b) instead of c - Conv(x) - b. Div(c, Conv(x)) becomes a product in the same way, inf without a bias.
#   Constants of one value per channel alone, (K, 1, 1); a scalar, Sub(Conv(x), c) and Div(Conv(x), c) come out right.
# Why it matters: heads that predict a residue end so ("mean - noise"), and so do inverted maps. Shapes are right and
#   nothing is said; a comparison of random networks without such a node does not find it. Write Add(c, Neg(Conv(x))).
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 \
  tract==0.23.9
"$dir/venv/bin/python" - "$dir/net.onnx" <<'EOF'
import sys

import numpy as np
import onnx
import onnxruntime as ort
import tract
from onnx import TensorProto, helper, numpy_helper

print("tract", tract.version(), "onnxruntime", ort.__version__)
rng = np.random.default_rng(0)
image = rng.standard_normal((1, 4, 6, 6), np.float32)
weight = rng.standard_normal((4, 4, 3, 3), np.float32)
bias = rng.uniform(30, 40, 4).astype(np.float32)
by_channel = rng.uniform(1, 2, (4, 1, 1)).astype(np.float32)


def run(nodes, constant, with_bias):
    """The results of ONNX Runtime and of tract."""
    constants = {"w": weight, "c": constant} | ({"b": bias} if with_bias else {})
    conv = helper.make_node("Conv", ["x", *(name for name in ("w", "b") if name in constants)], ["t"])
    nodes = [conv, *(helper.make_node(*node) for node in nodes)]
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 4, s, s]) for n, s in (("x", 6), ("y", 4)))
    graph = helper.make_graph(nodes, "g", [x], [y], [numpy_helper.from_array(a, n) for n, a in constants.items()])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), sys.argv[1])
    right = ort.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"]).run(None, {"x": image})[0]
    return right, tract.onnx().load(sys.argv[1]).into_model().into_runnable().run([image])[0].to_numpy()


for with_bias in (False, True):
    for text, nodes, constant, wrong in (
        ("Sub(c, Conv(x))", [("Sub", ["c", "t"], ["y"])], by_channel, True),
        ("Div(c, Conv(x))", [("Div", ["c", "t"], ["y"])], by_channel, True),
        ("Sub(Conv(x), c)", [("Sub", ["t", "c"], ["y"])], by_channel, False),
        ("Div(Conv(x), c)", [("Div", ["t", "c"], ["y"])], by_channel, False),
        ("Sub(1.5, Conv(x))", [("Sub", ["c", "t"], ["y"])], np.float32(1.5).reshape(()), False),
        ("Add(c, Neg(Conv(x)))", [("Neg", ["t"], ["u"]), ("Add", ["c", "u"], ["y"])], by_channel, False),
    ):
        right, got = run(nodes, constant, with_bias)
        print(f"{text}, bias {with_bias}: right {right[0, 0, 0, :3]}, tract {got[0, 0, 0, :3]}")
        assert np.allclose(got, right, rtol=1e-3, atol=1e-4) != wrong
        if text == "Sub(c, Conv(x))":
            plain = by_channel - right  # Conv(x), with its bias
            shift = bias.reshape(4, 1, 1) if with_bias else 0
            assert np.allclose(got, plain - shift + by_channel - shift, atol=1e-3)
EOF
