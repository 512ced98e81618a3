#!/usr/bin/env bash
# Expected: tf.reduce_mean of a uint8 image is the whole part of its mean, in LiteRT too, as it is for int32 and int64
#   there; int8 and int16, which LiteRT does not have, are refused by the converter.
# What happens: the converter writes a MEAN of uint8 without complaint, and LiteRT answers 0 for every image, with
#   XNNPACK and without, in TensorFlow's interpreter and in ai-edge-litert: it takes the bytes for quantised ones, and
#   their scale, which is not set, for 0.
# Why it matters: brightness and colour normalisation are computed on the bytes of a camera before anything else, and
#   zeros are valid values: a black image. Cast to int32 or float32 before the mean.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 tensorflow-cpu==2.21.0 \
    ai-edge-litert==2.3.0
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { tail -5 "$dir/log"; exit 1; }
from importlib.metadata import version

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter

print(*(f"{name} {version(name)}" for name in ("tensorflow-cpu", "ai-edge-litert")))
plain = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES


def converted(function, image):
    traced = tf.function(function, input_signature=[tf.TensorSpec(image.shape, image.dtype)], autograph=False)
    return tf.lite.TFLiteConverter.from_concrete_functions([traced.get_concrete_function()]).convert()


def answer(interpreter, image):
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"]).ravel().tolist()


image = np.arange(100, 148).reshape(1, 4, 4, 3)
for text, dtype, function, got in (
    ("mean by colour, uint8", "uint8", lambda x: tf.reduce_mean(x, (1, 2)), [0, 0, 0]),
    ("mean by colour, int32", "int32", lambda x: tf.reduce_mean(x, (1, 2)), [122, 123, 124]),
    ("mean of rows and colours, uint8", "uint8", lambda x: tf.reduce_mean(x, (1, 3)), [0, 0, 0, 0]),
    ("mean of uint8 cast to int32", "uint8", lambda x: tf.reduce_mean(tf.cast(x, tf.int32), (1, 2)), [122, 123, 124]),
):
    x = image.astype(dtype)
    right, content = function(tf.constant(x)).numpy().ravel().tolist(), converted(function, x)
    results = [
        answer(tf.lite.Interpreter(model_content=content), x),
        answer(tf.lite.Interpreter(model_content=content, experimental_op_resolver_type=plain), x),
        answer(Interpreter(model_content=content), x),
    ]
    print(f"{text}: TensorFlow {right}, LiteRT {results[0]}, without XNNPACK {results[1]}, ai-edge-litert {results[2]}")
    assert results == [got] * 3 and (right == got) == any(got)
EOF
