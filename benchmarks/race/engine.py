"""The processes that engines run in."""

import json
import os
import subprocess
import sys
from pathlib import Path

from benchmarks.engines import ENGINES
from benchmarks.race.rows import OURS

SUITE = Path(__file__).parents[1]


class Engine:
    """A process that runs one engine, started when it is first asked, and again where it died of a question.

    PEERS_PYTHON may name the interpreter that has the others.
    """

    def __init__(self, name, threads):
        file, _ = ENGINES[name]
        python = sys.executable if file.startswith(OURS) else os.environ.get("PEERS_PYTHON", sys.executable)
        self.name = name
        self.command = os.path.abspath(python), "-m", "engines", name, str(threads)
        path = os.pathsep.join(filter(None, [str(SUITE), os.environ.get("PYTHONPATH")]))
        self.environment = os.environ | {"PYTHONPATH": path}
        self.process = None

    def start(self):
        """{"version": that of its library}, or {"error": why it does not run}."""
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
        checkout = SUITE.parent  # whose fastconv is found first there, whichever is installed
        self.process = subprocess.Popen(self.command, text=True, env=self.environment, cwd=checkout, **pipes)
        return self._answer() or {"error": "crashed at its start"}

    def prepare(self, folder):
        """None where the engine is ready to run the model that stands in this folder, or else what hinders it."""
        if (self.process is None or self.process.poll() is not None) and "error" in (started := self.start()):
            return started["error"]
        answer = self._ask(model=str(folder))
        return "crashed" if answer is None else answer.get("error")

    def turn(self, seconds, gap=0):
        """The record of a turn of `seconds`, with `gap` seconds between calls, from `engines`; None if it crashed."""
        return self._ask(seconds=seconds, gap=gap)

    def burnt(self, idle):
        """Seconds of processor time that it takes in the `idle` seconds after calls; None if it crashed."""
        return self._ask(idle=idle)

    def _ask(self, **question):
        try:
            print(json.dumps(question), file=self.process.stdin, flush=True)
            return self._answer()
        except BrokenPipeError:
            return None

    def _answer(self):
        answer = json.loads(self.process.stdout.readline() or "null")
        if answer is None:
            self.process.wait()
        return answer

    def close(self):
        if self.process:
            self.process.communicate()  # the end of its input ends it
