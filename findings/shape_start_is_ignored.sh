#!/usr/bin/env bash
# Expected: ONNX's Shape has attributes start and end since opset 15, and what folds the constants of a model of opset
#   20 knows them: Shape<start=2> of an image of 2 × 4 × 6 × 5 is [6, 5].
# What happens: onnx-graphsurgeon's fold_constants puts in the whole shape, [2, 4, 6, 5], also for a Gather or a Slice
#   behind it, and says nothing. onnxoptimizer's default passes fold Shape and Gather rightly, but give a Slice the
#   whole shape: [0:1] behind start=1 is the batch, and [1:3] is 4 and 6 instead of 6 and 5.
# Why it matters: PyTorch's exporter writes every size that it needs as a Shape with start and end. A number of pixels
#   made so, by which a sum is divided, becomes that of all values; an engine refuses only where a Reshape follows.
#   Sizes that are fixed are folded alone: the file with free sizes is right, and wrong once its sizes were filled in.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 \
    onnx-graphsurgeon==0.6.1 onnxoptimizer==0.4.2
"$dir/venv/bin/python" - <<'EOF'
from importlib.metadata import version

import numpy as np
import onnx_graphsurgeon
import onnxoptimizer
import onnxruntime as ort
from onnx import numpy_helper, parser

print(*(f"{name} {version(name)}" for name in ("onnx", "onnxruntime", "onnx-graphsurgeon", "onnxoptimizer")))


def run(model, image):
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": image})[0]


def graphsurgeon(model):
    return onnx_graphsurgeon.export_onnx(onnx_graphsurgeon.import_onnx(model).fold_constants().cleanup())


image = np.arange(240, dtype=np.float32).reshape(2, 4, 6, 5)
indices = {"first": np.int64(0), "zero": np.array([0]), "one": np.array([1]), "three": np.array([3])}
for text, body, right, folded, optimized in (
    ("pixels, Shape<start=2>", "n = Shape<start=2>(x)", 30, 240, 30),
    ("channels, Shape<start=1, end=2>", "n = Shape<start=1, end=2>(x)", 4, 240, 4),
    ("channels, Gather of Shape<start=1>", "s = Shape<start=1>(x) n = Gather(s, first)", 4, 2, 4),
    ("channels, Slice of Shape<start=1>", "s = Shape<start=1>(x) n = Slice(s, zero, one)", 4, 2, 2),
    ("pixels, Slice of Shape<start=1>", "s = Shape<start=1>(x) n = Slice(s, one, three)", 30, 24, 24),
):
    body += " p = ReduceProd<keepdims=0>(n) f = Cast<to=1>(p) y = Div(x, f)"
    text_form = f'<ir_version: 9, opset_import: ["": 20]> g (float[2,4,6,5] x) => (float[2,4,6,5] y) {{{body}}}'
    model = parser.parse_model(text_form)
    used = (name for name in indices if f" {name}" in body)
    model.graph.initializer.extend(numpy_helper.from_array(indices[name], name) for name in used)
    results = run(model, image), run(graphsurgeon(model), image), run(onnxoptimizer.optimize(model), image)
    got = [round(float(image.sum() / result.sum())) for result in results]
    print(f"{text}: ONNX Runtime {got[0]}, after onnx-graphsurgeon {got[1]}, after onnxoptimizer {got[2]}")
    assert got == [right, folded, optimized]
EOF
