"""Whether the hot loop of a micro-kernel is what its name promises, read from what `objdump -d` prints for x86."""

import re
from dataclasses import dataclass

_FUNCTION = re.compile(r"^[0-9a-f]+ <(?P<name>[\w.]+)>:$")
_INSTRUCTION = re.compile(r"^ +(?P<address>[0-9a-f]+):\t(?P<name>\w+)(?: +(?P<operands>[^#<]*))?")
_TILE = re.compile(r"f\d\d_(?P<family>conv|winograd_product|narrow)_(?P<pixels>\d+)x(?P<rows>\d+)v?__\w+")


@dataclass(frozen=True, slots=True)
class Instruction:
    """One instruction in AT&T's syntax, the destination last; the address that a jump goes to is its operand."""

    address: int
    name: str
    operands: str

    @property
    def is_vector(self):
        """Whether a whole vector is among its operands."""
        return "%ymm" in self.operands or "%zmm" in self.operands

    @property
    def is_multiply_add(self):
        return self.is_vector and self.name.startswith("vfmadd")

    @property
    def is_store(self):
        return self.operands.endswith(")")

    @property
    def is_load(self):
        return "(" in self.operands and not self.is_store and not self.name.startswith("prefetch")


def functions(listing):
    """{name: [Instruction]} of a disassembly."""
    found = {}
    for line in listing.splitlines():
        if start := _FUNCTION.match(line):
            body = found.setdefault(start["name"], [])
        elif instruction := _INSTRUCTION.match(line):
            operands = (instruction["operands"] or "").strip()
            body.append(Instruction(int(instruction["address"], 16), instruction["name"], operands))
    return found


def hot_loops(body):
    """The innermost loops with the most multiply-adds: there are two where one of them prefetches."""
    jumps = [i for i in body if i.name.startswith("j") and re.fullmatch(r"[0-9a-f]+", i.operands)]
    spans = {(int(jump.operands, 16), jump.address) for jump in jumps if int(jump.operands, 16) <= jump.address}
    innermost = [s for s in spans if not any(t != s and s[0] <= t[0] and t[1] <= s[1] for t in spans)]
    loops = [[i for i in body if first <= i.address <= last] for first, last in sorted(innermost)]
    most = max(map(_multiply_adds, loops), default=0)
    return [loop for loop in loops if most and _multiply_adds(loop) == most]


def is_tile(name):
    """Whether a function is a register tile: its reduction is a loop of multiply-adds, whose size its name tells."""
    return _TILE.fullmatch(name) is not None


def faults(name, body):
    """What is wrong with the hot loop of a register tile, as sentences.

    A turn of the loop makes some steps of the reduction. In each a tile of p pixels by v vectors needs p·v
    multiply-adds and loads p values and v vectors of weights; a narrow tile of groups of w needs p·w, and loads p
    vectors and w of weights. Nothing else may touch a whole vector in memory, but for one of the weights that is loaded
    twice. The general registers do not hold the pointers of the largest tiles: in a turn each may be fetched once, from
    the stack or a vector register. Moves between vector registers take no unit, only a place in the stream of
    instructions: there may be half as many as multiply-adds.
    """
    tile = _TILE.fullmatch(name)
    pixels, rows = int(tile["pixels"]), int(tile["rows"])
    loops = hot_loops(body)
    found = [] if loops else ["no loop has multiply-adds"]
    has_frame = any((i.name, i.operands) == ("mov", "%rsp,%rbp") for i in body)
    stack = re.compile(r"\((%rsp|%rbp)" if has_frame else r"\(%rsp")
    for loop in loops:
        work = _multiply_adds(loop)
        steps, rest = divmod(work, pixels * rows)
        if rest:
            found.append(f"{work} multiply-adds are not a multiple of {pixels}·{rows}")
        loads = steps * (pixels + rows)
        vectors = [i for i in loop if i.is_vector]
        fetches = sum(bool(stack.search(i.operands)) or _leaves_vectors(i) for i in loop if not i.is_vector)
        moves = sum(i.name.startswith("vmov") and "(" not in i.operands for i in vectors)
        for what, count, least, most in (
            ("loads of vectors", sum(i.is_load for i in vectors), loads, loads + 1),
            ("stores of vectors", sum(i.is_store for i in vectors), 0, 0),
            ("vectors on the stack", sum(bool(stack.search(i.operands)) for i in vectors), 0, 0),
            ("fetches of pointers", fetches, 0, pixels),
            ("moves of vectors", moves, 0, work // 2),
        ):
            if not least <= count <= most:
                found.append(f"{count} {what}, where {steps} steps of {pixels}·{rows} need {least} to {most}")
    return found


def _multiply_adds(loop):
    return sum(instruction.is_multiply_add for instruction in loop)


def _leaves_vectors(instruction):
    """Whether it takes a pointer out of a vector register: vmovq %xmm28,%rdx."""
    return re.fullmatch(r"%xmm\d+,%r\w+", instruction.operands) is not None
