"""Processes that keep a CPU busy: a loop that does nothing, bound to no CPU, of the same priority and session.

They read a pipe of the process that started them, and end when it is closed: also when that process was killed.
"""

import subprocess
import sys
import time

# The loop has a thread of its own; the main thread waits for questions, and answers (seconds now, seconds computed).
_SPIN = """
import os, sys, threading, time

def spin():
    while True:
        pass

threading.Thread(target=spin, daemon=True).start()
print(flush=True)
for line in sys.stdin:
    print(time.perf_counter(), time.process_time(), flush=True)
os._exit(0)
"""
_SETTLING = 0.2  # seconds, in which the system spreads new processes over the CPUs


class Busy:
    """Context in which `count` processes are busy."""

    def __init__(self, count):
        self.count, self.processes = count, []

    def __enter__(self):
        command = [sys.executable, "-I", "-S", "-c", _SPIN]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        try:
            for _ in range(self.count):
                self.processes.append(subprocess.Popen(command, text=True, **pipes))
            for process in self.processes:
                process.stdout.readline()
        except BaseException:
            self.__exit__()
            raise
        time.sleep(_SETTLING)
        return self

    def __exit__(self, *error):
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.communicate()

    def cpus(self, seconds):
        """How much of a CPU each process gets during these seconds."""
        before = self._clocks()
        time.sleep(seconds)
        after = self._clocks()
        return [(after[i][1] - before[i][1]) / (after[i][0] - before[i][0]) for i in range(self.count)]

    def _clocks(self):
        for process in self.processes:
            print(file=process.stdin, flush=True)
        return [[float(word) for word in process.stdout.readline().split()] for process in self.processes]
