"""The facts without which a result is worth nothing, kept in the result file itself.

asv keeps no text, but it keeps the values of parameters. So the facts are one, as JSON: read by the interpreter that
runs the suite when asv collects the benchmarks, and confirmed by a process of the run.
"""

import json
import os
import subprocess
from pathlib import Path

import fastconv

from . import common, configs

_VARIABLES = ("FASTCONV_", "OMP_", "GOMP_", "OPENBLAS_", "MKL_", "BLIS_")  # these change what is measured


def facts():
    """Everything known of source, build, machine and environment, as JSON."""
    variables = {name: value for name, value in sorted(os.environ.items()) if name.startswith(_VARIABLES)}
    blocks_input = f"one image of {configs.MAP_SIZE}×{configs.MAP_SIZE} pixels, float32, NHWC"
    known = {"source": _source(), "blocks_input": blocks_input, **fastconv.get_config(), **variables}
    known["choices"] = common.choices()
    return json.dumps(known, ensure_ascii=False)


def _source():
    """The commit, and whether what was measured differs from it."""
    if commit := os.environ.get("ASV_COMMIT"):
        return f"commit {commit[:12]}, built by asv"
    if not Path(fastconv.__file__).parents[1].samefile(Path(__file__).parents[1]):
        return "unknown: not of this checkout"
    git = ["git", "--no-optional-locks", "describe", "--always", "--abbrev=12", "--exclude=*", "--dirty"]
    try:
        done = subprocess.run(git, cwd=Path(__file__).parent, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return f"commit {done.stdout.strip()}".replace("-dirty", " with uncommitted changes")


def track_facts(recorded):
    """1 where everything recorded still holds."""
    return int(json.loads(recorded).items() <= json.loads(facts()).items())


track_facts.params = ((facts(),),)
track_facts.param_names = ("recorded",)
track_facts.version = "1"
track_facts.unit = "holds"


def track_peak(threads):
    """The multiply-adds that this many threads can do at most, measured now: a busy machine shows here too."""
    peak = fastconv.peak()
    return peak.fma_gflops_one if threads == 1 else peak.fma_gflops_all


track_peak.params = (common.THREADS,)
track_peak.param_names = ("threads",)
track_peak.version = "1"
track_peak.unit = "GFLOP/s"
