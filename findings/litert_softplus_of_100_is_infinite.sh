#!/usr/bin/env bash
# Expected: softplus(100) is 100 in LiteRT, as in TensorFlow, and log_sigmoid(-100) is -100.
# What happens: the converter has no softplus and writes log(1 + exp(x)). With XNNPACK, the default, values from 88.7 on
#   become inf, and log_sigmoid, its mirror, -inf; without XNNPACK both stop at 88.72, so that 1000 becomes 88.72 as
#   well.
# Why it matters: variances, rates and depths (exp's safe replacement) are softplus heads, and losses are made of
#   log_sigmoid: the number is plausible on one backend and inf on the other, for inputs that nothing else minds. Write
#   max(x, 0) + log1p(exp(-|x|)), which is right on both.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 tensorflow-cpu==2.21.0
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { tail -5 "$dir/log"; exit 1; }
import numpy as np
import tensorflow as tf

print("tensorflow", tf.__version__)
plain = tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES


def converted(function, x):
    traced = tf.function(function, input_signature=[tf.TensorSpec(x.shape, x.dtype)], autograph=False)
    return tf.lite.TFLiteConverter.from_concrete_functions([traced.get_concrete_function()]).convert()


def answer(content, x, **options):
    interpreter = tf.lite.Interpreter(model_content=content, **options)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], x)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


def written(x):
    return tf.maximum(x, 0.0) + tf.math.log1p(tf.exp(-tf.abs(x)))


inf = np.inf
x = np.array([1, 80, 90, 100, 1000], np.float32)
layer = tf.keras.layers.Activation("softplus")
for text, function, values, default, builtin in (
    ("tf.nn.softplus", tf.nn.softplus, x, [1.313, 80, inf, inf, inf], [1.313, 80, 88.723, 88.723, 88.723]),
    ("Keras's softplus", layer, x, [1.313, 80, inf, inf, inf], [1.313, 80, 88.723, 88.723, 88.723]),
    ("log_sigmoid", tf.math.log_sigmoid, -x, [-1.313, -80, -inf, -inf, -inf], [-1.313, -80, -88.723, -88.723, -88.723]),
    ("max and log1p", written, x, [1.313, 80, 90, 100, 1000], [1.313, 80, 90, 100, 1000]),
):
    right, content = function(tf.constant(values)).numpy(), converted(function, values)
    got = answer(content, values), answer(content, values, experimental_op_resolver_type=plain)
    print(f"{text} of {values}: TensorFlow {right}, LiteRT {got[0]}, without XNNPACK {got[1]}")
    assert np.allclose(np.abs(right), written(tf.constant(x)))
    assert np.allclose(got[0], default, rtol=1e-3) and np.allclose(got[1], builtin, rtol=1e-3)
EOF
