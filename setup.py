"""Builds the extensions; everything else is in pyproject.toml.

The kernels of each instruction set are compiled with that set's flags alone and everything else for the baseline, so
that the package runs on any CPU of the architecture and chooses when it is imported. Flags in $CFLAGS may raise the
baseline, which `fastconv.show_config` tells, but not break the arithmetic that fastconv promises.

FASTCONV_OPENMP=require refuses to build without OpenMP, off builds without it, and auto, the default, with it where the
compiler has it. A build without OpenMP has the threads of fastconv's own pool alone. Debug information is left out
unless $CFLAGS asks for it.
"""

import json
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import numpy as np
from Cython.Build import cythonize
from setuptools import Extension, setup
from setuptools.command.build import build as _build
from setuptools.command.build_ext import build_ext as _build_ext
from setuptools.errors import PlatformError
from setuptools.modified import newer_group

CSRC = "fastconv/_kernels/csrc"
COMMON = ["-O3", "-std=gnu11", "-fPIC", "-ffp-contract=fast", "-fvisibility=hidden"]
AVX2 = ["-mavx2", "-mfma"]
AVX512 = ["-mavx512f", "-mavx512vl", "-mavx512dq", "-mavx512bw", "-mfma"]

# For gcc alone: else it keeps pointers in vector registers, and spills the largest tiles' sums in their hot loops; its
# default tuning keeps them in mask registers, whose moves take the units that multiply and add. With the -fwrapv that
# Python's own flags have, it spills sums too.
GCC = ["-mtune=haswell", "-mtune-ctrl=^inter_unit_moves_to_vec,^inter_unit_moves_from_vec", "-fno-wrapv"]

# What -ffast-math, -Ofast and their parts in $CC, $CFLAGS, $CPPFLAGS or $LDFLAGS change, undone: NaN, infinity, -0 and
# the order of sums are kept, no store is invented beside another thread's, and the linked library does not flush
# subnormals in the process that imports it. Before COMMON, since clang takes some of them for a word on contraction.
STRICT = [
    "-fno-fast-math",
    "-fno-unsafe-math-optimizations",
    "-fno-finite-math-only",
    "-fno-associative-math",
    "-fno-reciprocal-math",
    "-fsigned-zeros",
    "-fno-single-precision-constant",
    "-fno-allow-store-data-races",
    "-fno-approx-func",
    "-fhonor-nans",
    "-fhonor-infinities",
    "-fdenormal-fp-math=ieee",
    "-mfpmath=sse",
    "-mno-daz-ftz",
]

# Importing fastconv leaves a free-threaded Python without its lock: what threads share is never changed once it can be
# seen, or is a dict or list of Python's, and changed in one operation.
DIRECTIVES = {"language_level": 3, "freethreading_compatible": True}

IS_STRICT = """
#if __FAST_MATH__ || __FINITE_MATH_ONLY__ || __ASSOCIATIVE_MATH__ || __RECIPROCAL_MATH__ || __NO_SIGNED_ZEROS__
#error
#endif
"""

IS_X86_64 = """
#ifndef __x86_64__
#error
#endif
"""

USES_OPENMP = """
#include <omp.h>
int threads(void) { return omp_get_max_threads(); }
"""


class build(_build):  # noqa: N801 the name that setuptools knows
    """Leaves nothing in the folder that becomes the wheel of modules that are no more."""

    def run(self):
        super().run()
        commands = [self.get_finalized_command(name) for name in self.get_sub_commands()]
        made = {Path(file) for command in commands for file in command.get_outputs()}
        for path in Path(self.build_lib).rglob("*"):
            if path.is_file() and path not in made:
                path.unlink()


class build_ext(_build_ext):  # noqa: N801
    """Asks the compiler what it can do, then builds on all CPUs what answers or sources have made out of date."""

    def finalize_options(self):
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count() or 1

    def build_extensions(self):
        self.flags = [*self.accepted(STRICT), *COMMON]
        if not any(flag.startswith("-g") for flag in os.environ.get("CFLAGS", "").split()):
            self.flags.append("-g0")
        if self.compiles("int x;\n", self.flags) and not self.compiles(IS_STRICT, self.flags):
            raise PlatformError("a flag like -ffast-math is in $CC, $CFLAGS or $CPPFLAGS and could not be undone")
        compile_openmp, link_openmp = self.openmp_flags()
        self.kernels = {"scalar": [], **self.instruction_sets()}
        macros = [("FASTCONV_OPENMP", str(int(bool(compile_openmp))))]
        macros += [(f"FASTCONV_HAVE_{name.upper()}", "1") for name in self.kernels]
        for ext in self.extensions:
            ext.define_macros += macros
            opens_regions = ext.name == "fastconv._runners.team"
            ext.extra_compile_args = self.flags + compile_openmp * opens_regions
            ext.extra_link_args = [*self.flags, "-pthread", *link_openmp * opens_regions]
        self.versions = "-".join(f"{name}-{version(name)}" for name in ("cython", "numpy", "scipy"))
        self.depends = [*map(str, Path(CSRC).iterdir()), "setup.py", self.stamp(macros, compile_openmp, self.versions)]
        self.generate_c()
        super().build_extensions()

    def build_extension(self, ext):
        ext.depends += self.depends
        if ext.name == "fastconv._kernels.cpu":
            with ThreadPoolExecutor(self.parallel) as pool:
                ext.extra_objects += pool.map(self.kernels_object, self.kernels)
        super().build_extension(ext)

    def kernels_object(self, name):
        """The object file of an instruction set's kernels."""
        sources = [f"{CSRC}/kernels_{name}.c"]
        (made,) = self.compiler.object_filenames(sources, output_dir=self.build_temp)
        if self.force or newer_group(self.depends, made):
            flags = self.flags + self.kernels[name]
            self.compiler.compile(sources, output_dir=self.build_temp, extra_postargs=flags)
        return made

    def generate_c(self):
        """Put the C of the extensions into a folder for these versions: it fits the headers of no others."""
        folder = str(Path(self.build_temp, self.versions))
        generated = cythonize(
            self.extensions, compiler_directives=DIRECTIVES, build_dir=folder, force=bool(self.force) or None
        )
        sources = {ext.name: ext.sources for ext in generated}
        for ext in self.extensions:
            ext.sources = sources[ext.name]

    def stamp(self, *choices):
        """A file that is newer than all that was compiled with other commands, flags or headers."""
        commands = [self.compiler.compiler_so, self.compiler.linker_so]
        text = json.dumps([*commands, self.flags, self.kernels, *choices], indent=1)
        path = Path(self.build_temp, "compiled-with.json")
        if not path.exists() or path.read_text() != text:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return str(path)

    def compiles(self, source, flags, link_flags=None):
        """Whether the compiler takes `source` with `flags`, and the linker the object where it has `link_flags`.

        Nothing is run: the compiler may be one for another machine, and the folder may forbid it.
        """
        with tempfile.TemporaryDirectory() as folder:
            path, made, library = (str(Path(folder, name)) for name in ("probe.c", "probe.o", "probe.so"))
            Path(path).write_text(source)
            commands = [[*self.compiler.compiler_so, *flags, "-c", path, "-o", made]]
            if link_flags is not None:
                commands.append([*self.compiler.linker_so, made, *link_flags, "-o", library])
            try:
                for command in commands:
                    subprocess.run(command, check=True, capture_output=True)
            except (OSError, subprocess.CalledProcessError):
                return False
            return True

    def accepted(self, flags):
        """Those of `flags` that the compiler knows."""
        return [flag for flag in flags if self.compiles("int x;\n", ["-Werror", flag])]

    def openmp_flags(self):
        """(compile flags, link flags) for OpenMP, or empty ones."""
        wanted = os.environ.get("FASTCONV_OPENMP", "auto")
        if wanted not in ("auto", "require", "off"):
            raise PlatformError(f"FASTCONV_OPENMP must be auto, require or off, got {wanted!r}")
        if wanted == "off":
            return [], []
        candidates = [(["-fopenmp"], ["-fopenmp"])]
        if sys.platform == "darwin":
            candidates.append((["-Xpreprocessor", "-fopenmp"], ["-lomp"]))
        for compile_flags, link_flags in candidates:
            if self.compiles(USES_OPENMP, compile_flags, link_flags):
                return compile_flags, link_flags
        missing = f"the C compiler {' '.join(self.compiler.compiler_so[:1])} has no OpenMP"
        if wanted == "require":
            raise PlatformError(f"FASTCONV_OPENMP=require, but {missing}")
        print(f"fastconv is being built without OpenMP: {missing}", file=sys.stderr)
        return [], []

    def instruction_sets(self):
        """{name: flags} of the instruction sets beyond the baseline that the compiler can build for."""
        sets = {"avx2": AVX2, "avx512": AVX512}
        extra = GCC if self.compiles(IS_X86_64, GCC) else []
        return {name: flags + extra for name, flags in sets.items() if self.compiles(IS_X86_64, flags)}


def main():
    sources = sorted(Path("fastconv").rglob("*.pyx"), key=lambda path: (path.stem != "cpu", path))  # it takes longest
    extensions = [
        Extension(
            ".".join(path.with_suffix("").parts),
            [path.as_posix(), *([f"{CSRC}/isa.c"] if path.stem == "cpu" else [])],
            include_dirs=[CSRC, np.get_include()],
            libraries=["m"] if path.stem == "cpu" else [],
            define_macros=[("NPY_NO_DEPRECATED_API", "NPY_2_0_API_VERSION")],
        )
        for path in sources
    ]
    setup(ext_modules=extensions, cmdclass={"build": build, "build_ext": build_ext})


if __name__ == "__main__":
    main()
