"""`python -m benchmarks.busy`: what a call takes while other processes keep the CPUs busy, and what it costs them.

Each engine has a process of its own, and they take turns: quiet, then beside 1, 2 and 4 processes that only spin, see
`benchmarks.busy.processes`. The fair share of a call is its own quiet time, the median, times what a fair system makes
of it, see `benchmarks.busy.results.slowdown`: with two threads on two CPUs 1.5, 2 and 3 beside 1, 2 and 4. A cell is
the mean of all calls of some seconds as a multiple of the fair share, and in brackets the longest call in
milliseconds. The mean is taken, and not the median, because a call that waits for a time slice may be rare and long.

A multiple may be less than 1: a system that balances its CPUs seldom gives the busy processes less than is fair, and
what two plain spinning processes got in the same places is printed first, as a multiple of their fair share too.

Two more columns are measured quietly: a call's time where the caller does something else between two of them, over its
time back to back; and the processor time that an engine's threads burn in the 0.1 s after a call.

Engines that are not installed are skipped; the environment variable PEERS_PYTHON may name another interpreter that has
them. Rows are those of the race.
"""

import argparse
import json
from pathlib import Path
from statistics import fmean
from time import sleep

import fastconv
from benchmarks import headline
from benchmarks.busy.processes import Busy
from benchmarks.busy.results import NAMES, Result, fair_cpu, head, lines, verdicts
from benchmarks.common import ALL_THREADS
from benchmarks.race.engine import Engine
from benchmarks.race.field import installed, prepare
from benchmarks.race.page import Run
from benchmarks.race.rows import groups

ROWS = (
    *("Fire 5", "bottleneck 512-128@28²", "Inception 3a", "1×1 512→128@28²", "3×3 128→128@28²"),
    *("SqueezeNet 1.1", "GoogLeNet"),
)
ENGINES = "fastconv_pool", "fastconv_openmp", "onnxruntime", "openvino", "torch", "ncnn"
IDLE = 0.1  # seconds: longer than most of these engines spin


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.busy", description=headline(__doc__))
    parser.add_argument("--busy", type=int, nargs="+", default=[1, 2, 4], metavar="N", help="busy processes")
    parser.add_argument("--threads", type=int, default=ALL_THREADS)
    parser.add_argument("--seconds", type=float, default=1.2, help="of measuring for each cell")
    parser.add_argument("--rounds", type=int, default=3, help="turns that these seconds are spread over")
    parser.add_argument("--gap", type=float, default=100e-6, help="seconds between calls that are apart")
    parser.add_argument("--engines", nargs="+", choices=NAMES, default=ENGINES)
    parser.add_argument("--rows", nargs="+", default=ROWS, metavar="WORD", help="rows of the race with such a word")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all that was measured")
    options = parser.parse_args()
    wanted = rows(options.rows)
    fastconv.show_config()
    field = [Engine(name, options.threads) for name in options.engines]
    try:
        versions = installed(field)
        field = [engine for engine in field if engine.name in versions]
        show_fairness(options)
        print(f"\nMultiples of the fair share (longest call, ms), {options.threads} threads\n")
        print(head(options.busy, options.gap))
        results = [measured(row, field, options) for row in wanted]
    finally:
        for engine in field:
            engine.close()
    run = Run.now(versions)
    print(f"\n{verdicts(results, options.busy)}\n\n{run}")
    if options.json:
        options.json.write_text(json.dumps(run.record(results), indent=1) + "\n")


def rows(words):
    """The first row of the race with each of these words."""
    known = [row for group in groups().values() for row in group.rows]
    found = {word: next((row for row in known if word in row.name), None) for word in words}
    if missing := [word for word, row in found.items() if row is None]:
        raise SystemExit(f"no row of the race has {missing[0]!r}")
    return list(found.values())


def show_fairness(options):
    """Print how fair the system is to as many spinning processes as a call has threads."""
    found = []
    for busy in options.busy:
        with Busy(busy + options.threads) as spinning:
            got = fmean(spinning.cpus(options.seconds)[: options.threads])
        found.append(f"{got / fair_cpu(options.threads + busy):.2f} beside {busy}")
    print(f"\n{options.threads} processes that only spin get, of their fair share: {', '.join(found)}")


def measured(row, field, options):
    """The result of a row, its lines printed."""
    result = Result(row.name, options.threads)
    ready = prepare(result, row, field)
    for engine in ready:
        result.burnt[engine.name] = engine.burnt(IDLE)  # None if it crashed, which the first turn tells
    for _ in range(options.rounds):  # outermost: a slow spell of the machine meets every cell
        for busy in (0, *options.busy):
            with Busy(busy):
                for engine in ready:
                    take_turn(result, engine, result.turns.setdefault(busy, {}), options)
        for engine in ready:
            take_turn(result, engine, result.apart, options, options.gap)
    print(lines(result, options.busy), flush=True)
    return result


def take_turn(result, engine, kept, options, gap=0):
    """Add the record of an engine's turn to those kept, unless it crashed, which the result tells."""
    if engine.name in result.errors:
        return
    if turn := engine.turn(options.seconds / options.rounds, gap):
        kept.setdefault(engine.name, []).append(turn)
    else:
        result.errors[engine.name] = "crashed"
    sleep(IDLE)  # until its threads sleep


if __name__ == "__main__":
    main()
