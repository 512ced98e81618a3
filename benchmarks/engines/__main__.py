"""One engine in a process of its own: `python -m engines NAME THREADS`.

Its first line is JSON, the version of the library or why there is none. Each line that it reads is JSON too: a folder
with a model to prepare, or for how many seconds to run it. Each is answered by a line: whether it is ready, its output
in FOLDER/NAME.npy, or the median time of a call in seconds.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from statistics import median
from time import perf_counter

import numpy as np

from . import ENGINES
from .model import Model

MIN_CALLS = 3  # in a turn, however long a call takes


def main():
    name, threads = sys.argv[1], int(sys.argv[2])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # some engines chatter on the standard output: not among the answers

    def answer(value):
        print(json.dumps(value), file=answers, flush=True)

    file, function = ENGINES[name]
    try:
        engine = import_module(f".{file}", __package__)
        answer({"version": engine.version()})
    except Exception as error:
        answer({"error": _in_short(error)})
        return
    for line in sys.stdin:
        asked = json.loads(line)
        if isinstance(asked, str):
            run = result = None  # the memory of the model before
            try:
                run, result = getattr(engine, function)(Model.load(Path(asked)), threads)
                run()
                np.save(Path(asked, f"{name}.npy"), result())
                answer({})
            except Exception as error:  # whatever it is: the row goes on without this engine, and says why
                answer({"error": _in_short(error)})
        else:
            answer(seconds_a_call(run, asked))


def _in_short(error):
    return f"{type(error).__name__}: {error}".splitlines()[0]


def seconds_a_call(run, seconds):
    """The median over calls made for so many seconds, after one that warms up."""
    run()
    times, end = [], perf_counter() + seconds
    while len(times) < MIN_CALLS or perf_counter() < end:
        start = perf_counter()
        run()
        times.append(perf_counter() - start)
    return median(times)


if __name__ == "__main__":
    main()
