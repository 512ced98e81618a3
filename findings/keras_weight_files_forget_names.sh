#!/usr/bin/env bash
# Expected: a Keras 3 .weights.h5 file (also the one inside .keras) names weights as the model does, "left/kernel",
#   and load_weights brings each to the layer of that name, or raises.
# What happens: groups are named by the layer's class and its place among that class in model.layers ("conv2d_1"),
#   variables by numbers. load_weights goes by these: two layers of one shape whose names are exchanged get each
#   other's weights, without a word. "0" of a batch norm is gamma, or beta where scale=False. h5py lists conv2d_10
#   before conv2d_2.
# Why it matters: an importer has to rebuild model.layers (the order of config.json in the .keras file) and count
#   classes; one that sorts or goes by names assigns kernels to wrong layers wherever shapes are equal, as in every
#   repeated block.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 jax==0.10.2 jaxlib==0.10.2 \
  keras==3.15.1 h5py==3.16.0
cd "$dir"
KERAS_HOME="$dir" KERAS_BACKEND=jax JAX_PLATFORMS=cpu venv/bin/python - <<'EOF'
import h5py
import keras
import numpy as np
from keras import layers

print("numpy", np.__version__, "keras", keras.__version__, "h5py", h5py.__version__)


def network(names):
    x = y = keras.Input((4, 4, 1))
    for name in names:
        y = layers.Conv2D(1, 1, use_bias=False, name=name, kernel_initializer=keras.initializers.Constant(len(name)))(y)
    return keras.Model(x, layers.BatchNormalization(scale=False, name="norm", beta_initializer="ones")(y))


def kernels(model):
    return {name: float(model.get_layer(name).kernel[0, 0, 0, 0]) for name in ("left", "right")}


network(["left", "right"]).save_weights("net.weights.h5")
with h5py.File("net.weights.h5") as file:
    paths = [f"layers/{layer}/vars/0" for layer in ("conv2d", "conv2d_1", "batch_normalization")]
    stored = {path: float(file[path][...].item()) for path in paths}
    print("in the file:", stored)
    assert "left" not in file["layers"]
assert list(stored.values()) == [4, 5, 1]  # left's, right's, the norm's beta

other = network(["right", "left"])
print("same names, other order: before", kernels(other), end=" ")
other.load_weights("net.weights.h5")
print("after load_weights", kernels(other))
assert kernels(other) == {"right": 4, "left": 5}

network([f"c{i}" for i in range(11)]).save_weights("eleven.weights.h5")
with h5py.File("eleven.weights.h5") as file:
    order = [name for name in file["layers"] if name.startswith("conv")]
print("order in the file:", *order)
assert order[:4] == ["conv2d", "conv2d_1", "conv2d_10", "conv2d_2"]
EOF
