#!/usr/bin/env bash
# Expected: output_padding of a transposed convolution, as in PyTorch, Keras and ONNX, chooses among the sizes that a
#   strided convolution maps to one: the last row and column are computed, and the bias is on them.
# What happens: MindSpore's Conv2dTranspose computes the smaller result and puts zeros below and beside it, without the
#   bias. Its Conv3dTranspose with the same weights, one deep, computes the row and the column.
# Why it matters: padding 1 and output_padding 1 is the usual way to double a map with a 3×3 kernel. Weights load, the
#   shape is right, and the bottom and right edge of every such layer are 0. Compute without padding and crop instead.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==1.26.4 mindspore==2.10.0
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
import mindspore
import numpy as np
from mindspore import Tensor, nn

print("mindspore", mindspore.__version__)
mindspore.set_device("CPU")
BIAS = 5
rng = np.random.default_rng(0)
image, weight = (rng.standard_normal((1, 1, 3, 3)).astype(np.float32) for _ in range(2))


def right(output_padding):
    """Every pixel times the kernel, two pixels apart, less one row and column of padding at each end."""
    result = np.zeros((7 + output_padding, 7 + output_padding), np.float32)
    for row, column in np.ndindex(3, 3):
        result[2 * row : 2 * row + 3, 2 * column : 2 * column + 3] += image[0, 0, row, column] * weight[0, 0]
    return result[1:-1, 1:-1] + BIAS


def flat(output_padding):
    layer = nn.Conv2dTranspose(1, 1, 3, 2, "pad", 1, output_padding, has_bias=True)
    layer.weight.set_data(Tensor(weight))
    layer.bias.set_data(Tensor(np.float32([BIAS])))
    return layer(Tensor(image)).asnumpy()[0, 0]


def deep(output_padding):
    paddings = (0, 0, 1, 1, 1, 1), (0, output_padding, output_padding)
    layer = nn.Conv3dTranspose(1, 1, (1, 3, 3), (1, 2, 2), "pad", paddings[0], output_padding=paddings[1])
    layer.weight.set_data(Tensor(weight[None]))
    return layer(Tensor(image[None])).asnumpy()[0, 0, 0] + BIAS


for output_padding in (0, 1):
    known = right(output_padding)
    got, in_space = flat(output_padding), deep(output_padding)
    print(f"output_padding {output_padding}, last row: right {known[-1].round(2)},", end=" ")
    print(f"Conv2dTranspose {got[-1].round(2)}, Conv3dTranspose {in_space[-1].round(2)}")
    assert got.shape == known.shape and np.allclose(in_space, known, atol=1e-4)
    assert np.allclose(got[:5, :5], known[:5, :5], atol=1e-4)
    assert not got[5:].any() and not got[:, 5:].any()
EOF
