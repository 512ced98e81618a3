from numpy import ndarray

from fastconv._runners.transforms import Transform

def direct(
    weight: ndarray, bias: ndarray | None, groups: int, team: tuple[int, int]
) -> tuple[ndarray, ndarray, bool]: ...
def winograd(
    weight: ndarray, bias: ndarray | None, groups: int, transform: Transform, team: tuple[int, int]
) -> tuple[ndarray, ndarray, ndarray, bool, float]: ...
def winograd_on_the_fly(
    weight: ndarray, bias: ndarray | None, groups: int, transform: Transform, team: tuple[int, int]
) -> tuple[ndarray, ndarray, ndarray, bool, float]: ...
