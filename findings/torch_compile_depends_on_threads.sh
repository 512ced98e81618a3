#!/usr/bin/env bash
# Expected: torch.set_num_threads changes how fast a compiled function runs, nothing else.
# What happens: the number of threads is among dynamo's guards. Each new number compiles the function again, and after
#   eight of them (recompile_limit) a new number runs in eager mode for good, with one line in the log.
# Why it matters: a server that gives each request a share of the cores, or a benchmark that sweeps over threads, compiles
#   for minutes and then times eager under the compiler's name. Count the backend's calls.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0
"$dir/venv/bin/python" - <<'EOF'
import torch

print("torch", torch.__version__)
compiled, ran = [], []


def backend(module, inputs):
    compiled.append(torch.get_num_threads())

    def run(*args):
        ran.append(torch.get_num_threads())
        return module(*args)

    return run


function = torch.compile(lambda x: x.relu() + 1, backend=backend)
for threads in range(1, 13):
    torch.set_num_threads(threads)
    function(torch.ones(3))
print("compiled for", compiled, "threads; the backend ran with", ran)
assert compiled == ran == [*range(1, 9)]
EOF
