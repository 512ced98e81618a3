#!/usr/bin/env bash
# Expected: libvips' resize, in pyvips and in Node's sharp, takes pixels as areas, whose corners stay at the corners:
#   doubled linearly, 10, 20, … 80 is 10, 12.5, 17.5, … 77.5, 80, as in Pillow, OpenCV and torch; and a mirrored image
#   gives the mirrored result. Made smaller it is so.
# What happens: enlarged with linear, cubic, mitchell or lanczos it is moved by half a pixel of the result to the right
#   and down: 10, 10, 15, 20, … 75, 80. A mirrored image gives other values than the mirrored result.
# Why it matters: sharp brings the images to a network's size in JavaScript. A small image that is enlarged for a
#   detector or for super-resolution is not where the training had it, and a mean over an image and its mirror blurs.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cd "$dir"
python3 -m venv venv
venv/bin/pip install --quiet --disable-pip-version-check numpy==2.4.6 pyvips==3.2.0 pyvips-binary==8.18.7
venv/bin/python - <<'EOF'
import numpy as np
import pyvips

print("libvips", *(pyvips.version(part) for part in range(3)))
image = np.arange(1, 9, dtype=np.float32) * 10 + np.zeros((8, 1), np.float32)


def resized(image, scale, kernel):
    return pyvips.Image.new_from_array(np.ascontiguousarray(image)).resize(scale, kernel=kernel).numpy()[1]


def interpolated(n, scale, shift):
    """The right values of n pixels, or those of a result moved by half of its pixels."""
    return 10 + 10 * np.clip((np.arange(n) + shift) / scale - 0.5, 0, 7)


for scale in (1.5, 2, 4):
    n = int(8 * scale)
    right, got = interpolated(n, scale, 0.5), resized(image, scale, "linear")
    print(f"{scale} times, linear: {', '.join(f'{x:.1f}' for x in got)}\n  right: {', '.join(f'{x:.1f}' for x in right)}")
    assert np.allclose(got, interpolated(n, scale, 0), atol=1e-3) and not np.allclose(got, right, atol=1)
for kernel in ("linear", "cubic", "mitchell", "lanczos2", "lanczos3"):
    for scale in (0.5, 2):
        mirrored = resized(image[:, ::-1], scale, kernel)[::-1]
        assert np.allclose(mirrored, resized(image, scale, kernel), atol=1e-3) == (scale < 1)
EOF
npm install --silent --no-audit --no-fund sharp@0.35.5
cat > resize.js <<'EOF'
const assert = require('assert');
const sharp = require('sharp');

(async () => {
  console.log('sharp', sharp.versions.sharp, 'libvips', sharp.versions.vips);
  const rows = Buffer.from(Array(8).fill([10, 20, 30, 40, 50, 60, 70, 80]).flat());
  const { data, info } = await sharp(rows, { raw: { width: 8, height: 8, channels: 1 } })
    .resize(16, 16, { kernel: 'linear' }).raw().toBuffer({ resolveWithObject: true });
  const got = Array.from({ length: 16 }, (_, x) => data[(16 + x) * info.channels]);
  console.log(`twice, linear: ${got}`);
  assert.deepStrictEqual(got, [10, 10, 15, 20, 25, 30, 35, 40, 45, 50, 55, 60, 65, 70, 75, 80]);
})();
EOF
node resize.js
