#!/usr/bin/env bash
# Expected: a layer or group norm does not depend on the mean of what it normalises: with 1000 added to each pixel the
#   result has a standard deviation of 1 as before, up to the digits that the input itself lost.
# What happens: flax takes the variance as E[x²] - E[x]² in float32 (use_fast_variance=True, the default, in LayerNorm,
#   GroupNorm, InstanceNorm and BatchNorm, in linen and nnx). At mean 1000 and deviation 1 the layer norm of 4 channels
#   has values in the hundreds; at 10000 the group norm of 2048 values does too. Keras's GroupNormalization computes so
#   on torch as well, and its ops.moments gives negative variances there; on JAX it is right.
# Why it matters: images in 0..255, heights, depths and biased maps have such means; ported weights give garbage for
#   some channels, where equinox, haiku's layer norm and torch are right. Pass use_fast_variance=False.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 jax==0.10.2 flax==0.12.8 \
  keras==3.15.1
cat > "$dir/norms.py" <<'EOF'
import flax
import jax
import keras
import numpy as np
from flax import linen

backend = keras.backend.backend()
print("flax", flax.__version__, "keras", keras.__version__, "on", backend)
image = np.random.default_rng(0).standard_normal((1, 32, 32, 4), np.float32)


def deviation(layer, x):
    if isinstance(layer, linen.Module):
        return float(np.std(layer.init_with_output(jax.random.key(0), x)[0]))
    return float(np.std(keras.ops.convert_to_numpy(layer(x))))


fast = {"LayerNorm": linen.LayerNorm(), "GroupNorm": linen.GroupNorm(num_groups=2)}
exact = {
    "LayerNorm, exact": linen.LayerNorm(use_fast_variance=False),
    "GroupNorm, exact": linen.GroupNorm(num_groups=2, use_fast_variance=False),
}
(fast if backend == "torch" else exact)["Keras GroupNormalization"] = keras.layers.GroupNormalization(groups=2)
for mean, wrong in ((0, ()), (1000, ("LayerNorm",)), (10000, tuple(fast))):
    x = image + np.float32(mean)
    got = {name: deviation(layer, x) for name, layer in (fast | exact).items()}
    print(f"mean {mean}, deviations:", {name: round(value, 3) for name, value in got.items()})
    for name in exact | ({} if mean else fast):
        assert abs(got[name] - 1) < 0.01
    for name in wrong:
        assert not 0.5 < got[name] < 2
variance = np.array(keras.ops.convert_to_numpy(keras.ops.moments(image + np.float32(10000), (1, 2))[1])).ravel()
print("keras.ops.moments at mean 10000, variances:", variance.round(3), "right:", image.var((1, 2)).ravel().round(3))
assert (np.abs(variance - image.var((1, 2)).ravel()).max() > 1) == (backend == "torch")
EOF
for backend in jax torch; do
    KERAS_BACKEND=$backend "$dir/venv/bin/python" "$dir/norms.py" 2> "$dir/log" || { cat "$dir/log"; exit 1; }
done
