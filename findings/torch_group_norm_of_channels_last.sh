#!/usr/bin/env bash
# Expected: torch's group_norm gives the same for a map in either memory format, up to rounding: channels_last changes
#   where values lie, and the norms of PyTorch compute a variance from differences to a mean.
# What happens: for channels_last on a CPU its group norm takes the mean of the squares less the square of the mean, in
#   float32. Values of mean 100 and deviation 1 are off by 0.01 to 0.1, of mean 1000 by hundreds: the difference is
#   cancelled, even below 0 where it counts as 0. In the plain format they are off by 1e-5 and 1e-4, and so are instance
#   norm and batch norm's training, or nearly so, in both.
# Why it matters: channels_last is what PyTorch recommends for convolutions, one call turns a network into it, and a
#   group norm behind an image in 0 to 255 or behind a bias sees such means. The NaN that would tell does not come. Make
#   the map contiguous before the norm, or take the mean off.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0
"$dir/venv/bin/python" - <<'EOF'
import torch
from torch.nn import functional

torch.set_num_threads(1)
print("torch", torch.__version__)
noise = torch.randn((1, 32, 56, 56), generator=torch.Generator().manual_seed(0))
norms = {
    "group norm": lambda x: functional.group_norm(x, 8),
    "instance norm": functional.instance_norm,
    "batch norm, training": lambda x: functional.batch_norm(x, None, None, training=True),
}
for mean, least in ((0, 0), (100, 0.01), (1000, 100)):
    image = noise + mean
    formats = image, image.contiguous(memory_format=torch.channels_last)
    assert torch.equal(*formats)
    for name, norm in norms.items():
        right = norm(image.double())
        plain, last = ((norm(x) - right).abs().max().item() for x in formats)
        print(f"{name}, mean {mean}: off by {plain:.1g}, channels_last by {last:.1g}")
        assert plain < 2e-4
        assert least < last < 1e4 if name == "group norm" and least else last < 5e-3
EOF
