#!/usr/bin/env bash
# Expected: onnxscript's optimizer may write two Slices that cover an axis as one Split; a Split of 5 into num_outputs=2
#   is 3 and 2, as ONNX says (the last part is the smaller one), so Slices at 5 // 2 are another pair, 2 and 3.
# What happens: it compares the place of the cut with size // 2 alone and puts the Split there: of an odd axis the first
#   half has one value more and the second one less. The graph still declares the old shapes; ONNX Runtime warns of them
#   and goes on. It is so for the last axis, sizes that are known, Slices without steps, and the later half first in the
#   file; an even axis is right.
# Why it matters: widths of images and lengths of sequences are odd as often as not, and a mean, a pool or a Resize
#   behind the halves takes either shape. Give the Slices steps, or write the Split with its sizes.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxscript==0.7.2 \
    onnxruntime==1.32.0
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
from importlib.metadata import version

import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper, parser
from onnx.reference import ReferenceEvaluator
from onnxscript import optimizer

print(*(f"{name} {version(name)}" for name in ("onnxscript", "onnx", "onnxruntime")))


def means(model, image):
    """The means of the two halves in ONNX Runtime and in onnx's evaluator."""
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    results = session.run(None, {"x": image}), ReferenceEvaluator(model).run(None, {"x": image})
    return [[float(half.mean()) for half in halves] for halves in results]


for size, steps, replaced in ((4, "", True), (5, "", True), (7, "", True), (7, ", axis", False)):
    cut, image = size // 2, np.arange(size, dtype=np.float32).reshape(1, size)
    text = f"""<ir_version: 9, opset_import: ["": 20]> g (float[1,{size}] x) => (float[1,1] later, float[1,1] first) {{
        r = Relu(x)
        b = Slice(r, cut, end, axis{steps})
        a = Slice(r, zero, cut, axis{steps})
        later = ReduceMean(b, axis)
        first = ReduceMean(a, axis)
    }}"""
    model = parser.parse_model(text)
    numbers = {"zero": 0, "cut": cut, "end": size, "axis": 1}
    model.graph.initializer.extend(numpy_helper.from_array(np.array([n]), name) for name, n in numbers.items())
    optimized = optimizer.optimize(onnx.shape_inference.infer_shapes(model))
    nodes = [node.op_type for node in optimized.graph.node]
    before, after = means(model, image), means(optimized, image)
    print(f"0 to {size - 1} cut at {cut}: means {before[0]}, as {nodes} {after[0]}")
    assert before[0] == before[1] and after[0] == after[1] and ("Split" in nodes) == replaced
    middle = (size + 1) // 2 if replaced else cut
    assert after[0] == [float(image[0, middle:].mean()), float(image[0, :middle].mean())]
    assert (before == after) == (middle == cut)
EOF
