#!/usr/bin/env bash
# Expected: paddle.nn.functional.interpolate with align_corners=False has its pixels in the middle of their areas, for
#   every size: one pixel of an odd row is the row's middle one, as three of nine are the middles of thirds.
# What happens: where a side of the result is one pixel, it takes the first row or column: (1, 1) is the corner at the
#   top left. "bilinear" with align_mode=0 and "bicubic" both, each axis for itself; the bicubic corner of an image of 0
#   to 80 is -0.94. From two pixels on they are right; "area" is right.
# Why it matters: pyramids and global contexts shrink to 1×1, thumbnails of strips to one row. The value is one of the
#   image's own, so it looks right, and a plain image does not show it.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 paddlepaddle==3.3.1
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
import numpy as np
import paddle
import paddle.nn.functional as F

print("paddlepaddle", paddle.__version__)
SIZE = 9
x = np.arange(SIZE * SIZE, dtype=np.float32).reshape(1, 1, SIZE, SIZE)  # 9 * row + column
for mode, arguments in (("bilinear", {"align_mode": 0}), ("bicubic", {})):
    for rows, columns in ((1, 1), (1, 9), (9, 1), (3, 3)):
        y = F.interpolate(paddle.to_tensor(x), (rows, columns), mode=mode, align_corners=False, **arguments)
        middle = y.numpy()[0, 0, rows // 2, columns // 2]
        print(f"{mode} to {rows}x{columns}: the middle is {middle:.3f}, right {x[0, 0, SIZE // 2, SIZE // 2]}")
        assert np.isclose(middle, 40, atol=1e-3) == (rows > 1 and columns > 1)
        if mode == "bilinear":
            assert middle == SIZE * (4 if rows > 1 else 0) + (4 if columns > 1 else 0)
area = F.interpolate(paddle.to_tensor(x), (1, 1), mode="area").numpy().item()
print("area to 1x1:", area)
assert area == 40
EOF
