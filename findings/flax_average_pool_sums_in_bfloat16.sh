#!/usr/bin/env bash
# Expected: an average pool of bfloat16 or float16 sums in float32 and rounds the mean, as jax.numpy.mean does.
# What happens: avg_pool of Flax and Haiku adds in the map's type, by jax.lax.reduce_window: a 112×112 map of sixes is
#   2.6 in bfloat16, since the sum stays at 32768, and infinite in float16. The 7×7 map of 256, 257, … 304, whose mean
#   280 is a bfloat16, gives 286. jnp.nanmean has 8 and inf for the sixes. max_pool and jnp.mean are right.
# Why it matters: bfloat16 is the usual type of networks on JAX, and many end in such a pool: the error is more than the
#   type's own, grows with the image, and no value looks strange. Take jnp.mean(x, axis=(1, 2)).
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 jax==0.10.2 flax==0.12.8 dm-haiku==0.0.17
JAX_PLATFORMS=cpu "$dir/venv/bin/python" - <<'EOF'
from importlib.metadata import version

import haiku
import jax.numpy as jnp
import numpy as np
from flax import linen

print(*(f"{name} {version(name)}" for name in ("jax", "flax", "dm-haiku")))
maps = {"112×112 sixes": np.full((112, 112), 6.0), "7×7 of 256 … 304": np.arange(256.0, 305).reshape(7, 7)}
known = {
    ("112×112 sixes", "bfloat16"): (32768 / 112**2, 8),
    ("112×112 sixes", "float16"): (np.inf, np.inf),
    ("7×7 of 256 … 304", "bfloat16"): (286, None),
    ("7×7 of 256 … 304", "float16"): (None, None),
}
for name, values in maps.items():
    for dtype in ("bfloat16", "float16"):
        x = jnp.asarray(values, dtype)[None, :, :, None]
        n = len(values)
        flax = linen.avg_pool(x, (n, n)).item()
        other = haiku.avg_pool(x, (1, n, n, 1), (1, 1, 1, 1), "VALID").item()
        mean, nanmean = jnp.mean(x).item(), jnp.nanmean(x).item()
        print(f"{name}, {dtype}: Flax {flax:.4g}, Haiku {other:.4g}, nanmean {nanmean:.4g}, mean {mean:.4g}")
        assert abs(mean / values.mean() - 1) < 0.004 and flax == other
        pool, naive = known[name, dtype]
        assert pool is None or np.isclose(flax, pool, rtol=0.004)
        assert naive is None or nanmean == naive
        assert linen.max_pool(x, (n, n)).item() == x.max().item()
EOF
