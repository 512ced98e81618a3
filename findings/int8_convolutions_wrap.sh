#!/usr/bin/env bash
# Expected: a convolution of int8 images with int8 weights gives int32 sums, as ONNX's ConvInteger does, or is refused.
# What happens: torch.nn.functional.conv2d and jax.lax.conv_general_dilated take int8 and give int8, the sums modulo
#   256: nine times 100 * 100, which is 90000, is -112. Neither warns. JAX gives int32 with
#   preferred_element_type=jnp.int32, torch has no such argument.
# Why it matters: an oracle for a quantised convolution that is written in one of them is right for small tests, whose
#   sums stay in ±127, and noise for real weights. Convert images and weights to int32 first (float32 is exact up to
#   2^24).
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 jax==0.10.2
"$dir/venv/bin/python" -W error - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
import jax
import jax.numpy as jnp
import numpy as np
import torch

print("torch", torch.__version__, "jax", jax.__version__)
rng = np.random.default_rng(0)
for text, image, weight in (
    ("100s", np.full((1, 1, 3, 3), 100, np.int8), np.full((1, 1, 3, 3), 100, np.int8)),
    ("noise", *(rng.integers(-128, 128, shape, dtype=np.int8) for shape in ((2, 16, 9, 9), (8, 16, 3, 3)))),
):
    windows = np.lib.stride_tricks.sliding_window_view(image.astype(np.int32), (3, 3), (2, 3))
    right = np.einsum("ncyxrs,kcrs->nkyx", windows, weight)
    by_torch = torch.conv2d(torch.from_numpy(image), torch.from_numpy(weight)).numpy()
    by_jax = np.array(jax.lax.conv(image, weight, (1, 1), "VALID"))
    wide = np.array(jax.lax.conv(image, weight, (1, 1), "VALID", preferred_element_type=jnp.int32))
    print(f"{text}: right {right.ravel()[:3]}, torch {by_torch.ravel()[:3]}, jax {by_jax.ravel()[:3]}")
    for got in (by_torch, by_jax):
        assert got.dtype == np.int8 and np.array_equal(got, right.astype(np.int8)) and not np.array_equal(got, right)
    assert np.array_equal(wide, right)
    assert np.array_equal(torch.conv2d(torch.from_numpy(image).int(), torch.from_numpy(weight).int()).numpy(), right)
EOF
