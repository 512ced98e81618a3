#!/usr/bin/env bash
# Expected: threadpool_limits(1) limits the process: every pool that threadpool_info() lists, whoever uses it.
# What happens: OpenBLAS is limited for every Python thread, OpenMP only for the thread that asked. Inside the limit,
#   a new thread has 4 OpenMP threads and 1 of BLAS; a limit set in a worker and left there holds for OpenMP in that
#   worker alone, and takes BLAS's threads from the whole process.
# Why it matters: work that is handed to a ThreadPoolExecutor or a Dask worker under `with threadpool_limits(1)` runs
#   convolutions with every thread and matrix products with one; a race of the two compares different numbers of
#   threads. Set the limit inside the function that does the work, or pass num_threads.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 scipy==1.17.1 scikit-learn==1.8.0 \
  threadpoolctl==3.8.0
OMP_NUM_THREADS=4 OPENBLAS_NUM_THREADS=2 "$dir/venv/bin/python" - <<'EOF'
import os
from concurrent.futures import ThreadPoolExecutor

import numpy
import sklearn
import threadpoolctl
from sklearn.utils import _openmp_helpers  # brings libgomp

print("numpy", numpy.__version__, "scikit-learn", sklearn.__version__, "threadpoolctl", threadpoolctl.__version__)


def threads():
    return {pool["user_api"]: pool["num_threads"] for pool in threadpoolctl.threadpool_info()}


def in_worker(function):
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result()


blas = threads()["blas"]  # 2 where there are two CPUs
print("no limit:", threads())
with threadpoolctl.threadpool_limits(1):
    here, worker = threads(), in_worker(threads)
print("inside threadpool_limits(1): here", here, "in a worker", worker)
assert here == {"blas": 1, "openmp": 1} and worker == {"blas": 1, "openmp": 4}
in_worker(lambda: threadpoolctl.threadpool_limits(1))
print("after a worker called threadpool_limits(1) and ended: here", threads(), "BLAS had", blas)
assert threads() == {"blas": 1, "openmp": 4}
EOF
