#!/usr/bin/env bash
# Expected: TVM's reader of ONNX gives each layer the size that the standard says, ceil(size / stride) for auto_pad of
#   both kinds, SAME_UPPER and SAME_LOWER; the two differ in the side of the odd pixel alone. Or it refuses the file.
# What happens: MaxPool with SAME_LOWER takes floor(size / stride): one row and column fewer where the stride does not
#   divide the size, and all windows lie elsewhere. AveragePool beside it has the right size. ConvTranspose loses
#   output_shape, without a word: 15 rows instead of 14, not cropped anywhere.
# Why it matters: sizes that the stride divides show nothing. Branches of an average and a max pool no longer fit, or a
#   global pool behind them hides the size, and the classes change. Turn auto_pad and output_shape into pads first.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 \
  apache-tvm==0.27.0.post1
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
import numpy as np
import onnxruntime as ort
import tvm
from onnx import TensorProto, helper, numpy_helper
from tvm import relax
from tvm.relax.frontend.onnx import from_onnx

print("tvm", tvm.__version__, "onnxruntime", ort.__version__)
rng = np.random.default_rng(0)
weight = numpy_helper.from_array(rng.standard_normal((1, 1, 3, 3), np.float32), "w")


def run(kind, size, **attributes):
    """The results of ONNX Runtime and of TVM."""
    x = rng.standard_normal((1, 1, size, size), np.float32)
    inputs, constants = (["x", "w"], [weight]) if kind == "ConvTranspose" else (["x"], [])
    node = helper.make_node(kind, inputs, ["y"], kernel_shape=[3, 3], strides=[2, 2], **attributes)
    values = [helper.make_tensor_value_info(n, TensorProto.FLOAT, s) for n, s in (("x", x.shape), ("y", None))]
    graph = helper.make_graph([node], "g", values[:1], values[1:], constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    right = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
    program = tvm.compile(from_onnx(model, keep_params_in_input=False), target="llvm")
    return right, relax.VirtualMachine(program, tvm.cpu())["main"](tvm.runtime.tensor(x)).numpy()


for kind, size, attributes, rows in (
    ("MaxPool", 8, {"auto_pad": "SAME_LOWER"}, 4),
    ("MaxPool", 7, {"auto_pad": "SAME_LOWER"}, 3),
    ("MaxPool", 7, {"auto_pad": "SAME_UPPER"}, 4),
    ("AveragePool", 7, {"auto_pad": "SAME_LOWER"}, 4),
    ("ConvTranspose", 7, {"output_shape": [14, 14]}, 15),
    ("ConvTranspose", 7, {"pads": [1, 1, 0, 0]}, 14),
):
    right, got = run(kind, size, **attributes)
    print(f"{kind} of {size} rows, {attributes}: right {right.shape[2:]}, tvm {got.shape[2:]}")
    assert got.shape[2:] == (rows, rows)
    assert right.shape != got.shape or np.allclose(got, right, atol=1e-4)
    assert (right.shape != got.shape) == (rows in (3, 15))
EOF
