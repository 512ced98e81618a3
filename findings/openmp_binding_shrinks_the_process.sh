#!/usr/bin/env bash
# Expected: OMP_PROC_BIND or OMP_PLACES, often set for benchmarks, place the threads of OpenMP regions; they act when
#   a region starts, on its threads, and the rest of the process keeps all CPUs.
# What happens: *importing* a package that brings libgomp (scikit-learn here, or torch) binds the importing
#   thread to the first place, before any region. os.sched_getaffinity(0), from which counts of CPUs are taken, then
#   says 1, and every thread and child process that is started later inherits the one CPU.
# Why it matters: engines with their own pools (ONNX Runtime, OpenVINO, XNNPACK), process pools and data loaders end
#   up on one core and look slow in a race; a default of threads "one for each CPU that I may use" becomes 1. Count
#   the CPUs before the import, or leave both variables unset.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
if [ "$(nproc)" -lt 2 ]; then echo "needs two CPUs" && exit 0; fi
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 scipy==1.17.1 scikit-learn==1.8.0
unset OMP_PROC_BIND OMP_PLACES GOMP_CPU_AFFINITY
for setting in A=0 OMP_PROC_BIND=false OMP_PROC_BIND=true OMP_PLACES=threads; do
env "$setting" "$dir/venv/bin/python" - "$setting" <<'EOF'
import os
import subprocess
import sys
import threading

before = len(os.sched_getaffinity(0))
import sklearn
from sklearn.utils import _openmp_helpers  # its libgomp is loaded now; no region has run

after = len(os.sched_getaffinity(0))
counted = []
thread = threading.Thread(target=lambda: counted.append(len(os.sched_getaffinity(0))))
thread.start()
thread.join()
count = "import os; print(len(os.sched_getaffinity(0)))"
child = int(subprocess.run([sys.executable, "-c", count], capture_output=True, text=True, check=True).stdout)
print(f"scikit-learn {sklearn.__version__}, {sys.argv[1]}: CPUs before the import {before}, after {after},", end=" ")
print(f"in a new thread {counted[0]}, in a child {child}")
bound = sys.argv[1] in ("OMP_PROC_BIND=true", "OMP_PLACES=threads")
assert (after < before) == (counted[0] < before) == (child < before) == bound
EOF
done
