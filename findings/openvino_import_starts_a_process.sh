#!/usr/bin/env bash
# Expected: importing an inference library reads files and starts no process.
# What happens: `import openvino` reports its use from a thread of its own, which starts a process by multiprocessing;
#   on Linux with Python up to 3.13 that is a fork, at a moment when other libraries' threads may hold locks. Nothing of
#   the model or the program asks for it, and no argument turns it off; with CI=true in the environment it stays away.
# Why it matters: a benchmark that forks engines, or ends them, finds a child that it did not start; a library with a pool
#   of threads must expect a fork between any two of its calls.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 openvino==2026.4.1
cat >"$dir/look.py" <<'EOF'
import multiprocessing
import threading
import time
from importlib.metadata import version
from multiprocessing.process import BaseProcess

started = []


def start(self):  # nothing is started here
    started.append(threading.current_thread() is threading.main_thread())


BaseProcess.start = start
import openvino  # noqa: E402, F401

time.sleep(5)
print(f"openvino {version('openvino')}, by {multiprocessing.get_start_method()}:", end=" ")
print(f"{len(started)} started, {started.count(False)} of them by another thread than the importing one")
EOF
by_default=$(env -u CI "$dir/venv/bin/python" "$dir/look.py" 2>"$dir/errors")
in_ci=$(CI=true "$dir/venv/bin/python" "$dir/look.py" 2>>"$dir/errors")
printf 'by default:   %s\nwith CI=true: %s\n' "$by_default" "$in_ci"
[[ $by_default == *": 1 started, 1 of them"* && $in_ci == *": 0 started, 0 of them"* ]]
