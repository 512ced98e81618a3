#!/usr/bin/env bash
# Expected: keras.ops.image.gaussian_blur(images) blurs each colour over rows and columns, on every backend; where
#   data_format is left out, Keras's setting holds, which is channels_last.
# What happens: on JAX and on torch a data_format that is left out counts as channels_first: an image (rows, columns, 3)
#   is blurred along the columns and across the *colours*, with zeros beside red and blue, and not along the rows. Of a
#   grey 0.5 red and blue become 0.36, green stays. On NumPy, or with data_format="channels_last", it is right.
# Why it matters: shapes are right and the picture looks blurred, with a tint. Preprocessing that was written on one
#   backend gives another network's input on the next. The layer RandomGaussianBlur names its format and is right.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 jax==0.10.2 keras==3.15.1
cat > "$dir/blur.py" <<'EOF'
import keras
import numpy as np

SIZE, SIGMA = 3, 1.0
taps = np.exp(-0.5 * (np.arange(SIZE) - 1) ** 2 / SIGMA**2)
taps /= taps.sum()
image = np.random.default_rng(0).random((1, 9, 9, 3)).astype(np.float32)


def blurred(x, *axes):
    """Blurred along some axes, with zeros around."""
    for axis in axes:
        x = np.apply_along_axis(np.convolve, axis, x, taps, "same")
    return x


def ours(x, **arguments):
    result = keras.ops.image.gaussian_blur(x, (SIZE, SIZE), (SIGMA, SIGMA), **arguments)
    return np.array(keras.ops.convert_to_numpy(result))


backend = keras.backend.backend()
assert keras.config.image_data_format() == "channels_last"
grey = ours(np.full((1, 9, 9, 3), 0.5, np.float32))[0, 4, 4]
print(f"keras {keras.__version__} on {backend}: the middle of a grey 0.5 becomes {grey.round(3)}")
wrong = backend != "numpy"
assert np.allclose(ours(image), blurred(image, 2, 3) if wrong else blurred(image, 1, 2), atol=1e-5)
assert np.allclose(grey, [0.363, 0.5, 0.363] if wrong else 0.5, atol=1e-3)
assert np.allclose(ours(image, data_format="channels_last"), blurred(image, 1, 2), atol=1e-5)
EOF
for backend in numpy jax torch; do
    KERAS_BACKEND=$backend "$dir/venv/bin/python" "$dir/blur.py" 2> "$dir/log" || { cat "$dir/log"; exit 1; }
done
