#!/usr/bin/env bash
# Expected: onnxoptimizer's default passes keep what a model computes. Two Reshapes in a row may become one where the
#   second says the shape outright; a 0 in it means "as in my input".
# What happens: the pass eliminate_consecutive_idempotent_ops, one of the defaults, takes Reshape for such an operator
#   and drops the first one, whatever the second says. A 0 then copies another dimension: (2, 4, 6, 6) to (4, 2, 36) to
#   [0, -1] is (4, 72), afterwards (2, 144), with the same bytes and no error. Where the sizes do not divide, the model
#   no longer runs.
# Why it matters: 0 is how exporters say that a size is kept whatever the batch (flattening, heads, channel shuffles),
#   and a Reshape behind a Reshape is common there. A matrix of other shape fails only at the next product; a softmax or
#   a mean over the last axis behind it is just wrong. Leave the pass out of the list.
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
from onnx import checker, numpy_helper, parser

print(*(f"{name} {version(name)}" for name in ("onnx", "onnxoptimizer", "onnxruntime")))
wrong = "eliminate_consecutive_idempotent_ops"
passes = onnxoptimizer.get_fuse_and_elimination_passes()
assert wrong in passes


def run(model, image):
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, {"x": image})[0]


image = np.random.default_rng(0).standard_normal((2, 4, 6, 6)).astype(np.float32)
for first, second, kept in (([4, 2, 36], [0, -1], False), ([-1, 2, 36], [0, 72], False), ([4, 2, 36], [4, -1], True)):
    model = parser.parse_model(
        '<ir_version: 9, opset_import: ["": 20]> g (float[2,4,6,6] x) => (float[a,b] y)'
        "{r = Reshape(x, first) s = Reshape(r, second) y = Softmax<axis=-1>(s)}"
    )
    shapes = {"first": first, "second": second}
    model.graph.initializer.extend(numpy_helper.from_array(np.array(value), name) for name, value in shapes.items())
    checker.check_model(model, full_check=True)
    right = run(model, image)
    without = run(onnxoptimizer.optimize(model, [name for name in passes if name != wrong]), image)
    try:
        got = run(onnxoptimizer.optimize(model), image)
        print(f"{first} then {second}: {right.shape}, optimised {got.shape}, without the pass {without.shape}")
        assert (got.shape == right.shape) == kept
    except ort.capi.onnxruntime_pybind11_state.Fail:
        print(f"{first} then {second}: {right.shape}, optimised it does not run, without the pass {without.shape}")
        assert second == [0, 72]
    assert np.array_equal(right, without)
EOF
