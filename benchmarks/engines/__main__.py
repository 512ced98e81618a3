"""One engine in a process of its own: `python -m engines NAME THREADS`.

Its first line is JSON, the version of the library or why there is none. Each line that it reads is JSON too, one of

    {"model": FOLDER}               prepare it, and put its output into FOLDER/NAME.npy: {} or {"error": why}
    {"seconds": …, "gap": seconds}  run it for a turn, the calls so far apart: a record of its times, see `turn`
    {"idle": seconds}               the processor time that is burnt while so long no call is made: seconds

and is answered by a line.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from statistics import fmean, median
from time import perf_counter, process_time, sleep

import numpy as np

from . import ENGINES, VARIABLES
from .model import Model

MIN_CALLS = 3  # in a turn, however long a call takes
TRAIN = 0.01  # seconds of calls before the processor time after them is read
TRAINS = 5


def main():
    name, threads = sys.argv[1], int(sys.argv[2])
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # some engines chatter on the standard output: not among the answers

    def answer(value):
        print(json.dumps(value), file=answers, flush=True)

    os.environ.update(VARIABLES.get(name, {}))
    file, function = ENGINES[name]
    try:
        engine = import_module(f".{file}", __package__)
        answer({"version": engine.version()})
    except Exception as error:
        answer({"error": _in_short(error)})
        return
    for line in sys.stdin:
        asked = json.loads(line)
        if folder := asked.get("model"):
            run = result = None  # the memory of the model before
            try:
                run, result = getattr(engine, function)(Model.load(Path(folder)), threads)
                run()
                np.save(Path(folder, f"{name}.npy"), result())
                answer({})
            except Exception as error:  # whatever it is: the row goes on without this engine, and says why
                answer({"error": _in_short(error)})
        elif "idle" in asked:
            answer(burnt(run, **asked))
        else:
            answer(turn(run, **asked))


def _in_short(error):
    return f"{type(error).__name__}: {error}".splitlines()[0]


def turn(run, seconds, gap=0):
    """How many calls were made in `seconds`, after one that warms up; a call's mean, median and longest time.

    In a gap between two calls the caller is busy with something else.
    """
    run()
    times, end = [], perf_counter() + seconds
    while len(times) < MIN_CALLS or perf_counter() < end:
        _spin_until(perf_counter() + gap)
        start = perf_counter()
        run()
        times.append(perf_counter() - start)
    return {"calls": len(times), "mean": fmean(times), "median": median(times), "worst": max(times)}


def _spin_until(end):
    while perf_counter() < end:
        pass


def burnt(run, idle):
    """Seconds of processor time that this process takes while it makes no call, after a train of calls; the median."""
    found = []
    for _ in range(TRAINS):
        turn(run, TRAIN)
        before = process_time()
        sleep(idle)
        found.append(process_time() - before)
    return median(found)


if __name__ == "__main__":
    main()
