#!/usr/bin/env bash
# Expected: Pillow's ImageFilter.Kernel is either a correlation, as in OpenCV and in convolution networks, or a
#   convolution, which turns the kernel by 180 degrees, as in SciPy.
# What happens: it is neither. The kernel is turned upside down and not left to right, in 3×3 and 5×5. And the outer
#   pixels, one or two a side, are not filtered but copied, so they are left in the picture at full brightness by an
#   edge filter.
# Why it matters: a kernel that is checked with one that is symmetric, or with Sobel's in x, passes; Sobel's in y comes
#   out with its sign turned, embossing and motion blurs go another way. A layer whose weights come from such a filter,
#   or whose test uses one, disagrees. Give it the rows in reverse order. (The documentation has half a sentence of it.)
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 scipy==1.17.1 pillow==13.0.0
"$dir/venv/bin/python" - <<'EOF'
import numpy as np
import PIL
from PIL import Image, ImageFilter
from scipy.ndimage import convolve, correlate

print("pillow", PIL.__version__)
rng = np.random.default_rng(0)
image = rng.integers(0, 8, (12, 12), dtype=np.uint8)
for size in (3, 5):
    kernel = rng.integers(0, 2, (size, size)) + np.eye(size, dtype=int)
    got = np.array(Image.fromarray(image).filter(ImageFilter.Kernel((size, size), kernel.ravel().tolist(), scale=1)))
    edge, inner = size // 2, (slice(size // 2, -(size // 2)),) * 2
    same = {
        "correlation": correlate(image, kernel),
        "convolution": convolve(image, kernel),
        "correlation with kernel[::-1]": correlate(image, kernel[::-1]),
    }
    same = {name: np.array_equal(got[inner], right[inner]) for name, right in same.items()}
    print(f"{size}x{size}: {same}")
    assert list(same.values()) == [False, False, True]
    for border in (np.s_[:edge], np.s_[-edge:], np.s_[:, :edge], np.s_[:, -edge:]):
        assert np.array_equal(got[border], image[border])

down = np.array([[-1, -2, -1], [0, 0, 0], [1, 2, 1]])  # Sobel's in y: positive where it gets brighter downwards
ramp = Image.fromarray(np.arange(6, dtype=np.uint8)[:, None] * np.ones((1, 6), np.uint8))
for name, kernel in (("as it is", down), ("rows reversed", down[::-1])):
    value = ramp.filter(ImageFilter.Kernel((3, 3), kernel.ravel().tolist(), scale=1, offset=100)).getpixel((3, 3)) - 100
    print(f"Sobel's kernel in y, {name}, over a slope of 1 downwards: {value}")
    assert value == (-8 if name == "as it is" else 8)
EOF
