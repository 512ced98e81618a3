#!/usr/bin/env bash
# Expected: `with threadpool_limits(1)` in any thread sets OpenBLAS to one thread, and afterwards what it was before.
# What happens: from threadpoolctl 3.8 on the first thread that sets a limit owns OpenBLAS's number of threads until
#   it has undone it. After one call threadpool_limits(2) without `with` (an import, a notebook's first cell), the
#   limits of all other threads do nothing for BLAS, silently; 3.7 obeyed each.
# Why it matters: a worker that must be serial (its products' bits depend on the number of threads, and its neighbours
#   use the other cores) is not, depending on what another thread did once. Read threadpool_info() back inside the
#   limit.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
if [ "$(nproc)" -lt 2 ]; then echo "needs two CPUs" && exit 0; fi
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6
for version in 3.7.0 3.8.0; do
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check threadpoolctl==$version
OPENBLAS_NUM_THREADS=2 "$dir/venv/bin/python" - <<'EOF'
from concurrent.futures import ThreadPoolExecutor

import numpy
import threadpoolctl


def blas():
    return [pool["num_threads"] for pool in threadpoolctl.threadpool_info() if pool["user_api"] == "blas"][0]


def limited():
    with threadpoolctl.threadpool_limits(1):
        return blas()


def in_worker():
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(limited).result()


first = in_worker()
threadpoolctl.threadpool_limits(2)  # what it was already
second = in_worker()
version = threadpoolctl.__version__
print(f"numpy {numpy.__version__} threadpoolctl {version}: BLAS's threads in a worker's threadpool_limits(1):", end=" ")
print(f"{first}; after the main thread called threadpool_limits(2): {second}")
assert (first, second) == ((1, 1) if version == "3.7.0" else (1, 2))
EOF
done
