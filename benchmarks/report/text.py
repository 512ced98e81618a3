"""Numbers and numbers of threads as text."""

from collections.abc import Iterable

from benchmarks.report.records import Cell

SLOWER = "slower"
UNSTEADY_MARK = "~"


def significant(value: float, digits: int = 3) -> str:
    """A number with this many significant digits and no exponent: 0.0123, 1.23, 12.3, 1,230."""
    mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
    return f"{float(mantissa) * 10 ** int(exponent):,.{max(digits - 1 - int(exponent), 0)}f}" if value else "0"


def _scaled(value: float, scales: dict[str, float]) -> str:
    """A value in the first of the units {unit: size} that it reaches once rounded, or the last."""
    unit = next((unit for unit, scale in scales.items() if float(f"{value / scale:.2e}") >= 1), list(scales)[-1])
    return f"{significant(value / scales[unit])} {unit}"


def seconds(value: float) -> str:
    """A time with its unit: 12.3 µs."""
    return _scaled(value, {"s": 1, "ms": 1e-3, "µs": 1e-6, "ns": 1e-9})


def count(value: int) -> str:
    """A count with its metric prefix: 1.23 M."""
    return f"{value}" if value < 1000 else _scaled(value, {"G": 1e9, "M": 1e6, "k": 1e3})


def size(value: float) -> str:
    """Bytes with a binary prefix: 1.23 MiB."""
    return f"{value} B" if value < 1024 else _scaled(value, {"GiB": 2**30, "MiB": 2**20, "KiB": 2**10})


def times(value: float) -> str:
    """A factor: 3.46×."""
    return f"{significant(value)}×"


def as_fast(cell: Cell) -> str:
    """A cell's factor of time, named where it is a loss: slower 0.710×."""
    return f"{SLOWER} " * cell.is_slower + times(cell.time_saved)


def team(*threads: int) -> str:
    """Numbers of threads in words: 1 thread, 2 threads, 1 and 2 threads."""
    return f"{listed(threads)} thread{'s' * (threads != (1,))}"


def percent(share: float) -> str:
    """A share: 87%."""
    return f"{100 * share:.0f}%"


def listed(items: Iterable[object]) -> str:
    """Items in words: 16, 32 and 64."""
    *head, last = map(str, sorted(items) if isinstance(items, set) else items)
    return f"{', '.join(head)} and {last}" if head else last
