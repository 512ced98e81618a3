from typing import Any

import numpy as np

from fastconv._checks.types import Array
from fastconv._planning.plan import Plan

class Known: ...

def call_one(plan: Plan, names: tuple[str, ...], x: Array[Any], out: Any) -> Any: ...
def call(
    plan: Plan, names: tuple[str, ...], given: tuple[Array[Any], ...], out: Any, times: np.ndarray | None = None
) -> Any: ...
