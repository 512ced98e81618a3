#!/usr/bin/env bash
# Expected: LiteRT's reference kernels (OpResolverType.BUILTIN_REF) are the slow and simple form of the others: local
#   response normalisation with depth_radius=2 sums the squares of five channels, two on either side.
# What happens: the reference kernel leaves the last of them out: with a radius of 2 it sums four channels, with 1 two,
#   the channel itself and the one before. The optimised kernel, with and without XNNPACK, and TensorFlow are right.
# Why it matters: the reference is what tools compare with to find faults of the fast kernels, of a delegate or of a port
#   to a microcontroller. AlexNet and GoogLeNet have such layers with alphas of 1e-4 / 5, where the difference hides in a
#   tolerance until activations are in the hundreds.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 tensorflow-cpu==2.21.0 \
    ai-edge-litert==2.3.0
TF_CPP_MIN_LOG_LEVEL=3 "$dir/venv/bin/python" - 2> /dev/null <<'EOF'
from importlib.metadata import version

import numpy as np
import tensorflow as tf
from ai_edge_litert.interpreter import Interpreter, OpResolverType

print(*(f"{name} {version(name)}" for name in ("tensorflow-cpu", "ai-edge-litert")))
BIAS, ALPHA, BETA = 1, 0.5, 0.75
image = np.random.default_rng(0).standard_normal((1, 2, 2, 8)).astype(np.float32) * 3


def normalised(before, after):
    """Each channel over the power of its own square and those of so many channels before and after it."""
    windows = [np.square(image[..., max(0, c - before) : c + after + 1]).sum(-1) for c in range(image.shape[-1])]
    return image / (BIAS + ALPHA * np.stack(windows, -1)) ** BETA


def run(model, kind):
    interpreter = Interpreter(model_content=model, experimental_op_resolver_type=kind)
    interpreter.allocate_tensors()
    interpreter.set_tensor(interpreter.get_input_details()[0]["index"], image)
    interpreter.invoke()
    return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])


kinds = OpResolverType.AUTO, OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES, OpResolverType.BUILTIN_REF
for radius in (1, 2, 3):
    traced = tf.function(
        lambda x: tf.nn.local_response_normalization(x, radius, BIAS, ALPHA, BETA),
        input_signature=[tf.TensorSpec(image.shape, tf.float32)],
    )
    model = tf.lite.TFLiteConverter.from_concrete_functions([traced.get_concrete_function()]).convert()
    right, errors = normalised(radius, radius), {}
    assert np.allclose(traced(image), right, atol=1e-5)
    for kind in kinds:
        errors[kind.name] = round(float(abs(run(model, kind) - right).max()), 3)
    print(f"radius {radius}: off by {errors}")
    assert list(errors.values())[:2] == [0, 0] and errors["BUILTIN_REF"] > 0.1
    assert np.allclose(run(model, OpResolverType.BUILTIN_REF), normalised(radius, radius - 1), atol=1e-5)
EOF
