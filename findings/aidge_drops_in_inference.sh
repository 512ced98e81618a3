#!/usr/bin/env bash
# Expected: a Dropout in an ONNX file passes its input on, since its third input training_mode is false where it is left
#   out, and before opset 12 there is none: every engine for inference does so.
# What happens: aidge makes half of the values zero, at random, and doubles the others: aidge_onnx reads the ratio and
#   makes a node that trains, for opset 7 to 13. The pass by the scheduler says nothing. A file that writes training_mode
#   is refused, and BatchNormalization uses its running statistics, as it should.
# Why it matters: AlexNet, VGG, SqueezeNet, GoogLeNet and EfficientNets come with a Dropout before the last layer: the
#   most likely classes often stay the same and the scores change from call to call. Take the node out of the file.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 aidge-core==0.10.1 \
    aidge-onnx==0.10.1 aidge-backend-cpu==0.10.1
"$dir/venv/bin/python" - "$dir/net.onnx" <<'EOF'
import sys
from importlib.metadata import version

import aidge_backend_cpu  # registers the backend "cpu"
import aidge_core
import aidge_onnx
import numpy as np
import onnx
from onnx import numpy_helper, parser

SIZE = 10000
ones = np.ones((1, SIZE), np.float32)


def run(body, opset):
    text = f'<ir_version: 7, opset_import: ["": {opset}]> g (float[1,{SIZE}] x) => (float[1,{SIZE}] y) {{{body}}}'
    model = parser.parse_model(text)
    if "ratio)" in body:
        model.graph.initializer.append(numpy_helper.from_array(np.float32(0.25), "ratio"))
    onnx.save(model, sys.argv[1])
    graph = aidge_onnx.load_onnx(sys.argv[1])
    graph.set_backend("cpu")
    graph.set_datatype(aidge_core.dtype.float32)
    node, index = graph.get_ordered_inputs()[0]
    node.get_operator().set_input(index, aidge_core.Tensor(ones))
    graph.forward_dims([list(ones.shape)])
    scheduler = aidge_core.SequentialScheduler(graph)
    scheduler.forward()
    node, index = graph.get_ordered_outputs()[0]
    return np.array(node.get_operator().get_output(index)).copy()


aidge_core.Log.set_console_level(aidge_core.Level.Error)
print("aidge-core", version("aidge-core"), "aidge-onnx", version("aidge-onnx"))
relu = "t = Relu(x) "
for body, opset, ratio in (
    (relu + "y = Dropout(t)", 7, 0.5),
    (relu + "y = Dropout<ratio=0.25>(t)", 10, 0.25),
    (relu + "y = Dropout(t, ratio)", 13, 0.25),
):
    got = run(body, opset)
    values = sorted({round(float(value), 4) for value in got.ravel()})
    print(f"opset {opset}, {body}: of ones come {values}")
    assert np.allclose(values, [0, 1 / (1 - ratio)], atol=1e-4) and abs((got == 0).mean() - ratio) < 0.05
EOF
