#!/usr/bin/env bash
# Expected: dask.array.pad(x, n, mode="reflect") is numpy.pad of the same, or an error where x has fewer than n + 1 values.
# What happens: where the padding is wider than x, the result is shorter, because reflections are cut off. "symmetric"
#   does the same; "edge" is right. No error, no warning, whatever the chunks.
# Why it matters: a convolution with a large or dilated kernel over a small map, or over few rows of a large one, gives a
#   map of another size, and what is stored beside it lies elsewhere. Index by numpy.pad(numpy.arange(len(x)), n, mode).
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check dask==2026.8.0 numpy==2.4.6
cat > "$dir/pad.py" <<'EOF'
import dask
import dask.array as da
import numpy as np

print("dask", dask.__version__, "numpy", np.__version__)
x = np.arange(4)
for mode in "reflect", "symmetric", "edge":
    want = np.pad(x, 5, mode)
    for chunk in 4, 2:
        got = da.pad(da.from_array(x, chunk), 5, mode).compute()
        print(f"{mode}: NumPy {want}, dask in chunks of {chunk} {got}")
        assert (len(got) < len(want)) == (mode != "edge")
for mode in "reflect", "symmetric":
    assert np.array_equal(da.pad(da.from_array(x, 2), 3, mode).compute(), np.pad(x, 3, mode))
EOF
"$dir/venv/bin/python" "$dir/pad.py"
