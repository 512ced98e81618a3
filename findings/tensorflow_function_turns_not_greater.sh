#!/usr/bin/env bash
# Expected: tf.function computes what the same lines compute eagerly; not (x > 0) holds for NaN, as in IEEE 754.
# What happens: TensorFlow's graph optimiser makes x <= 0 of logical_not(x > 0), and likewise with <, >= and <=, where
#   NaN gives the opposite. tf.where(logical_not(x > 0), 0, x) clears NaN eagerly and keeps it in a tf.function; so does
#   ~(x > 0). LiteRT's converter does the same, jit_compile=True does not, and neither does a tf.function with the
#   optimiser's arithmetic part off.
# Why it matters: "not greater" is how NaN is caught on purpose (masks of invalid depth, losses, clipping of gradients),
#   and a test without the decorator passes. Keras's fit, predict and every SavedModel run as functions. Ask
#   tf.math.is_nan.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 tensorflow-cpu==2.21.0
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { tail -5 "$dir/log"; exit 1; }
import numpy as np
import tensorflow as tf

print("tensorflow", tf.__version__)


def lite(function):
    traced = tf.function(function, input_signature=[tf.TensorSpec((3,), tf.float32)], autograph=False)
    content = tf.lite.TFLiteConverter.from_concrete_functions([traced.get_concrete_function()]).convert()
    interpreter = tf.lite.Interpreter(model_content=content)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


x = np.array([2, np.nan, -2], np.float32)
print("x", x)
for text, function, turned in (
    ("where(logical_not(x > 0), 0, x)", lambda x: tf.where(tf.logical_not(x > 0), 0.0, x), True),
    ("where(~(x > 0), 0, x)", lambda x: tf.where(~(x > 0), 0.0, x), True),
    ("where(logical_not(x >= 0), 0, x)", lambda x: tf.where(tf.logical_not(x >= 0), 0.0, x), True),
    ("-where(logical_not(-x < 0), 0, x)", lambda x: -tf.where(tf.logical_not(-x < 0), 0.0, x), True),
    ("where(x > 0, x, 0)", lambda x: tf.where(x > 0, x, 0.0), False),
    ("where(is_nan(x) | (x <= 0), 0, x)", lambda x: tf.where(tf.math.is_nan(x) | (x <= 0), 0.0, x), False),
):
    eager = function(tf.constant(x)).numpy()
    graph = tf.function(function, autograph=False)(tf.constant(x)).numpy()
    compiled = tf.function(function, autograph=False, jit_compile=True)(tf.constant(x)).numpy()
    print(f"{text}: eager {eager}, tf.function {graph}, jit_compile {compiled}, LiteRT {lite(function)}")
    assert not np.isnan(eager).any() and np.array_equal(eager, compiled)
    assert np.isnan(graph).any() == np.isnan(lite(function)).any() == turned
tf.config.optimizer.set_experimental_options({"arithmetic_optimization": False})
cleared = tf.function(lambda x: tf.where(tf.logical_not(x > 0), 0.0, x), autograph=False)(tf.constant(x)).numpy()
print("tf.function without arithmetic optimisation:", cleared)
assert not np.isnan(cleared).any()
EOF
