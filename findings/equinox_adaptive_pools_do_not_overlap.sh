#!/usr/bin/env bash
# Expected: AdaptiveAvgPool and AdaptiveMaxPool of equinox.nn, named as in torch, give torch's values: output i is taken
#   over the pixels from floor(i·n/m) to ceil((i + 1)·n/m), so windows overlap where m does not divide n.
# What happens: equinox cuts the row into pieces that do not overlap, the long ones first: 10 pixels to 7 are windows of
#   2, 2, 2, 1, 1, 1, 1. Only where m divides n are both equal; with fewer pixels than outputs equinox raises
#   ZeroDivisionError, where torch repeats pixels.
# Why it matters: AlexNet and VGG have such a pool before their dense layers, from 6 or 7 pixels a side. At their usual
#   image sizes a port from torch passes every test; at another size the classes change.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 jax==0.10.2 equinox==0.13.8 torch==2.13.0
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOF' || { cat "$dir/log"; exit 1; }
import equinox
import numpy as np
import torch

print("equinox", equinox.__version__, "torch", torch.__version__)
wanted = {
    (10, 7): [0.5, 2.5, 4.5, 6, 7, 8, 9],
    (5, 3): [0.5, 2.5, 4],
    (9, 3): [1, 4, 7],
}
for (pixels, outputs), values in wanted.items():
    row = np.arange(pixels, dtype=np.float32)[None]
    ours = np.asarray(equinox.nn.AdaptiveAvgPool1d(outputs)(row))[0]
    torchs = torch.nn.AdaptiveAvgPool1d(outputs)(torch.tensor(row)).numpy()[0]
    print(f"averages of {pixels} pixels, {outputs} outputs: equinox {ours}, torch {torchs}")
    assert np.allclose(ours, values) and np.allclose(ours, torchs) == (pixels % outputs == 0)
    image = np.tile(row[0], (pixels, 1))[None]
    assert np.allclose(np.asarray(equinox.nn.AdaptiveAvgPool2d(outputs)(image))[0, 0], values)
row = np.arange(10, dtype=np.float32)[None, ::-1].copy()
ours = np.asarray(equinox.nn.AdaptiveMaxPool1d(4)(row))[0]
torchs = torch.nn.AdaptiveMaxPool1d(4)(torch.tensor(row)).numpy()[0]
print(f"maxima of 9 to 0, 4 outputs: equinox {ours}, torch {torchs}")
assert ours.tolist() == [9, 6, 3, 1] and torchs.tolist() == [9, 7, 4, 2]
try:
    equinox.nn.AdaptiveAvgPool1d(7)(row[:, :3])
    raise SystemExit("3 pixels to 7 outputs no longer raise")
except ZeroDivisionError as error:
    print("3 pixels, 7 outputs:", error)
EOF
