"""The engines of a race: those that are installed, made ready for a row, their answers compared with the reference."""

import pickle
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

import fastconv
from benchmarks.engines.fastconv import nchw
from benchmarks.race.exporter import exported

OFF = 1e-4  # of the largest value of an answer
INSTEAD = {"mnn_exact": "mnn"}  # raced only where the answer of another one is wrong


def installed(field):
    """{engine: version} of those that start; says what hinders the others."""
    versions = {}
    for engine in field:
        started = engine.start()
        if "error" in started:
            print(f"  without {engine.name}: {started['error']}")
        else:
            versions[engine.name] = started["version"]
    print(f"  {', '.join(f'{name} {version}' for name, version in versions.items())}")
    return versions


def prepare(result, row, field):
    """The engines that are ready for a row; the result tells which failed, and which are wrong."""
    plan, x = row.make(num_threads=result.threads), row.x()
    expected, ready = reference(plan, x), []
    with TemporaryDirectory() as name:
        folder = Path(name)
        exported(plan, x).save(folder)
        (folder / "plan.pickle").write_bytes(pickle.dumps(plan))
        for engine in field:
            if (first := INSTEAD.get(engine.name)) and first not in result.wrong:
                continue
            if reason := engine.prepare(folder):
                result.errors[engine.name] = reason
                continue
            ready.append(engine)
            if not is_right(np.load(folder / f"{engine.name}.npy"), expected):
                result.wrong.append(engine.name)
    return ready


def is_right(output, expected):
    """Whether an output is off by OFF of the largest value at most, which a NaN is not."""
    return abs(output - expected).max() <= OFF * abs(expected).max()


def reference(plan, x):
    """The output for x in float64, NCHW; equal images are computed once."""
    distinct = fastconv.reference.graph(plan, x[:2])
    return nchw(distinct[np.arange(len(x)) % 2])
