#!/usr/bin/env bash
# Expected: where an ONNX Attention has fewer heads of keys and values than of queries (grouped queries), consecutive
#   query heads share one: of four on two, the first and second take the first. ONNX says so, ONNX Runtime computes so,
#   and so do PyTorch's enable_gqa and Llama's repeat_kv.
# What happens: tinygrad's OnnxRunner repeats all heads of keys and values as a whole: the second query head takes the
#   second, the third the first. Some heads are right by chance, the first and last among them. Nothing is said; with
#   one head for all, or as many as of queries, all is right.
# Why it matters: language and vision models of the last years have grouped queries. Every shape is right, and tests
#   with one group or one head pass. Write the keys and values out with an Expand and a Reshape before the Attention.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 \
    tinygrad==0.14.0
export DEV=CPU CACHEDB="$dir/cache.db"
"$dir/venv/bin/python" - "$dir/net.onnx" 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
import sys
from importlib.metadata import version

import numpy as np
import onnx
import onnxruntime as ort
from onnx import parser
from tinygrad.nn.onnx import OnnxRunner

print(*(f"{name} {version(name)}" for name in ("tinygrad", "onnxruntime")))
SIZE = 8
rng = np.random.default_rng(0)


def attention(q, k, v):
    scores = q @ k.swapaxes(-1, -2) / SIZE**0.5
    weights = np.exp(scores - scores.max(-1, keepdims=True))
    return weights / weights.sum(-1, keepdims=True) @ v


for heads, shared in ((4, 4), (4, 1), (4, 2), (6, 2), (6, 3)):
    shapes = {"q": (1, heads, 5, SIZE), "k": (1, shared, 5, SIZE), "v": (1, shared, 5, SIZE)}
    feeds = {name: rng.standard_normal(shape, np.float32) for name, shape in shapes.items()}
    inputs = ", ".join(f"float[{','.join(map(str, shape))}] {name}" for name, shape in shapes.items())
    text = f'<ir_version: 10, opset_import: ["": 23]> g ({inputs}) => (float[a,b,c,d] y) {{y = Attention(q, k, v)}}'
    onnx.save(parser.parse_model(text), sys.argv[1])

    q, keys, values = feeds["q"], feeds["k"], feeds["v"]
    groups = heads // shared
    right = attention(q, keys.repeat(groups, 1), values.repeat(groups, 1))
    in_turn = attention(q, np.tile(keys, (1, groups, 1, 1)), np.tile(values, (1, groups, 1, 1)))
    session = ort.InferenceSession(sys.argv[1], providers=["CPUExecutionProvider"])
    assert np.allclose(session.run(None, feeds)[0], right, atol=1e-4)
    (got,) = (result.numpy() for result in OnnxRunner(sys.argv[1])(feeds).values())
    same = [bool(np.allclose(got[0, head], right[0, head], atol=1e-4)) for head in range(heads)]
    print(f"{heads} query heads on {shared}: tinygrad's heads are right {same}")
    assert np.allclose(got, in_turn, atol=1e-4) and all(same) == (shared in (1, heads))
EOF
