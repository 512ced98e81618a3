#!/usr/bin/env bash
# Expected: qonnx's SubPixelToDeconvolution makes one transposed convolution of a convolution and a DepthToSpace with
#   the same result, for both modes of DepthToSpace, or leaves the pair as it is with a warning, as it does for biases
#   and groups.
# What happens: it does not read the mode and takes each for CRD, which is torch's PixelShuffle: for DCR, the standard's
#   default and TensorFlow's depth_to_space, the new weights belong to other channels. The shapes are right and nothing
#   is said. With one output channel both modes are the same and hide it.
# Why it matters: super-resolution networks end in this pair, and those from TensorFlow have DCR: the colours of the
#   image are mixed pixel by pixel on the way to FPGAs.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 \
    qonnx==1.0.0
"$dir/venv/bin/python" - <<'EOF'
import warnings
from importlib.metadata import version

import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper, parser
from qonnx.core.modelwrapper import ModelWrapper
from qonnx.transformation.infer_shapes import InferShapes
from qonnx.transformation.subpixel_to_deconv import SubPixelToDeconvolution

warnings.simplefilter("error", UserWarning)
print(*(f"{name} {version(name)}" for name in ("qonnx", "onnx", "onnxruntime")))
rng = np.random.default_rng(0)
x = rng.standard_normal((1, 4, 6, 5), np.float32)
convolution = "Conv<kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[1, 1], dilations=[1, 1], group=1>(x, w)"


def run(model):
    return ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]


for channels in (1, 3):
    weight = rng.standard_normal((4 * channels, 4, 3, 3), np.float32)
    for mode in ("CRD", "DCR", None):
        attributes = "blocksize=2" + (f', mode="{mode}"' if mode else "")
        model = parser.parse_model(
            f'<ir_version: 8, opset_import: ["": 13]> g (float[1,4,6,5] x) => (float[1,{channels},12,10] y) '
            f"{{u = {convolution} y = DepthToSpace<{attributes}>(u)}}"
        )
        model.graph.initializer.append(numpy_helper.from_array(weight, "w"))
        onnx.checker.check_model(model, full_check=True)
        right = run(model)
        converted = ModelWrapper(model).transform(InferShapes()).transform(SubPixelToDeconvolution()).model
        assert [node.op_type for node in converted.graph.node] == ["ConvTranspose"]
        got = run(converted)
        print(f"{channels} channels, mode {mode or 'left out'}: {abs(got - right).max():.2g} off")
        assert got.shape == right.shape and np.allclose(got, right, atol=1e-4) == (channels == 1 or mode == "CRD")
EOF
