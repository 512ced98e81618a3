"""What a plan tells of itself, as records that print as tables, and how it is timed."""

from collections.abc import Callable
from typing import Any, NamedTuple

PAST_PEAK = "nominal: fewer multiplications than MACs"


class Description(NamedTuple):
    """What a call on one shape of x does; prints as a small table.

    `multiplications` are those really done, lanes that only pad the channels to whole vectors not counted; "direct"
    leaves out those with rows and columns of the padding.
    `accuracy` is the bound that a convolution's algorithm promises, "componentwise" or "normwise"; None of other steps.
    `additions` are those of inputs and weights before they are multiplied, by fast inner products; None of other steps.
    `packed_bytes` are kept beside the plan's own copy of the weights; `workspace_bytes` is for the whole team, with the
    copies of a layout conversion.
    `milliseconds`, `gflops` and `share_of_peak` are None where nothing was measured.
    """

    algorithm: str
    accuracy: str | None
    tile: str
    isa: str
    threads: int
    macs: int
    multiplications: int
    additions: int | None
    packed_bytes: int
    workspace_bytes: int
    layout_conversion: str
    milliseconds: float | None = None
    gflops: float | None = None
    share_of_peak: float | None = None

    @property
    def is_past_peak(self) -> bool:
        """Whether the speed, which is nominal, passes that of the multiply-add units."""
        return self.multiplications < self.macs and (self.share_of_peak or 0) > 1

    def __str__(self) -> str:
        known = {name.replace("_", " "): value for name, value in self._asdict().items() if value is not None}
        forms: dict[type, Callable[[Any], str]] = {int: "{:,}".format, float: figure, str: str}
        lines = [f"{name:17} {forms[type(value)](value)}" for name, value in known.items()]
        return "\n".join(lines) + f" ({PAST_PEAK})" * self.is_past_peak

    def timed(self, call: Callable[[], object], itemsize: int) -> "Description":
        """The same with the time of the fastest call of those that fit 0.05 s."""
        from fastconv._planning import machine

        def work(team: int) -> int:
            call()
            return 1

        calls_per_ns = machine.best_rate(work, self.threads, fewest=2)
        gflops = 2 * self.macs * calls_per_ns
        peak = max(machine.fma_gflops(self.threads)) * 4 / itemsize
        return self._replace(milliseconds=1e-6 / calls_per_ns, gflops=gflops, share_of_peak=gflops / peak)


def figure(value: float) -> str:
    """A number with three digits or more, never as a power of ten where it is large."""
    return f"{value:,.0f}" if value >= 999.5 else f"{value:.3g}"


def table(rows: list[list[str]]) -> list[str]:
    """The lines of a table whose columns are as wide as their widest cell."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


class GraphDescription(NamedTuple):
    """What a graph does with an x of one shape: the `Description` of each step by name; prints as a table.

    A run takes `scratch_bytes` beside its inputs, weights and results, for as many images as are done at a time:
    `array_bytes` for the arrays between the steps, `workspace_bytes` more for the workspaces of the whole team, and
    `copied_bytes` for the copies of a layout conversion. `alive_bytes` are those of the largest set of the arrays
    between the steps that is alive at once.
    """

    parts: dict[str, Description]
    array_bytes: int
    alive_bytes: int
    workspace_bytes: int
    copied_bytes: int
    layout_conversion: str

    @property
    def macs(self) -> int:
        """Multiply-accumulates of all steps."""
        return sum(part.macs for part in self.parts.values())

    @property
    def scratch_bytes(self) -> int:
        """What a run takes beside its inputs, weights and results."""
        return self.array_bytes + self.workspace_bytes + self.copied_bytes

    def __str__(self) -> str:
        rows = [["part", "algorithm", "tile", "isa", "threads", "MACs", "packed bytes"]]
        rows += [
            [name, p.algorithm, p.tile, p.isa, str(p.threads), f"{p.macs:,}", f"{p.packed_bytes:,}"]
            for name, p in self.parts.items()
        ]
        if any(p.gflops is not None for p in self.parts.values()):  # of a model there are steps that are not measured
            rows[0] += ["ms", "GFLOP/s", "of peak"]
            for row, p in zip(rows[1:], self.parts.values(), strict=True):
                if p.milliseconds is not None and p.gflops is not None:
                    row += [figure(p.milliseconds), figure(p.gflops), f"{p.share_of_peak:.1%}"]
                else:
                    row += ["", "", ""]
        lines = table(rows)
        packed = sum(part.packed_bytes for part in self.parts.values())
        total = f"{self.macs:,} MACs in all, {packed:,} bytes of packed weights"
        memory = f"{self.scratch_bytes:,} bytes of scratch memory: {self.array_bytes:,} of arrays between the steps"
        memory += f" ({self.alive_bytes:,} alive at once), {self.workspace_bytes:,} of workspaces"
        memory += f", {self.copied_bytes:,} of converted copies" * bool(self.copied_bytes)
        if any(part.is_past_peak for part in self.parts.values()):
            lines.append(f"shares of the peak above 100% are {PAST_PEAK}")
        return "\n".join([*lines, total, memory, f"layout conversion: {self.layout_conversion}"])
