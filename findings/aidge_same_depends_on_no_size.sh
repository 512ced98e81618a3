#!/usr/bin/env bash
# Expected: auto_pad SAME_UPPER and SAME_LOWER give ceil(size / stride) rows, so the padding depends on the size: a 3×3
#   window with stride 2 needs one row on 8 rows and two on 7.
# What happens: aidge pads by the window less the stride, whatever the size: where the stride does not divide the size the
#   last row and column are missing, 3 rows of 7. A window of the stride's size is not padded at all. For MaxPool and
#   AveragePool the two sides are exchanged besides, so that a 3×3 window of SAME_UPPER begins outside. No warning.
# Why it matters: networks from Keras and TensorFlow have SAME in every layer with a stride. 224 and 256 pixels are halved
#   five times without a remainder, so convolutions work; at 300, which EfficientNet-B3 takes, one meets 75 rows. A global
#   pool hides the sizes. Write the padding as numbers for the size at hand.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 \
    aidge-core==0.10.1 aidge-onnx==0.10.1 aidge-backend-cpu==0.10.1
"$dir/venv/bin/python" - "$dir/net.onnx" <<'EOF'
import sys
from importlib.metadata import version

import aidge_backend_cpu  # registers the backend "cpu"
import aidge_core
import aidge_onnx
import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper, parser

aidge_core.Log.set_console_level(aidge_core.Level.Error)
print("aidge-core", version("aidge-core"), "aidge-onnx", version("aidge-onnx"), "onnxruntime", ort.__version__)


def run(node, size):
    """The results of ONNX Runtime and of aidge."""
    image = np.arange(1, size * size + 1, dtype=np.float32).reshape(1, 1, size, size)
    text = f'<ir_version: 9, opset_import: ["": 17]> g (float[1,1,{size},{size}] x) => (float y) {{y = {node}}}'
    model = parser.parse_model(text)
    model.graph.output[0].type.tensor_type.ClearField("shape")
    if "w" in node.split("(")[1]:
        model.graph.initializer.append(numpy_helper.from_array(np.ones((1, 1, 3, 3), np.float32), "w"))
    onnx.save(model, sys.argv[1])
    right = ort.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"]).run(None, {"x": image})[0]
    graph = aidge_onnx.load_onnx(sys.argv[1])
    graph.set_backend("cpu")
    graph.set_datatype(aidge_core.dtype.float32)
    node, index = graph.get_ordered_inputs()[0]
    node.get_operator().set_input(index, aidge_core.Tensor(image))
    graph.forward_dims([list(image.shape)])
    scheduler = aidge_core.SequentialScheduler(graph)
    scheduler.forward()
    node, index = graph.get_ordered_outputs()[0]
    return right, np.array(node.get_operator().get_output(index)).copy()


for side in ("UPPER", "LOWER"):
    for node in (
        f'Conv<auto_pad="SAME_{side}", strides=[2,2]>(x, w)',
        f'MaxPool<auto_pad="SAME_{side}", strides=[2,2], kernel_shape=[3,3]>(x)',
        f'AveragePool<auto_pad="SAME_{side}", strides=[2,2], kernel_shape=[3,3]>(x)',
        f'MaxPool<auto_pad="SAME_{side}", strides=[2,2], kernel_shape=[2,2]>(x)',
    ):
        for size in (8, 7):
            right, got = run(node, size)
            seen = "right" if np.array_equal(right, got) else "other values" if right.shape == got.shape else got.shape[2:]
            print(f"{size} pixels, {node}: right {right.shape[2:]}, aidge {seen}")
            assert right.shape[2] == 4 and got.shape[2] == (4 if size == 8 else 3)
            assert size == 7 or np.array_equal(right, got) == ("3,3" not in node)
EOF
