"""The first process in the emulated machine: mounts what Linux programs expect, and runs the command."""

import ctypes
import json
import os
import signal
import subprocess
import sys

MOUNTS = ("devtmpfs", "/dev"), ("proc", "/proc"), ("sysfs", "/sys"), ("tmpfs", "/tmp")
ENVIRONMENT = {"PYTHONPATH": "/tree:/tree/tests", "HOME": "/root", "PATH": "/bin", "OMP_WAIT_POLICY": "passive"}


def main():
    libc = ctypes.CDLL(None, use_errno=True)
    for kind, folder in MOUNTS:
        libc.mount(kind.encode(), folder.encode(), kind.encode(), 0, None)
    with open("/command") as file:
        command = json.load(file)
    environment = {**ENVIRONMENT, **command["environment"]}
    done = subprocess.run([sys.executable, *command["arguments"]], cwd="/tree", env=environment)
    print(f"\nexit code {done.returncode}", flush=True)
    signal.pause()  # the kernel would panic without it


if __name__ == "__main__" and os.getpid() == 1:
    main()
