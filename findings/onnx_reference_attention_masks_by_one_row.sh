#!/usr/bin/env bash
# Expected: ONNX's Attention with is_causal=1 lets position i see the keys up to i, whatever attn_mask adds; the standard
#   says that attn_mask "must be broadcastable", so a row of zeros for all positions, (1, keys), changes nothing.
# What happens: with a mask of one row onnx's evaluator makes the causal mask of that one row and broadcasts it: every
#   position sees the first key alone. With a mask of all rows, or none, it is right. ONNX Runtime refuses the one row.
# Why it matters: a row for all positions is what masks of padding are, and the evaluator is what exporters and engines
#   are compared with; the result has the right shape and looks like any other.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOS' || { cat "$dir/log"; exit 1; }
import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper
from onnx.reference import ReferenceEvaluator

print("onnx", onnx.__version__, "onnxruntime", onnxruntime.__version__)
KEYS = 4
rng = np.random.default_rng(0)
feeds = {name: rng.standard_normal((1, 1, KEYS, 8)).astype(np.float32) for name in "qk"}
feeds["v"] = np.eye(KEYS, dtype=np.float32)[None, None]  # so that the result is what each position gives to each key


def attention(mask):
    node = helper.make_node("Attention", [*"qkv", *["m"] * (mask is not None)], ["y"], is_causal=1)
    given = feeds if mask is None else {**feeds, "m": mask}
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, x.shape) for name, x in given.items()]
    result = helper.make_tensor_value_info("y", TensorProto.FLOAT, (1, 1, KEYS, KEYS))
    graph = helper.make_graph([node], "g", inputs, [result])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 23)], ir_version=10)
    onnx.checker.check_model(model)
    evaluated = ReferenceEvaluator(model).run(None, given)[0][0, 0]
    try:
        session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
        return evaluated, session.run(None, given)[0][0, 0]
    except Exception as error:
        return evaluated, error


plain, by_runtime = attention(None)
assert np.allclose(plain, by_runtime, atol=1e-5) and (plain.diagonal() > 0).all() and not np.triu(plain, 1).any()
for rows in (KEYS, 1):
    evaluated, by_runtime = attention(np.zeros((rows, KEYS), np.float32))
    print(f"a mask of {rows} × {KEYS} zeros, onnx's evaluator:", *evaluated.round(2), sep="\n  ")
    if rows == 1:
        assert (evaluated == [1, 0, 0, 0]).all()
        assert isinstance(by_runtime, Exception) and "inconsistent q_sequence_length" in str(by_runtime)
    else:
        assert np.allclose(evaluated, plain, atol=1e-5) and np.allclose(by_runtime, plain, atol=1e-5)
EOS
