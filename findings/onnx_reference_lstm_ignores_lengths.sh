#!/usr/bin/env bash
# Expected: the onnx library's own evaluator computes an LSTM as the node says it, or raises.
# What happens: it leaves out sequence_lens, activations, clip and input_forget without a word, and gives what the plain
#   layer gives. ONNX Runtime follows all four; its clip bounds the gates, but not the cell before the last activation,
#   which the standard's text ("applied to the input of activations") has too.
# Why it matters: the evaluator is the usual oracle. A padded batch of sequences looks right with it to the last row, and
#   every row that is shorter is wrong, the state after it too.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
"$dir/venv/bin/python" - <<'EOF'
import numpy as np
import onnx
import onnxruntime as ort
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

print("onnx", onnx.__version__, "onnxruntime", ort.__version__)
STEPS, BATCH, INPUTS, HIDDEN = 5, 2, 3, 4
rng = np.random.default_rng(0)
x, w, r = (rng.standard_normal(s, np.float32) for s in ((STEPS, BATCH, INPUTS), (1, 16, INPUTS), (1, 16, HIDDEN)))
lengths = np.array([5, 2], np.int32)


def both(told_lengths=False, **attributes):
    names = ["x", "w", "r", "", "lengths"] if told_lengths else ["x", "w", "r"]
    node = helper.make_node("LSTM", names, ["y"], hidden_size=HIDDEN, **attributes)
    given = helper.make_tensor_value_info("x", TensorProto.FLOAT, x.shape)
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, [STEPS, 1, BATCH, HIDDEN])
    constants = [("w", w), ("r", r), ("lengths", lengths)][: 2 + told_lengths]
    tensors = [numpy_helper.from_array(array, name) for name, array in constants]
    graph = helper.make_graph([node], "g", [given], [result], tensors)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 14)], ir_version=8)
    onnx.checker.check_model(model)
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return ReferenceEvaluator(model).run(None, {"x": x})[0], session.run(None, {"x": x})[0]


plain, engine = both()
assert np.allclose(plain, engine, atol=1e-6)
for name, how in {
    "sequence_lens": {"told_lengths": True},
    "activations": {"activations": ["HardSigmoid", "Relu", "Softsign"]},
    "clip": {"clip": 0.1},
    "input_forget": {"input_forget": 1},
}.items():
    reference, engine = both(**how)
    print(f"{name:14} onnx.reference {reference[-1, 0, 1].round(4)}, ONNX Runtime {engine[-1, 0, 1].round(4)}")
    assert np.array_equal(reference, plain) and not np.allclose(engine, plain, atol=1e-3)
EOF
