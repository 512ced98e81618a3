"""What this build and this machine are: for bug reports, and for every page of figures."""

import os
from typing import Any

from fastconv._kernels import cpu
from fastconv._planning import teams
from fastconv._runners import team


def get_config() -> dict[str, Any]:
    """Versions, compiler, OpenMP, BLAS, instruction sets and threads, as a dict.

    "threading" is the layer that gives the threads, "pool" or "openmp". Each CPU that runs the build must have the
    instruction set "baseline".

    "fip" is whether "auto" takes fast inner products for 1×1s: where the processor has adders beside its multiply-add
    units, or as the environment's FASTCONV_FIP, 0 or 1, had it when fastconv was imported.

    SciPy is loaded to ask its BLAS.

    Examples
    --------
    >>> import fastconv
    >>> sorted(fastconv.get_config())[:3]
    ['baseline', 'blas', 'blas_threads']
    """
    import platform

    import numpy
    import scipy

    import fastconv
    from fastconv._runners.blas import describe

    compiler, openmp = cpu.compiler()
    blas, blas_version, blas_threads = describe()
    return {
        "fastconv": fastconv.__version__,
        "python": platform.python_version(),
        "numpy": numpy.__version__,
        "scipy": scipy.__version__,
        "platform": platform.platform(),
        "cpu": _cpu_name() or platform.processor() or platform.machine(),
        "cpus": os.cpu_count(),
        "compiler": compiler,
        "openmp": openmp,
        "threading": team.threading(),
        "baseline": cpu.baseline(),
        "blas": " ".join(filter(None, (blas, blas_version))) or "unknown",
        "blas_threads": blas_threads,
        "isas_compiled": cpu.compiled(),
        "isas_detected": cpu.available(),
        "isa": cpu.active(),
        "fip": cpu.takes_fip(),
        "threads": teams.now(None),
    }


def show_config() -> None:
    """Print `get_config()`.

    Examples
    --------
    >>> import fastconv
    >>> fastconv.show_config()  # doctest: +ELLIPSIS
    fastconv       ...
    python         ...
    """
    config = get_config()
    for name in ("openmp", "fip"):
        config[name] = "yes" if config[name] else "no"
    for name, value in config.items():
        print(f"{name:14} {', '.join(value) if isinstance(value, list) else value}")


def _cpu_name() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            names = [line.split(":", 1)[1].strip() for line in file if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else ""
