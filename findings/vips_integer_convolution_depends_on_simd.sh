#!/usr/bin/env bash
# Expected: libvips' convolution with precision="integer" of a whole-numbered mask and a uint8 image is exact up to the
#   rounding of the division, on every CPU.
# What happens: with its vector code, which it takes by default, the mask is scaled to few bits first: [1, 20, 3] / 24
#   is off by up to 2, a 3×3 mean by 1, a 5×5 with weights of both signs by 9, and gaussblur with sigma 2.5 makes an
#   image brighter by 1 on average. With VIPS_NOVECTOR=1 the values are right; [1, 2, 1] / 4 is right in both.
# Why it matters: gaussblur and sobel of uint8 images take this precision without being asked, so that the same image
#   has other bits by an environment variable or in a build without that code. Ask for precision="float".
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 scipy==1.17.1 pyvips==3.2.0 \
    pyvips-binary==8.18.7
cat > "$dir/conv.py" <<'EOF'
import os

import numpy as np
import pyvips
from scipy import ndimage

vector = "VIPS_NOVECTOR" not in os.environ
print("libvips", *(pyvips.version(part) for part in range(3)), "with" if vector else "without", "vector code")
rng = np.random.default_rng(0)
image = rng.integers(0, 256, (32, 40), np.uint8)
masks = (
    ([[1, 2, 1]], 4, 0),
    ([[1, 20, 3]], 24, 2),
    ([[1, 1, 50]], 52, 2),
    ([[1, 1, 1]] * 3, 9, 1),
    (np.random.default_rng(4).integers(-9, 10, (5, 5)).tolist(), 7, 9),
)
for mask, scale, known in masks:
    exact = ndimage.correlate(image.astype(float), np.array(mask) / scale, mode="nearest")
    right = np.clip(np.floor(exact + 0.5), 0, 255)
    source, kernel = pyvips.Image.new_from_array(image), pyvips.Image.new_from_array(mask, scale=scale)
    error = abs(source.conv(kernel, precision="integer").numpy() - right).max()
    print(f"{mask} / {scale}: off by {error:g}")
    assert abs(source.conv(kernel, precision="float").numpy() - exact).max() < 1e-3
    assert error == (known if vector else 0)
blurs = [pyvips.Image.new_from_array(image).gaussblur(2.5, precision=p).numpy() for p in ("integer", "float")]
assert np.array_equal(pyvips.Image.new_from_array(image).gaussblur(2.5).numpy(), blurs[0])
error = (blurs[0] - blurs[1]).mean()
print(f"gaussblur, sigma 2.5: brighter by {error:.2f} than in float")
assert 0.8 < error < 1.2 if vector else abs(error) < 0.1
EOF
"$dir/venv/bin/python" "$dir/conv.py"
VIPS_NOVECTOR=1 "$dir/venv/bin/python" "$dir/conv.py"
