"""The types of the arguments that stand in several signatures."""

import numpy as np

Array = np.ndarray
Pair = int | tuple[int, int]  # (height, width)
Padding = int | str | tuple[int, int] | tuple[tuple[int, int], tuple[int, int]]
WeightAndBias = tuple[np.ndarray, np.ndarray | None]
