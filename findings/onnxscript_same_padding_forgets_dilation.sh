#!/usr/bin/env bash
# Expected: onnxscript's optimizer writes auto_pad SAME_UPPER of a Conv as the same padding in numbers: with dilation 2
#   a 3×3 kernel covers 5 pixels and needs 2 on each side, as onnx's shape inference, its evaluator and OpenVINO
#   compute.
# What happens: the rule knows kernel and stride and no dilation: it writes pads of 1, and the result is 5×5 of a 7×7
#   image, 3×3 with dilation 3, while the graph still declares 7×7. Without dilation it is right.
# Why it matters: DeepLab comes from TensorFlow with SAME and dilations. ONNX Runtime refuses the pair in the original
#   file, so turning it into numbers is what one wants here; it then runs the wrong ones, and a global pool or a Resize
#   behind it hides the size. Compute the padding before the optimizer does.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxscript==0.7.2 \
    onnxruntime==1.32.0 openvino==2026.4.1
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
from importlib.metadata import version

import numpy as np
import onnx
import onnxruntime as ort
import openvino as ov
from onnx import numpy_helper, parser
from onnx.reference import ReferenceEvaluator
from onnxscript import optimizer

print(*(f"{name} {version(name)}" for name in ("onnxscript", "onnx", "onnxruntime", "openvino")))
image = np.arange(49, dtype=np.float32).reshape(1, 1, 7, 7)

for dilation in (1, 2, 3):
    text = f"""<ir_version: 9, opset_import: ["": 20]> g (float[1,1,7,7] x) => (float[1,1,7,7] y)
        {{y = Conv<auto_pad="SAME_UPPER", dilations=[{dilation}, {dilation}]>(x, w)}}"""
    model = parser.parse_model(text)
    model.graph.initializer.append(numpy_helper.from_array(np.ones((1, 1, 3, 3), np.float32), "w"))
    right = ReferenceEvaluator(model).run(None, {"x": image})[0]
    read = ov.Core().read_model(model.SerializeToString())
    compiled = ov.Core().compile_model(read, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    assert np.array_equal(compiled(image)[0], right) and right.shape == image.shape

    optimized = optimizer.optimize(onnx.shape_inference.infer_shapes(model))
    (node,) = optimized.graph.node
    pads = next(list(attribute.ints) for attribute in node.attribute if attribute.name == "pads")
    session = ort.InferenceSession(optimized.SerializeToString(), providers=["CPUExecutionProvider"])
    got = session.run(None, {"x": image})[0]
    print(f"dilation {dilation}: right {right.shape}, sum {right.sum():.0f};", end=" ")
    print(f"optimized pads {pads}, {got.shape}, sum {got.sum():.0f}")
    assert pads == [1, 1, 1, 1] and got.shape[2:] == (9 - 2 * dilation, 9 - 2 * dilation)
    assert np.array_equal(right[:, :, dilation - 1 : 8 - dilation, dilation - 1 : 8 - dilation], got)
EOF
