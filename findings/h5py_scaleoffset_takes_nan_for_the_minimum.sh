#!/usr/bin/env bash
# Expected: HDF5's scale-offset filter (h5py's scaleoffset=3) keeps floats to three digits behind the point, and a NaN
#   as NaN, or refuses it; or stores the chunk as it is, which it does for infinity and for values out of its range.
# What happens: a NaN behind the first value of a chunk becomes the chunk's smallest value: [1.234, nan, 2.5] comes back
#   as [1.234, 1.234, 2.5]. The array in the open file, and any read before it is closed, still show the NaN, since they
#   come from the cache.
# Why it matters: NaN marks what is missing in images of satellites and microscopes. After the file is closed it is a
#   plausible number in the image, another one in each chunk, and no mask or nanmean finds it. Store a mask beside it.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 h5py==3.16.0
"$dir/venv/bin/python" - "$dir/data.h5" <<'EOF'
import sys

import h5py
import numpy as np

print("h5py", h5py.__version__, "HDF5", h5py.version.hdf5_version)


def stored(values, digits):
    """The values in the file while it is open and when it is opened again."""
    with h5py.File(sys.argv[1], "w") as file:
        chunks = (min(len(values), 16),) * values.ndim
        dataset = file.create_dataset("x", data=values, scaleoffset=digits, chunks=chunks)
        before = dataset[:]
    with h5py.File(sys.argv[1]) as file:
        return before, file["x"][:]


nan = float("nan")
for dtype in (np.float32, np.float64):
    for values in ([1.234, nan, 2.5, 3.25], [-1.234, 3.25, -2.5, nan], [5, nan, nan, 3.25], [1, -np.inf, 2, 3]):
        values = np.array(values, dtype)
        before, after = stored(values, 2)
        print(f"{values} in the open file {before}, read again {after.round(3)}")
        assert np.array_equal(before, values, equal_nan=True)
        if np.isnan(values).any():
            assert np.allclose(after, np.where(np.isnan(values), np.nanmin(values), values), atol=0.01)
        else:
            assert np.array_equal(after, values)

image = np.random.default_rng(0).random((32, 32)) * 10 + 5
image[20:24, 20:24] = nan
after = stored(image, 3)[1]
least = np.nanmin(image[16:, 16:])
print(f"16 missing pixels: {np.isnan(after).sum()} NaN, values {after[21, 21]:.4f}, chunk's least {least:.4f}")
assert not np.isnan(after).any() and np.allclose(after[20:24, 20:24], least, atol=1e-3)
EOF
