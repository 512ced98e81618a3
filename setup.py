"""Builds the extensions; everything else is in pyproject.toml.

The kernels of each instruction set are compiled with that set's flags alone and everything else for the baseline, so
that the package runs on any CPU of the architecture and chooses when it is imported.
"""

import platform
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext as _build_ext

# After setuptools, which brings it where Python has none any more.
from distutils.ccompiler import new_compiler  # isort: skip
from distutils.sysconfig import customize_compiler  # isort: skip

CSRC = "fastconv/csrc"
COMMON = ["-O3", "-std=gnu11", "-fPIC", "-ffp-contract=fast", "-fvisibility=hidden"]
AVX2 = ["-mavx2", "-mfma"]
AVX512 = ["-mavx512f", "-mavx512vl", "-mavx512dq", "-mavx512bw", "-mfma"]

# For gcc alone: else it keeps pointers in vector registers, and spills the largest tiles' sums in their hot loops; its
# default tuning keeps them in mask registers, whose moves take the units that multiply and add.
GCC = ["-mtune=haswell", "-mtune-ctrl=^inter_unit_moves_to_vec,^inter_unit_moves_from_vec"]


@cache
def compiler_command():
    """The C compiler that setuptools will call, with its flags: $CC and $CFLAGS, or else what Python was built with."""
    compiler = new_compiler()
    customize_compiler(compiler)
    return compiler.compiler_so


def compiles(source, flags, link=False):
    """Whether the C compiler takes `source` with `flags`, and the program runs if it is linked."""
    with tempfile.TemporaryDirectory() as folder:
        path, program = Path(folder, "probe.c"), Path(folder, "probe")
        path.write_text(source)
        output = ["-o", str(program)] if link else ["-c", "-o", str(Path(folder, "probe.o"))]
        try:
            subprocess.run([*compiler_command(), str(path), *flags, *output], check=True, capture_output=True)
            return not link or subprocess.run([str(program)], capture_output=True, timeout=20).returncode == 0
        except (OSError, subprocess.SubprocessError):
            return False


def openmp_flags():
    """(compile flags, link flags) for OpenMP, or empty ones with a loud warning: the build is then serial."""
    source = "#include <omp.h>\nint main(void) { return omp_get_max_threads() < 1; }\n"
    candidates = [(["-fopenmp"], ["-fopenmp"])]
    if sys.platform == "darwin":
        candidates.append((["-Xpreprocessor", "-fopenmp"], ["-lomp"]))
    for compile_flags, link_flags in candidates:
        if compiles(source, compile_flags + link_flags, link=True):
            return compile_flags, link_flags
    line = "*" * 78
    print(f"{line}\n* OpenMP was not found: fastconv is being built for ONE THREAD ONLY.\n{line}", file=sys.stderr)
    return [], []


def instruction_sets():
    """{name: flags} of the instruction sets beyond the baseline that this compiler can build for."""
    if platform.machine().lower() not in ("x86_64", "amd64"):
        return {}
    sets = {"avx2": AVX2, "avx512": AVX512}
    extra = GCC if compiles("int x;\n", GCC) else []
    return {name: flags + extra for name, flags in sets.items() if compiles("int x;\n", flags)}


class build_ext(_build_ext):  # noqa: N801 the name that setuptools knows
    """Compiles the kernels of each instruction set with its flags and links them into the extension that names them."""

    def build_extension(self, ext):
        ext.depends += [str(path) for path in Path(CSRC).iterdir()] + ["setup.py"]
        if ext.name == "fastconv._cpu":
            for name, flags in KERNELS.items():
                ext.extra_objects += self.compiler.compile(
                    [f"{CSRC}/kernels_{name}.c"], output_dir=self.build_temp, extra_postargs=COMMON + flags
                )
        super().build_extension(ext)


KERNELS = {"scalar": [], **instruction_sets()}


def main():
    compile_openmp, link_openmp = openmp_flags()
    macros = [("FASTCONV_OPENMP", str(int(bool(compile_openmp))))]
    macros += [(f"FASTCONV_HAVE_{name.upper()}", "1") for name in KERNELS]

    def extension(name, sources=(), **options):
        return Extension(
            f"fastconv.{name}",
            [f"fastconv/{name}.pyx", *sources],
            include_dirs=[CSRC, np.get_include()],
            define_macros=[("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION"), *macros],
            extra_compile_args=[*COMMON, *compile_openmp],
            extra_link_args=link_openmp,
            **options,
        )

    extensions = [
        extension("_arrays"),
        extension("_cpu", [f"{CSRC}/isa.c"]),
        extension("_team"),
        extension("_cut"),
        extension("_chain"),
        extension("_pack"),
        extension("_rows"),
        extension("_direct_tiles"),
        extension("_direct"),
        extension("_nchw"),
        extension("_tiles"),
        extension("_winograd"),
        extension("_peak"),
        extension("_blas"),
        extension("_pool"),
    ]
    setup(
        ext_modules=cythonize(extensions, language_level=3),
        cmdclass={"build_ext": build_ext},
    )


main()
