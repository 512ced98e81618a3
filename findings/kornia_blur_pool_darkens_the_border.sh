#!/usr/bin/env bash
# Expected: kornia's blur_pool2d and max_blur_pool2d, made after "Making convolutional networks shift-invariant again",
#   reflect the border as that paper's code and timm's do, and kornia's own blurs: a plain image stays plain.
# What happens: they pad with zeros and count them. Of a plain 1 the first row and column become 3/4 and the corner 9/16
#   (5×5: 11/16 and 121/256), and the last ones too where the size is odd. gaussian_blur2d, box_blur and pyrdown of the
#   same image are 1 everywhere.
# Why it matters: weights that were trained with the paper's layer (antialiased ResNets) give other maps, and each of a
#   network's four or five strides darkens the border again. Pad by reflection, blur, and leave the margin out instead.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 kornia==0.9.0
"$dir/venv/bin/python" - <<'EOS'
import kornia
import torch
from kornia import filters
from kornia.geometry import pyrdown

print("kornia", kornia.__version__, "torch", torch.__version__)
for size in (8, 9):
    plain = torch.ones(1, 1, size, size)
    for name, function, side in (
        ("blur_pool2d 3", lambda x: filters.blur_pool2d(x, 3), 3 / 4),
        ("blur_pool2d 5", lambda x: filters.blur_pool2d(x, 5), 11 / 16),
        ("max_blur_pool2d 3", lambda x: filters.max_blur_pool2d(x, 3), 3 / 4),
        ("gaussian_blur2d 3", lambda x: filters.gaussian_blur2d(x, (3, 3), (0.8, 0.8)), 1),
        ("box_blur 3", lambda x: filters.box_blur(x, (3, 3)), 1),
        ("pyrdown", pyrdown, 1),
    ):
        got = function(plain)[0, 0]
        corner, first, middle = got[0, 0].item(), got[0, 2].item(), got[2, 2].item()
        print(f"{name} of {size}×{size} ones: corner {corner:.4f}, first row {first:.4f}, middle {middle:.4f}")
        assert abs(corner - side**2) < 1e-5 and abs(first - side) < 1e-5 and abs(middle - 1) < 1e-5
        if size == 9 and name.startswith("blur_pool2d"):
            assert abs(got[-1, -1].item() - side**2) < 1e-5
EOS
