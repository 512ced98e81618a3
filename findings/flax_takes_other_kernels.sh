#!/usr/bin/env bash
# Expected: filling a flax network from a state compares shapes, as linen's apply does for parameters: nnx.update(model,
#   state) and serialization.from_bytes(target, data) refuse a kernel of another size. What from_bytes reads is what was
#   written.
# What happens: only names are compared. nnx.update puts a 1 × 1 kernel in the place of a 3 × 3 one, and with padding
#   "SAME" the convolution goes on with it and gives maps of the same shape. from_bytes takes running statistics of one
#   value for four channels, which linen then broadcasts, and float64 for bfloat16. Its format keeps the name of a dtype
#   without the byte order: big-endian 0, 1, 2, 3 (of a file of another machine) come back as 0 and denormals.
# Why it matters: a state of the wrong variant of a network gives answers, bad ones, where PyTorch names the layer.
#   Compare jax.tree.map(jnp.shape, …) of both before, and write array.astype(array.dtype.newbyteorder("=")).
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 jax==0.10.2 flax==0.12.8
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { tail -5 "$dir/log"; exit 1; }
from importlib.metadata import version

import flax
import jax
import jax.numpy as jnp
import numpy as np
from flax import linen, nnx, serialization

print(*(f"{name} {version(name)}" for name in ("flax", "jax", "numpy")))
image = jnp.ones((1, 8, 8, 4))
net, other = (nnx.Conv(4, 6, (size, size), rngs=nnx.Rngs(0)) for size in (3, 1))
before = net(image).shape
nnx.update(net, nnx.state(other))
print("nnx: a 3 × 3 kernel is now", net.kernel.shape, "and the maps", before, "are", net(image).shape)
assert net.kernel.shape == (1, 1, 4, 6) and net(image).shape == before
assert np.array_equal(net(image), other(image))

norm = linen.BatchNorm(use_running_average=True)
variables = norm.init(jax.random.key(0), image)
stranger = {"params": variables["params"], "batch_stats": {"mean": np.ones(1), "var": np.ones(1)}}
filled = serialization.from_bytes(variables, serialization.to_bytes(stranger))
means, maps = filled["batch_stats"]["mean"], norm.apply(filled, image)
print("linen: means of 4 channels are now", means, "and the maps", maps.shape)
assert means.shape == (1,) and maps.shape == image.shape

conv, pointwise = linen.Conv(6, (3, 3)), linen.Conv(6, (1, 1))
variables, stranger = (layer.init(jax.random.key(0), image) for layer in (conv, pointwise))
filled = serialization.from_bytes(variables, serialization.to_bytes(stranger))
assert filled["params"]["kernel"].shape == (1, 1, 4, 6)
try:
    conv.apply(filled, image)
    raise SystemExit("linen's apply takes another kernel")
except flax.errors.ScopeParamShapeError as error:
    print("linen's apply:", str(error)[:60], "...")
scale = serialization.from_bytes({"scale": jnp.ones(6, jnp.bfloat16)}, serialization.to_bytes({"scale": np.ones(6)}))
print("a bfloat16 target is filled with", scale["scale"].dtype)
assert scale["scale"].dtype == np.float64

written = np.arange(4, dtype=">f4")
read = serialization.msgpack_restore(serialization.msgpack_serialize({"x": written}))["x"]
print("written", written, written.dtype, "read", read, read.dtype)
assert read.dtype == np.float32 and np.array_equal(read.view(">f4"), written) and 0 < read[1] < 1e-40
EOF
