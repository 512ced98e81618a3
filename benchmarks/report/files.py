"""asv's result files as checked values: the only module of the report that reads them.

They are outside data. A file that is damaged, or holds what this suite never stores, is passed over with a line that
says why; of every string that stays the control characters are replaced, so that none reaches a terminal.
"""

import json
import re
import sys
import warnings
from ast import literal_eval
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import product
from math import isnan, prod
from pathlib import Path
from typing import Any, TypeVar

_VERSION = 2  # of asv's format
_OTHERS = {"machine.json", "benchmarks.json"}  # in the same folders
_TYPED_KERNEL = re.compile(r"(?<=\d)x(?=\d)")  # the suite's names are ASCII, to be typed: 3x3, for a reader 3×3
_LONGEST_NAME = 80
_LARGEST = 1e18  # of a number: sizes, counts and rates stay far below
_LATEST = 253_402_300_799_000  # the last millisecond of the year 9999
_UNREADABLE = OSError, ValueError, TypeError, AttributeError, LookupError, RecursionError, MemoryError, ArithmeticError


Made = TypeVar("Made")
Item = tuple[tuple[Any, ...], float | None, tuple[float, float] | None]  # parameters, value, quartiles


@dataclass(frozen=True, slots=True)
class Result:
    """One result file; `started` is in milliseconds, `items` {benchmark: [(parameters, value, quartiles)]}.

    A value of None is a failure, NaN one that was not run; quartiles are None but for timings.
    """

    commit: str
    environment: str
    machine: dict[str, str]
    started: float
    items: dict[str, list[Item]]


def read(folder: str | Path, make: Callable[[Result], Made]) -> list[Made]:
    """What `make` gives for each `Result` under a folder; a line on stderr for each file that cannot be used."""
    made = []
    for path in sorted([*Path(folder).glob("*/*.json"), *Path(folder).glob("*.json")]):  # of all machines, or of one
        try:
            if path.name not in _OTHERS and path.is_file():
                made.append(make(_result(json.loads(path.read_text("utf-8")))))
        except _UNREADABLE as error:
            reason = str(error) or type(error).__name__
            print(clean(f"report: {path} is passed over: {reason}")[:300], file=sys.stderr)
    return made


def clean(value: Any) -> Any:
    """The same value with � for every control character and the like in its strings, keys included."""
    if isinstance(value, str):
        return value if value.isprintable() else "".join(c if c.isprintable() else "�" for c in value)
    if isinstance(value, dict):
        return {clean(key): clean(held) for key, held in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(clean, value))
    return value


def check(holds: object, reason: str) -> None:
    """Raise ValueError for what no run of this suite stores."""
    if not holds:
        raise ValueError(reason)


def a_name(value: object) -> bool:
    """Whether a value can be the name of a layer, a block or an algorithm."""
    return isinstance(value, str) and 0 < len(value) <= _LONGEST_NAME and value == value.strip()


def a_text(value: object) -> bool:
    """Whether a value is text of any length."""
    return isinstance(value, str)


def a_count(value: object) -> bool:
    """Whether a value can be a number of channels, threads or operations."""
    return type(value) is int and 0 < value < _LARGEST


def an_amount(value: object) -> bool:
    """Whether a value can be a time, a rate or a size."""
    return isinstance(value, int | float) and not isinstance(value, bool) and 1 / _LARGEST < value < _LARGEST


def _result(stored: Any) -> Result:
    check(isinstance(stored, dict), "it holds no object")
    version = stored.get("version")
    check(version == _VERSION, f"its format is version {version!r}; known is {_VERSION}")
    columns, started = stored["result_columns"], []
    check(isinstance(stored["params"], dict), "its machine is no object")
    items = {}
    for name, row in stored["results"].items():
        row = dict(zip(columns, row, strict=False))  # what is None at the end is not stored
        name = clean(name)
        items[name] = _items(name, row)
        started.append(row.get("started_at") or 0)
        check(type(started[-1]) in (int, float) and 0 <= started[-1] <= _LATEST, f"{name} started at {started[-1]!r}")
    commit, environment = stored["commit_hash"], stored["env_name"]
    check(isinstance(commit, str) and isinstance(environment, str), "its commit or environment is no text")
    machine = {clean(key): clean(value) for key, value in stored["params"].items() if value and isinstance(value, str)}
    return Result(clean(commit), clean(environment), machine, max(started, default=0), items)


def _items(name: str, row: dict[str, Any]) -> list[Item]:
    """[(parameters, value, quartiles)] of every cell of a benchmark."""
    lists = row.get("params") or []
    check(isinstance(lists, list) and all(isinstance(texts, list) for texts in lists), f"{name} has odd parameters")
    count = prod(map(len, lists))
    values, low, high = (row.get(column) for column in ("result", "stats_q_25", "stats_q_75"))
    if values is None:  # it failed as a whole
        return [((), None, None)]
    low, high = (ends or [None] * count for ends in (low, high))
    for column in (values, low, high):
        check(isinstance(column, list) and len(column) == count, f"{name} has not {count} values")
    cells = zip(product(*lists), values, low, high, strict=True)
    return [(_parameters(texts), _value(name, value), _quartiles(*ends)) for texts, value, *ends in cells]


def _parameters(texts: Iterable[str]) -> tuple[Any, ...]:
    return tuple(clean(_literal(_TYPED_KERNEL.sub("×", clean(text)))) for text in texts)


def _literal(text: str) -> object:
    """The value whose repr a text is; the text itself where it is none of a literal."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of escapes that are none
        try:
            return literal_eval(text)
        except (ValueError, SyntaxError):
            return text


def _value(name: str, value: Any) -> Any:
    check(value is None or type(value) in (int, float), f"{name} has a value that is no number")
    check(value is None or isnan(value) or 0 <= value < _LARGEST, f"{name} has the value {value}")
    return value


def _quartiles(low: Any, high: Any) -> tuple[float, float] | None:
    return (low, high) if an_amount(low) and an_amount(high) else None
