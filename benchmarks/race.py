"""`python -m benchmarks.race`: single convolutions against other engines' on the same data, one row a shape.

Each engine has a process of its own, and they take turns. Every output is compared with the float64 reference: an
engine that is off by more than OFF of the largest value is shown with a star, but is no yardstick. A ratio is the time
of the fastest yardstick over fastconv's, above 1 where fastconv is ahead: the median of the ratios of the rounds.

The engines that are not installed are skipped. They are large, so the environment variable PEERS_PYTHON may name
another interpreter that has them; `make race` sets one up.
"""

import argparse
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from statistics import geometric_mean, median
from tempfile import TemporaryDirectory

import numpy as np

import fastconv
from benchmarks import configs, engines, headline, this_checkout_first
from benchmarks.common import THREADS, mark
from fastconv import reference

OURS = "fastconv"
THREE = "torch", "onnxruntime", "openvino"  # direct, at the limit of the multiply-adds
FIVE = (*THREE, "ncnn", "mnn")  # with Winograd
YARDSTICKS = {"of three": THREE, "of all": FIVE}
OFF = 1e-4
WIDTH = 46  # of the first column


@dataclass(frozen=True)
class Group:
    """Rows raced with one algorithm, and the ratios wanted: of each row, and of their geometric mean."""

    algorithm: str
    peers: tuple
    rows: list
    wanted: dict  # by the name of the yardstick
    wanted_mean: dict


GROUPS = {
    "winograd 3×3": Group(
        "auto",
        FIVE,
        [
            *(configs.conv(size, c, c) for size, c in ((56, 64), (28, 128), (14, 256), (224, 64))),
            *(configs.conv(28, 96, 128), configs.conv(55, 16, 64), configs.conv(13, 64, 256)),
            *(configs.conv(27, 32, 128), configs.conv(27, 48, 192), configs.conv(14, 160, 320)),
        ],
        {"of three": 2.2, "of all": 1.1},
        {"of three": 2.8, "of all": 1.35},
    ),
    "winograd 7×7 map": Group("auto", FIVE, [configs.conv(7, 512, 512)], {"of all": 1.3}, {}),
    "winograd 5×5": Group(
        "auto",
        FIVE,
        [configs.conv(28, 192, 32, 5), configs.conv(28, 32, 96, 5), configs.conv(14, 24, 64, 5)],
        {"of all": 1.8},
        {},
    ),
    "layers": Group("direct", THREE, configs.published_convolutions(), {"of three": 0.97}, {"of three": 1.1}),
}


class Engine:
    """A process that runs one engine, started when it is first asked, and again where it died of a question."""

    def __init__(self, name, threads, folder):
        python = sys.executable if name == OURS else os.environ.get("PEERS_PYTHON", sys.executable)
        self.name, self.output = name, Path(folder, f"{name}.npy")
        self.command = python, str(Path(engines.__file__)), name, str(threads), str(folder)
        self.environment = this_checkout_first() if name == OURS else None
        self.process = None

    def ask(self, question):
        """The engine's answer; None if it crashed."""
        if self.process is None or self.process.poll() is not None:
            pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL}
            self.process = subprocess.Popen(self.command, text=True, env=self.environment, **pipes)
        try:
            print(json.dumps(question), file=self.process.stdin, flush=True)
            return json.loads(self.process.stdout.readline() or "null")
        except BrokenPipeError:
            return None

    def prepare(self, work):
        """None where the engine is ready to run this convolution, or else what hinders it."""
        answer = self.ask(work) or {"error": "crashed"}
        return answer.get("error")

    def close(self):
        if self.process:
            self.process.communicate()  # the end of its input ends it


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks.race", description=headline(__doc__))
    parser.add_argument("--threads", type=int, nargs="+", default=THREADS)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.1, help="of an engine's turn")
    parser.add_argument("--algorithm", choices=["auto", "direct"], help="for all rows; by default as their group says")
    parser.add_argument("--engines", nargs="+", choices=engines.ENGINES, default=list(engines.ENGINES))
    parser.add_argument("--rows", nargs="+", default=[""], metavar="WORD", help="only rows or groups with such a word")
    options = parser.parse_args()
    fastconv.show_config()
    for threads in options.threads:
        print(f"\nMilliseconds a call, {threads} thread{'s' * (threads > 1)}; < where less than wanted; * wrong")
        with TemporaryDirectory() as folder:
            field = [Engine(name, threads, folder) for name in engines.ENGINES if name in {OURS, *options.engines}]
            try:
                field = [engine for engine in field if is_installed(engine)]
                for title, group in GROUPS.items():
                    race_group(title, group, field, options)
            finally:
                for engine in field:
                    engine.close()


def is_installed(engine):
    """Whether the engine computes the smallest convolution; says so if not."""
    reason = engine.prepare(as_work(configs.SMALLEST, "auto"))
    if reason:
        print(f"  without {engine.name}: {reason}")
        engine.close()
    return not reason


def as_work(layer, algorithm):
    """What engines.py takes of a convolution on a square map."""
    shape = layer.conv_shapes["weight"]
    geometry = {"stride": shape.stride[0], "padding": shape.padding[0][0], "groups": shape.groups}
    return {"x": layer.x_shape, "weight": layer.weights["weight"], "algorithm": algorithm, **geometry}


def race_group(title, group, field, options):
    """Race the rows of a group that are asked for, and print them with their mean and least ratios."""
    rows = [row for row in group.rows if any(word in f"{title} {row.name}" for word in options.rows)]
    field = [engine for engine in field if engine.name in (OURS, *group.peers)]
    if not rows:
        return
    algorithm = options.algorithm or group.algorithm
    heads = [engine.name for engine in field] + list(YARDSTICKS)
    print(f"\n{f'{title}, {algorithm}':{WIDTH}}" + "".join(f"{head:>13}" for head in heads))
    found = {yardstick: [] for yardstick in YARDSTICKS}
    for row in rows:
        times, wrong = race(as_work(row, algorithm), field, options)
        cells = [cell(times.get(engine.name), engine.name in wrong) for engine in field]
        for yardstick, names in YARDSTICKS.items():
            value = ratio(times, [name for name in names if name in times and name not in wrong])
            cells.append(mark(value, group.wanted.get(yardstick)))
            found[yardstick] += [value] if value else []
        print(f"  {row.name:{WIDTH - 2}}" + "".join(f"{text:>13}" for text in cells), flush=True)
    for label, summary, wanted in (("geometric mean", geometric_mean, group.wanted_mean), ("least", min, group.wanted)):
        cells = [
            mark(summary(values) if values else None, wanted.get(yardstick)) for yardstick, values in found.items()
        ]
        print(f"  {label:{WIDTH - 2}}" + " " * 13 * len(field) + "".join(f"{text:>13}" for text in cells))
    for yardstick, wanted in group.wanted.items():
        met = sum(value >= wanted for value in found[yardstick])
        print(f"  at least {wanted} {yardstick}: {met} of {len(found[yardstick])} rows")


def race(work, field, options):
    """({engine: seconds a call in each round}, the engines whose output is wrong)."""
    x, weight, bias = engines.data(work)
    geometry = {name: work[name] for name in ("stride", "padding", "groups")}
    expected = reference.conv2d(x, weight, bias, activation="relu", **geometry)
    ready, wrong = [], set()
    for engine in field:
        if reason := engine.prepare(work):
            print(f"  {engine.name}: {reason}")
            continue
        ready.append(engine)
        if abs(np.load(engine.output) - expected).max() > OFF * expected.max():
            wrong.add(engine.name)
    rounds = [{engine.name: engine.ask(options.seconds) for engine in ready} for _ in range(options.rounds)]
    return {engine.name: [times[engine.name] for times in rounds] for engine in ready}, wrong


def ratio(times, peers):
    """The time of the fastest of these peers over ours, round by round; None where one is missing."""
    if not peers or OURS not in times:
        return None
    fastest = min((times[name] for name in peers), key=median)
    return median(theirs / own for theirs, own in zip(fastest, times[OURS], strict=True))


def cell(times, is_wrong):
    return f"{1e3 * median(times):.4g}" + "*" * is_wrong if times else "–"


if __name__ == "__main__":
    main()
