"""Whether the hot loop of a micro-kernel is what its name promises, read from what `objdump -d` prints for x86."""

import re
from dataclasses import dataclass

_FUNCTION = re.compile(r"^[0-9a-f]+ <(?P<name>[\w.]+)>:$")
_INSTRUCTION = re.compile(r"^ +(?P<address>[0-9a-f]+):\t(?P<name>\w+)(?: +(?P<operands>[^#<]*))?")
_TILE = re.compile(
    r"f(?P<bits>\d\d)_(?P<family>conv|conv_(prefetching|keeping)|winograd_product|grouped|row|planes|planes_tail|narrow"
    r"|split|fip)_(?P<pixels>\d+)(x(?P<other>\d+)v?)?(by(?P<step>\d+))?__\w+"
)

_FEW = re.compile(r"f(?P<bits>\d\d)_few_(?P<columns>\d)__\w+")

_PLACES_OF_SUMS = 5  # where they come from and go to with a stride each, and the stride of the chunks


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


def hot_loops(body, stores=True):
    """The innermost loops with the most multiply-adds: there are two where one of them prefetches.

    Without `stores` those that store a vector, loops over tiles, do not count.
    """
    jumps = [i for i in body if i.name.startswith("j") and re.fullmatch(r"[0-9a-f]+", i.operands)]
    spans = {(int(jump.operands, 16), jump.address) for jump in jumps if int(jump.operands, 16) <= jump.address}
    innermost = [s for s in spans if not any(t != s and s[0] <= t[0] and t[1] <= s[1] for t in spans)]
    loops = [[i for i in body if first <= i.address <= last] for first, last in sorted(innermost)]
    loops = [loop for loop in loops if stores or not any(i.is_vector and i.is_store for i in loop)]
    most = max(map(_multiply_adds, loops), default=0)
    return [loop for loop in loops if most and _multiply_adds(loop) == most]


def is_tile(name):
    """Whether a function is a register tile: its reduction is a loop of multiply-adds, whose size its name tells."""
    return _TILE.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class Step:
    """What one step of a tile's reduction needs: whole vectors, and values loaded into all lanes of one."""

    multiply_adds: int
    loads: int
    stores: int = 0  # of the loop that copies its input; a second one then reads the copy
    additions: int = 0
    kept: int = 0  # sums that a turn of the loop, a chunk, adds to those in memory, or in a register


def step(name):
    """The step of a register tile.

    p pixels by v vectors of weights load p values and v vectors. A grouped tile of groups of w loads p vectors and w of
    weights for p·w multiply-adds. A row of p pixels, some columns apart, loads the taps' weights and each column under
    them once. A narrow tile of 16 bytes of columns has several pixels in a vector, of which it loads as many values at
    once. Planes have rows of weights for pixels, and pixels for columns: the tile that first reads a panel stores
    its v vectors again. The last pixels have a tile's rows as lanes, which fill one vector of floats or two of doubles.
    A tile of split rows has p weights and v vectors of pixels.
    Products of Winograd are in chunks, and their sums wait in memory.
    Fast inner products load three values of each pixel and 3·v vectors for 2·p·v multiply-adds and as many additions.
    """
    tile = _TILE.fullmatch(name)
    pixels, other = int(tile["pixels"]), int(tile["other"] or int(tile["bits"]) // 32)
    if tile["family"] == "row":
        columns = (pixels - 1) * int(tile["step"]) + other
        return Step(pixels * other, other + columns)
    if tile["family"] == "fip":
        return Step(2 * pixels * other, 3 * (pixels + other), additions=2 * pixels * other)
    if tile["family"] == "narrow" and other == 4:  # floats in AVX2's vectors, which have two pixels
        return Step(pixels // 2 * other, pixels // 2 + other)
    kept = pixels * other if tile["family"] == "winograd_product" else 0
    return Step(pixels * other, pixels + other, other if tile["family"] == "planes" else 0, kept=kept)


def faults(name, body):
    """What is wrong with the hot loop of a register tile, as sentences.

    A turn of the loop makes some steps of the reduction, and nothing but what they need may touch a whole vector in
    memory, but for one of the weights that is loaded twice. The general registers do not hold the pointers of the
    largest tiles: in a turn each may be fetched once, from the stack or a vector register; a turn of Winograd's
    products is a whole chunk, which may fetch where its sums come from and go to. Moves between vector registers
    take no unit, only a place in the stream of instructions: there may be half as many as multiply-adds. Those to
    and from mask registers take the units of the multiply-adds.
    """
    need, pixels = step(name), int(_TILE.fullmatch(name)["pixels"])
    # In a narrow tile the compiler may take the sums of one step, or of the last, apart, in a loop over tiles; the
    # stores of fast inner products, which have multiply-adds too, jump back where a pixel is left out.
    loops = hot_loops(body, stores=not re.search("narrow|fip", name))
    found = [] if loops else ["no loop has multiply-adds"]
    has_frame = any((i.name, i.operands) == ("mov", "%rsp,%rbp") for i in body[:4])
    stack = re.compile(r"\((%rsp|%rbp)" if has_frame else r"\(%rsp")
    copying = []
    for loop in loops:
        work = _multiply_adds(loop)
        steps, rest = divmod(work, need.multiply_adds)
        if rest:
            found.append(f"{work} multiply-adds are not a multiple of {need.multiply_adds}")
        vectors = [i for i in loop if i.is_vector]
        stored = sum(i.is_store for i in vectors)
        stores = steps * need.stores if stored else 0
        copying.append(stored > 0)
        fetches = sum(bool(stack.search(i.operands)) or _leaves_vectors(i) for i in loop if not i.is_vector)
        moves = sum(i.name.startswith("vmov") and "(" not in i.operands for i in vectors)
        loads = steps * need.loads
        for what, count, least, most in (
            ("loads of vectors", sum(i.is_load for i in vectors), loads, loads + need.kept + 1),
            ("stores of vectors", stored, stores, stores + need.kept),
            ("additions", sum(i.name.startswith("vadd") for i in vectors), *[steps * need.additions + need.kept] * 2),
            ("vectors on the stack", sum(bool(stack.search(i.operands)) for i in vectors), 0, 0),
            ("fetches of pointers", fetches, 0, max(pixels, _PLACES_OF_SUMS * (need.kept > 0))),
            ("moves of vectors", moves, 0, work // 2),
            ("moves of masks", sum(i.name.startswith("kmov") for i in loop), 0, 0),
        ):
            if not least <= count <= most:
                found.append(f"{count} {what}, where {steps} steps of {need} need {least} to {most}")
    if need.stores and sorted(copying) != [False, True]:
        found.append(f"{sum(copying)} of {len(copying)} loops copy, where one of two should")
    return found


def unaligned(body, nbytes):
    """The addresses on the stack that a function takes, as "lea 0x40(%rsp),%rax", and that are no multiples of nbytes.

    It makes its stack pointer a multiple of some power of two first, or none is known to be one.
    """
    above, found = None, []  # the stack pointer, from a multiple of nbytes on
    for i in body:
        value, _, target = i.operands.partition(",")
        if target == "%rsp" and re.fullmatch(r"\$-?0x[0-9a-f]+", value):
            number = int(value[1:], 16)
            if i.name.startswith("and"):
                above = 0 if -number % 2**64 % nbytes == 0 else None
            elif above is not None:
                above += number if i.name.startswith("add") else -number
        elif i.name == "push" and above is not None:
            above -= 8
        taken = re.fullmatch(r"(?P<offset>-?0x[0-9a-f]+)?\(%rsp\),%\w+", i.operands) if i.name == "lea" else None
        if taken and (above is None or (above + int(taken["offset"] or "0", 16)) % nbytes):
            found.append(f"lea {i.operands}")
    return found


def is_few(name):
    """Whether a function is the tile for few output channels, which has loops for several ways to read x."""
    return _FEW.fullmatch(name) is not None


def few_faults(name, body):
    """What is wrong with the hot loops of the tile for few output channels, as sentences.

    They are those that prefetch. A turn multiplies the 16 bytes of each pixel, values in one or two vectors of pixels,
    by a weight for each value and column, loaded into all lanes once. No vector may be stored, or lie on the stack.
    """
    tile = _FEW.fullmatch(name)
    weights = 16 * 8 // int(tile["bits"]) * int(tile["columns"])
    loops = [loop for loop in hot_loops(body) if any(i.name.startswith("prefetch") for i in loop)]
    found = [] if loops else ["no loop that prefetches has multiply-adds"]
    for loop in loops:
        vectors = [i for i in loop if i.is_vector]
        stored, stack = sum(i.is_store for i in vectors), sum("(%rsp" in i.operands for i in vectors)
        broadcast = sum(bool(re.match("vbroadcasts|vmovddup|vpbroadcast", i.name)) for i in vectors)
        if _multiply_adds(loop) not in (weights, 2 * weights):
            found.append(f"{_multiply_adds(loop)} multiply-adds, where there are {weights} weights")
        if broadcast > weights:
            found.append(f"{broadcast} weights are loaded, where there are {weights}")
        if stored or stack:
            found.append(f"{stored} stores of vectors, {stack} vectors on the stack")
    return found


def _multiply_adds(loop):
    return sum(instruction.is_multiply_add for instruction in loop)


def _leaves_vectors(instruction):
    """Whether it takes a pointer out of a vector register: vmovq %xmm28,%rdx."""
    return re.fullmatch(r"%xmm\d+,%r\w+", instruction.operands) is not None
