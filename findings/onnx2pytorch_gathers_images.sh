#!/usr/bin/env bash
# Expected: Gather with axis=-1 takes columns, with axis=-2 rows, as ONNX counts negative axes from the end; a converter
#   that does not know them raises.
# What happens: onnx2pytorch takes from the *batch* for every negative axis: x[:, :, :, [0]] becomes x[[0]]. With as many
#   images as the index reaches nothing raises, and with one image and index 0 the result is the whole map. Counted from
#   the front, axis=3 and axis=2, it is right; so are Concat, Split and Slice with negative axes.
# Why it matters: x[..., 0] in PyTorch is exported with axis -1 by several exporters: coordinates of boxes, the classes'
#   token of a transformer, one channel of a channels-last map. Write the axis from the front before the conversion.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 \
    torch==2.13.0
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps onnx2pytorch==0.6.0
"$dir/venv/bin/python" - 2> /dev/null <<'EOF'
import sys
import types
from importlib.metadata import version

import numpy as np
import onnxruntime as ort
import torch
from onnx import numpy_helper, parser

for name in ("torchvision", "torchvision.io", "torchvision.ops"):  # imported for images and boxes, which nothing here needs
    sys.modules[name] = types.ModuleType(name)
    sys.modules[name].__getattr__ = lambda name: None

from onnx2pytorch import ConvertModel

print("onnx2pytorch", version("onnx2pytorch"), "torch", torch.__version__)
images = np.arange(2 * 3 * 4 * 5, dtype=np.float32).reshape(2, 3, 4, 5)
for axis in (1, 2, 3, -1, -2, -3):
    for indices in (np.array(1), np.array([0, 1])):
        text = f'<ir_version: 9, opset_import: ["": 17]> g (float[2,3,4,5] x) => (float y) {{y = Gather<axis={axis}>(x, k)}}'
        model = parser.parse_model(text)
        model.graph.output[0].type.tensor_type.ClearField("shape")
        model.graph.initializer.append(numpy_helper.from_array(indices, "k"))
        session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        right = session.run(None, {"x": images})[0]
        got = ConvertModel(model).eval()(torch.from_numpy(images)).numpy()
        print(f"axis {axis}, index {indices}: right {right.shape}, onnx2pytorch {got.shape}")
        assert (right == images.take(indices, axis)).all()
        assert np.array_equal(got, right if axis > 0 else images[indices])
EOF
