#!/usr/bin/env bash
# Expected: a jitted function, jax.device_put and above all jnp.array(x), which is there to copy, have taken their
#   NumPy argument when they return; the array may be filled with the next image then.
# What happens: calls on the CPU return at once and read the array when they come to it. An array that begins at a
#   multiple of 64 bytes is not copied by device_put or by a jitted function, so what is written later is what they
#   see; jnp.array does copy, but only after the computations that are under way. (Other arrays are copied late too, a
#   half each at times.)
# Why it matters: a convolution library's buffers are aligned to 64 bytes and reused through out=, so a pipeline into
#   JAX mixes images. Write into a buffer again only after block_until_ready() of what read it (of jnp.array's result,
#   too).
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 jax==0.10.2 jaxlib==0.10.2
JAX_PLATFORMS=cpu "$dir/venv/bin/python" - <<'EOF'
import jax
import jax.numpy as jnp
import numpy as np

print("numpy", np.__version__, "jax", jax.__version__)


def image():
    """A million float32 ones that begin at a multiple of 64 bytes."""
    memory = np.empty(4_000_000 + 64, np.uint8)
    start = -memory.ctypes.data % 64
    x = memory[start : start + 4_000_000].view(np.float32).reshape(1000, 1000)
    x[:] = 1
    return x


@jax.jit
def network(x, one):
    """x, after many products of 1000x1000 ones, each scaled to ones again."""
    product = jax.lax.fori_loop(0, 60, lambda _, y: y @ y * 0.001, jnp.full(x.shape, one))
    return x + 0 * product


other = jnp.zeros((1000, 1000))
network(other, 1.0).block_until_ready()  # compiled
calls = {
    "network(x)": lambda x: network(x, 1.0),
    "device_put(x), waited for": lambda x: jax.device_put(x).block_until_ready(),
    "jnp.array(x) behind another network": lambda x: (network(other, 1.0), jnp.array(x))[1],
    "jnp.array(x), waited for": lambda x: jnp.array(x).block_until_ready(),
}
for (name, call), seen in zip(calls.items(), (7, 7, 7, 1)):
    x = image()
    result = call(x)
    x[:] = 7  # the next image
    print(f"{name}: called with ones, answers from an image of {result[0, 0]:g}s")
    assert result[0, 0] == result[-1, -1] == seen
EOF
