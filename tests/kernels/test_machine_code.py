"""The machine code of every register tile: no spill in its hot loop, and as many multiply-adds as its name says."""

import ast
import platform
import re
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from machine_code import Step, faults, few_faults, functions, is_few, is_tile, step, unaligned

import fastconv
from fastconv._kernels import cpu

ROOT = Path(__file__).parents[2]
SETS = ["avx2", "avx512"]
BUILT_BY = fastconv.get_config()["compiler"]


def run(*command):
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=True).stdout


def is_clang(compiler):
    return "clang" in (run(*compiler.split(), "--version") if compiler else BUILT_BY)


# "" is the library as it is built; the other compiler, where there is one, compiles the kernels anew.
COMPILERS = ["", *(name for name in ("cc", "clang") if shutil.which(name) and is_clang(name) != is_clang(""))]
# Functions that are no register tiles. Their sums are not in a loop over one set of accumulators.
OTHERS = re.compile(
    r"f\d\d_(winograd_(weights|line_of_weights|input|windows|output|direct)|fip_(pack|direct|end_columns)|"
    r"conv_store_columns|split|join|transpose|pool_(max|average)|blend|map_\w+|peak)_.*"
)
# Small tiles that clang is known to get wrong: it keeps in memory what a loop of one turn sets.
KNOWN_OF_CLANG = re.compile(
    r"f\d\d_((conv(_prefetching|_keeping)?|winograd_product)_1x[12]v|planes_(1x2v|\d+x1v)|few_1)__.*"
)
NONE = re.compile("(?!)")


@pytest.fixture(scope="module", params=COMPILERS, ids=lambda compiler: compiler or "built")
def compiler(request):
    if platform.machine() not in ("x86_64", "AMD64"):
        pytest.skip("x86-64 alone has more than the portable kernels")
    if not shutil.which("objdump") or "GNU" not in run("objdump", "--version"):
        pytest.skip("needs GNU objdump")
    return request.param


@pytest.fixture(scope="module")
def listings(compiler, tmp_path_factory):
    """{instruction set: the functions of its kernels}, or of more."""
    if not compiler:
        return dict.fromkeys(fastconv.get_config()["isas_compiled"], disassemble(cpu.__file__))
    flags = flags_of_setup(compiler)  # before the threads: ast.parse in several at once fails in Python 3.11
    folder = tmp_path_factory.mktemp("kernels")
    with ThreadPoolExecutor() as pool:  # a compiler takes half a minute for each
        made = pool.map(lambda isa: compile_kernels(compiler, isa, flags[isa], folder), SETS)
        return dict(zip(SETS, made, strict=True))


def flags_of_setup(compiler):
    """{instruction set: the flags that setup.py compiles its kernels with}."""
    constants = {
        node.targets[0].id: ast.literal_eval(node.value)
        for node in ast.parse((ROOT / "setup.py").read_text()).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.List)
    }
    shared = ["-fwrapv"] + constants["COMMON"] + (not is_clang(compiler)) * constants["GCC"]
    return {isa: shared + constants[isa.upper()] for isa in SETS}


def compile_kernels(compiler, isa, flags, folder):
    """The functions of the kernels of an instruction set, compiled with these flags."""
    source, output = ROOT / "fastconv" / "_kernels" / "csrc" / f"kernels_{isa}.c", folder / f"{isa}.o"
    try:
        run(*compiler.split(), *flags, "-c", source, "-o", output)
    except subprocess.CalledProcessError as error:
        pytest.skip(f"{compiler} does not build for {isa}: {error.stderr[-500:]}")
    return disassemble(output)


def disassemble(file):
    return functions(run("objdump", "-d", "--no-show-raw-insn", file))


@pytest.fixture(scope="module", params=SETS)
def kernels(request, listings):
    """The functions of an instruction set's kernels."""
    if request.param not in listings:
        pytest.skip(f"the library is built without {request.param}")
    return {name: body for name, body in listings[request.param].items() if f"__{request.param}" in name}


def test_hot_loops(compiler, kernels):
    tiles = {name: body for name, body in kernels.items() if is_tile(name)}
    assert len(tiles) >= 2 * 5 * 2 * 6  # two types of five families, of one or two vectors and up to six pixels
    known = KNOWN_OF_CLANG if is_clang(compiler) else NONE
    found = {name: said for name, body in tiles.items() if not known.fullmatch(name) and (said := faults(name, body))}
    assert not found


def test_hot_loops_for_few_output_channels(compiler, kernels):
    tiles = {name: body for name, body in kernels.items() if is_few(name)}
    assert len(tiles) >= 7 + 3  # floats in AVX2's vectors, doubles
    known = KNOWN_OF_CLANG if is_clang(compiler) else NONE
    found = {
        name: said for name, body in tiles.items() if not known.fullmatch(name) and (said := few_faults(name, body))
    }
    assert not found


def test_sums_that_wait_on_the_stack_are_aligned(kernels):
    """Vectors that begin elsewhere lie on two cache lines each, or every other one."""
    products = {name: body for name, body in kernels.items() if "_winograd_product_" in name}
    assert len(products) >= 2 * 2 * 6
    nbytes = {name: 64 if name.endswith("__avx512") else 32 for name in products}
    assert {name: found for name, body in products.items() if (found := unaligned(body, nbytes[name]))} == {}


def test_large_outputs_go_past_the_caches(kernels):
    """Where a vector is a whole cache line."""
    nontemporal = {name for name, body in kernels.items() if any(i.name.startswith("vmovntp") for i in body)}
    wanted = {name for name in kernels if re.search(r"_(winograd_output_.*|transpose_nontemporal)__avx512", name)}
    assert nontemporal == wanted


def test_every_kernel_is_a_tile_or_another(kernels):
    """A new family must say in machine_code.py what its hot loop is to be, or here that it has none."""
    assert [name for name in kernels if not (is_tile(name) or is_few(name) or OTHERS.match(name))] == []


GOOD = """
0000000000000000 <f32_conv_2x1v__avx2>:
       0:\tvmovups (%rax),%ymm0
       4:\tvmovaps %ymm0,%ymm1
       8:\tvmovups (%rsi),%ymm2
       c:\tvbroadcastss (%r8,%rax,1),%ymm3
      10:\tvfmadd231ps %ymm2,%ymm3,%ymm0
      14:\tvbroadcastss (%r9,%rax,1),%ymm3
      18:\tvfmadd231ps %ymm2,%ymm3,%ymm1
      1c:\tadd    $0x20,%rsi
      20:\tcmp    %rdx,%rax
      24:\tjle    8 <f32_conv_2x1v__avx2+0x8>
      28:\tvmovups %ymm0,(%rdi)
      2c:\tjmp    0 <f32_conv_2x1v__avx2>
"""


@pytest.mark.parametrize(
    ("line", "changed", "said"),
    [
        ("", "", []),
        ("vfmadd231ps %ymm2,%ymm3,%ymm1", "nop", ["1 multiply-adds are not", "3 loads of vectors"]),
        ("vfmadd231ps %ymm2,%ymm3,%ymm1", "vfmadd231ps 0x40(%rsp),%ymm3,%ymm1", ["1 vectors on the stack"]),
        ("add    $0x20,%rsi", "vmovaps %ymm0,0x40(%rsp)", ["1 stores of vectors", "1 vectors on the stack"]),
        ("add    $0x20,%rsi", "vmovups %ymm0,(%rdi)", ["1 stores of vectors"]),
        ("add    $0x20,%rsi", "vmovups (%rdi),%ymm4", []),
        ("add    $0x20,%rsi", "vaddps (%rdi),%ymm4,%ymm5\n      20:\tvmovups (%rdi),%ymm4", ["5 loads of vectors"]),
        ("add    $0x20,%rsi", "vmovaps %ymm1,%ymm4", []),
        ("add    $0x20,%rsi", "kmovq  %k1,%rsi", ["1 moves of masks"]),
        ("vbroadcastss (%r9,%rax,1),%ymm3", "vmovaps %ymm1,%ymm4", ["2 loads of vectors"]),
        ("jle    8 ", "jle    28 ", ["1 stores"]),  # no inner loop is left: the outer one stores its result
        ("jle    8 ", "ret    ", ["1 stores"]),
    ],
)
def test_the_check_finds_faults(line, changed, said):
    assert line in GOOD
    ((name, body),) = functions(GOOD.replace(line, changed) if line else GOOD).items()
    found = faults(name, body)
    assert len(found) >= len(said)
    assert bool(found) == bool(said)
    assert all(any(text in fault for fault in found) for text in said)


STACK = """
0000000000000000 <f32_winograd_product_1x1v__avx2>:
       0:\tpush   %rbp
       4:\tmov    %rsp,%rbp
       8:\tand    $0xffffffffffffffe0,%rsp
       c:\tpush   %rbx
      10:\tsub    $0x118,%rsp
      14:\tlea    0x40(%rsp),%rax
      18:\tlea    0x8(%rax),%rsi
"""


@pytest.mark.parametrize(
    ("line", "changed"), [("ffe0,", "fff0,"), ("and ", "nop "), ("push   %rbx", "nop"), ("$0x118", "$0x128")]
)
def test_the_check_of_addresses_on_the_stack(line, changed):
    (good,), (wrong,) = (functions(text).values() for text in (STACK, STACK.replace(line, changed)))
    assert unaligned(good, 32) == []
    assert unaligned(wrong, 32) == ["lea 0x40(%rsp),%rax"]


# A tile that copies its panel in the first of two loops, and reads the copy in the second.
PLANES = """
0000000000000000 <f32_planes_2x1v__avx2>:
       0:\tvmovups (%rax),%ymm4
       4:\tvmovups %ymm4,(%rdi)
       8:\tprefetcht0 0x20(%rax)
       c:\tvbroadcastss (%rcx),%ymm3
      10:\tvfmadd231ps %ymm4,%ymm3,%ymm0
      14:\tvbroadcastss 0x4(%rcx),%ymm3
      18:\tvfmadd231ps %ymm4,%ymm3,%ymm1
      1c:\tjle    0 <f32_planes_2x1v__avx2>
      20:\tvmovups (%rdi),%ymm4
      24:\tvbroadcastss (%rcx),%ymm3
      28:\tvfmadd231ps %ymm4,%ymm3,%ymm0
      2c:\tvbroadcastss 0x4(%rcx),%ymm3
      30:\tvfmadd231ps %ymm4,%ymm3,%ymm1
      34:\tjle    20 <f32_planes_2x1v__avx2+0x20>
"""


@pytest.mark.parametrize(
    ("line", "changed", "said"),
    [
        ("prefetcht0 0x20(%rax)", "nop", []),
        ("vmovups %ymm4,(%rdi)", "nop", ["0 of 2 loops copy"]),
        ("prefetcht0 0x20(%rax)", "vmovups %ymm4,(%rsi)", ["2 stores of vectors"]),
        ("vmovups (%rdi),%ymm4", "vmovups (%rdi),%ymm4\n      20:\tvmovups %ymm4,(%rsi)", ["2 of 2 loops copy"]),
        ("jle    20 ", "ret    ", ["1 of 1 loops copy"]),
        ("jle    0 ", "ret    ", ["0 of 1 loops copy"]),
        ("vmovups %ymm4,(%rdi)", "vmovups %ymm4,0x20(%rsp)", ["1 vectors on the stack"]),
    ],
)
def test_the_check_tells_which_loop_copies(line, changed, said):
    assert line in PLANES
    ((name, body),) = functions(PLANES.replace(line, changed)).items()
    found = faults(name, body)
    assert len(found) == len(said)
    assert all(text in fault for text, fault in zip(said, found, strict=True))


# The tile for one output channel of doubles.
FEW = """
0000000000000000 <f64_few_1__avx2>:
       0:\tprefetcht0 0x80(%rax)
       4:\tvunpcklpd %ymm5,%ymm4,%ymm2
       8:\tvbroadcastsd (%rcx),%ymm3
       c:\tvfmadd231pd %ymm2,%ymm3,%ymm0
      10:\tvbroadcastsd 0x20(%rcx),%ymm3
      14:\tvfmadd231pd %ymm4,%ymm3,%ymm0
      18:\tjle    0 <f64_few_1__avx2>
"""


@pytest.mark.parametrize(
    ("line", "changed", "said"),
    [
        ("nothing", "", []),
        ("vunpcklpd %ymm5,%ymm4,%ymm2", "vbroadcastsd (%rcx),%ymm3", ["3 weights are loaded"]),
        ("vunpcklpd %ymm5,%ymm4,%ymm2", "vmovups %ymm2,0x20(%rsp)", ["1 stores of vectors, 1 vectors on the stack"]),
        ("vfmadd231pd %ymm4,%ymm3,%ymm0", "nop", ["1 multiply-adds"]),
        ("prefetcht0 0x80(%rax)", "nop", ["no loop"]),
    ],
)
def test_the_check_of_tiles_for_few_output_channels(line, changed, said):
    ((name, body),) = functions(FEW.replace(line, changed)).items()
    found = few_faults(name, body)
    assert len(found) == len(said)
    assert all(text in fault for text, fault in zip(said, found, strict=True))


def test_steps():
    assert step("f32_conv_12x2v__avx512") == Step(24, 14)
    assert step("f64_winograd_product_12x2v__avx512") == Step(24, 14, kept=24)
    assert step("f32_grouped_6x4__avx2") == Step(24, 10)
    assert step("f32_row_4x3by1__avx2") == Step(12, 3 + 6)
    assert step("f32_row_4x5by2__avx2") == Step(20, 5 + 11)
    assert step("f32_planes_6x2v__avx2") == Step(12, 8, stores=2)
    assert step("f32_narrow_8x4__avx2") == Step(16, 8)
    assert step("f32_fip_11x2v__avx512") == Step(44, 39, additions=44)
    assert step("f64_fip_4x2v__avx2") == Step(16, 18, additions=16)
    assert step("f32_narrow_4x2v__avx2") == Step(8, 6)
    assert step("f32_split_3x4v__avx512") == Step(12, 7)
    assert step("f32_planes_tail_3__avx2") == Step(3, 4)
    assert step("f64_planes_tail_3__avx2") == Step(6, 5)


def test_the_check_limits_moves_and_fetches():
    def found(*lines):
        more = "\n      1c:\t".join(lines)
        ((name, body),) = functions(GOOD.replace("add    $0x20,%rsi", more)).items()
        return faults(name, body)

    fetch, move = "mov    0x8(%rsp),%rdx", "vmovaps %ymm1,%ymm4"
    assert found(fetch, "vmovq  %xmm8,%rcx") == []
    assert "3 fetches of pointers" in found(fetch, fetch, "vmovq  %xmm8,%rcx")[0]
    assert found(move) == []
    assert "2 moves of vectors" in found(move, move)[0]
