"""Chooses the instruction set, once, when the package is imported, and whether fast inner products pay with it.

FASTCONV_ISA (scalar, avx2, avx512) forces one that this machine has; otherwise the widest is taken. FASTCONV_FIP (0, 1)
forces what else a table of processors tells: it is never measured, since the bits of results depend on it.
"""

import os

from fastconv._kernels.cpu cimport fc_isa, fc_isas, fc_kernels


cdef extern from *:
    """
    #if defined __AVX512F__
    #define FASTCONV_BASELINE "avx512"
    #elif defined __AVX2__
    #define FASTCONV_BASELINE "avx2"
    #elif defined __AVX__
    #define FASTCONV_BASELINE "avx"
    #elif defined __SSE4_2__
    #define FASTCONV_BASELINE "sse4.2"
    #elif defined __SSE2__
    #define FASTCONV_BASELINE "sse2"
    #elif defined __ARM_FEATURE_SVE
    #define FASTCONV_BASELINE "sve"
    #elif defined __ARM_NEON
    #define FASTCONV_BASELINE "neon"
    #else
    #define FASTCONV_BASELINE "no vectors"
    #endif
    """
    const char *FASTCONV_BASELINE
    const int FASTCONV_OPENMP
    const char *__VERSION__

cdef const fc_isa *_active = NULL
cdef bint _takes_fip = False


def compiled():
    """Names of the instruction sets that this build has kernels for, slowest first."""
    names, i = [], 0
    while fc_isas[i].name != NULL:
        names.append(fc_isas[i].name.decode())
        i += 1
    return names


def available():
    """Names of the compiled instruction sets that this CPU and operating system support, slowest first."""
    return [name for i, name in enumerate(compiled()) if fc_isas[<ptrdiff_t>i].is_available()]


def active():
    """Name of the instruction set in use."""
    return _active.name.decode()


def takes_fip():
    """Whether "auto" takes fast inner products: the processor has adders beside its multiply-add units."""
    return bool(_takes_fip)


def baseline():
    """The instruction set that a CPU must have to run this build: the architecture's own, unless flags raised it."""
    return FASTCONV_BASELINE.decode()


def compiler():
    """Name and version of the C compiler, and whether it built for OpenMP."""
    version = __VERSION__.decode()
    return version if "clang" in version.lower() else f"gcc {version}", bool(FASTCONV_OPENMP)


cdef const fc_isa *active_isa() noexcept:
    return _active


cdef const fc_kernels *kernels_for(size_t itemsize) noexcept:
    """The active kernels for elements of this size, 4 or 8 bytes."""
    return _active.kernels[itemsize == 8]


cdef fc_map_kernel map_kernel(str function, size_t itemsize) except NULL:
    """The active kernel of a function of maps, by its name."""
    cdef const fc_kernels *kernels = kernels_for(itemsize)
    names = [kernels.functions[<ptrdiff_t>i].name.decode() for i in range(FC_FUNCTION_COUNT)]
    return kernels.functions[<ptrdiff_t>names.index(function)].kernel


def _choose(forced, fip):
    global _active, _takes_fip
    names = available()
    name = forced or next(reversed(names))
    if name not in names:
        raise ValueError(
            f"FASTCONV_ISA={name}: this build has kernels for {', '.join(compiled())}, "
            f"and this CPU runs {', '.join(names)} of them"
        )
    _active = &fc_isas[<ptrdiff_t>compiled().index(name)]
    if fip not in (None, "", "0", "1"):
        raise ValueError(f"FASTCONV_FIP must be 0 or 1, got {fip}")
    _takes_fip = fip == "1" if fip else _active.has_adders()


_choose(os.environ.get("FASTCONV_ISA"), os.environ.get("FASTCONV_FIP"))
