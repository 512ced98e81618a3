#!/usr/bin/env bash
# Expected: jax2onnx writes a model that gives what the JAX function gives, or refuses an operator whose corners ONNX
#   has otherwise.
# What happens: jax.image.resize "nearest" to half the size takes pixels 1, 3 and 5, the exported Resize 0, 2 and 4,
#   since it rounds ties down; factors without ties agree. jax.nn.one_hot(-1) is all zeros and becomes the last class.
#   lax.dynamic_slice moves a start that is too far back so that the size stays; the exported Slice just ends, and a row
#   of 2 becomes one of 1. lax.round, which rounds halves away from zero unless told otherwise, becomes ONNX's to even.
# Why it matters: the map is a pixel off, which tests with doubled sizes pass; -1 is the usual mark of "no class",
#   masked in a loss by the zeros; windows cut near a border change their shape at run time. Slice [1::2] instead of
#   resizing, mask -1 yourself, and clip starts before slicing.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 jax==0.10.2 flax==0.12.8 jax2onnx==0.17.1 \
    onnx==1.23.2 onnxruntime==1.32.0
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { tail -5 "$dir/log"; exit 1; }
from importlib.metadata import version

import jax
import jax2onnx
import numpy as np
import onnxruntime as ort
from jax import lax

print(*(f"{name} {version(name)}" for name in ("jax2onnx", "jax", "onnxruntime")))


def exported(function, *inputs):
    model = jax2onnx.to_onnx(function, [jax.ShapeDtypeStruct(x.shape, x.dtype) for x in inputs])
    session = ort.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    return session.run(None, dict(zip((value.name for value in session.get_inputs()), inputs)))[0].tolist()


def nearest(size):
    return lambda x: jax.image.resize(x, (size,), "nearest")


row, start, classes = np.arange(6, dtype=np.float32), np.array(5, np.int32), np.array([1, -1], np.int32)
for text, function, inputs, right, got in (
    ("nearest, 6 to 3", nearest(3), (row,), [1, 3, 5], [0, 2, 4]),
    ("nearest, 6 to 4", nearest(4), (row,), [0, 2, 3, 5], [0, 2, 3, 5]),
    ("nearest, 6 to 12", nearest(12), (row,), np.repeat(row, 2).tolist(), np.repeat(row, 2).tolist()),
    ("every second", lambda x: x[1::2], (row,), [1, 3, 5], [1, 3, 5]),
    ("one_hot([1, -1])", lambda x: jax.nn.one_hot(x, 3), (classes,), [[0, 1, 0], [0, 0, 0]], [[0, 1, 0], [0, 0, 1]]),
    ("dynamic_slice of 2 from 5 on", lambda x, i: lax.dynamic_slice(x, (i,), (2,)), (row, start), [4, 5], [5]),
    ("lax.round", lax.round, (row / 2,), [0, 1, 1, 2, 2, 3], [0, 0, 1, 2, 2, 2]),
):
    eager, result = function(*inputs).tolist(), exported(function, *inputs)
    print(f"{text}: JAX {eager}, exported {result}")
    assert (eager, result) == (right, got)
EOF
