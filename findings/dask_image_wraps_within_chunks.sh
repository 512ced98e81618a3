#!/usr/bin/env bash
# Expected: dask_image.ndfilters gives what scipy.ndimage gives, in every mode, for any chunks: mode="wrap" goes on at
#   the other end of the image.
# What happens: it goes on at the other end of the chunk: the filters of the outer chunks wrap by themselves, so that
#   the row above the first one is the last one of the first chunk and its halo. So do the uniform, gaussian, maximum,
#   median, percentile and generic filters, laplace, sobel and prewitt. convolve and correlate are right, and one chunk
#   hides it. The other modes are right.
# Why it matters: wrap is there for maps of the globe and periodic simulations, chunks for those that are large; the
#   seam is wrong by the size of the values themselves, and moves when the chunks do. Write the filter as a convolution,
#   or use map_overlap with boundary="periodic".
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 scipy==1.17.1 dask==2026.8.0 \
    dask-image==2026.5.0
"$dir/venv/bin/python" - <<'EOF'
from importlib.metadata import version

import dask.array as da
import numpy as np
from dask_image import ndfilters
from scipy import ndimage

print("dask-image", version("dask-image"), "dask", version("dask"), "scipy", version("scipy"))
image = np.random.default_rng(0).standard_normal((24, 24))
filters = {
    "uniform_filter": {"size": 3},
    "gaussian_filter": {"sigma": 1},
    "maximum_filter": {"size": 3},
    "median_filter": {"size": 3},
    "percentile_filter": {"size": 3, "percentile": 30},
    "generic_filter": {"size": 3, "function": np.mean},
    "laplace": {},
    "sobel": {"axis": 0},
    "convolve": {"weights": np.ones((3, 3)) / 9},
    "correlate": {"weights": np.ones((3, 3)) / 9},
}
for name, options in filters.items():
    for mode in ("reflect", "nearest", "mirror", "constant", "wrap"):
        right = getattr(ndimage, name)(image, mode=mode, **options)
        whole, chunked = (
            getattr(ndfilters, name)(da.from_array(image, chunks=chunks), mode=mode, **options).compute()
            for chunks in (24, 8)
        )
        wrong = mode == "wrap" and name not in ("convolve", "correlate")
        assert np.allclose(whole, right) and np.allclose(chunked, right) != wrong
        if wrong:
            depth = 4 if "gaussian" in name else 1
            inside = np.s_[depth:-depth, depth:-depth]
            print(f"{name}, wrap: {abs(chunked - right).max():.2f} off in {(~np.isclose(chunked, right)).sum()} pixels")
            assert np.allclose(chunked[inside], right[inside])

# the mean of the rows 1, 2 and the one before 1: 9 is the last row of the first chunk and its halo, 24 the image's
rows = np.arange(1.0, 25)[:, None] + np.zeros((24, 24))
got = ndfilters.uniform_filter(da.from_array(rows, chunks=8), size=3, mode="wrap").compute()[0, 0]
right = ndimage.uniform_filter(rows, 3, mode="wrap")[0, 0]
print(f"rows of 1 to 24, mean around the first: {got}, SciPy {right}")
assert np.isclose(got, (9 + 1 + 2) / 3) and np.isclose(right, (24 + 1 + 2) / 3)
EOF
