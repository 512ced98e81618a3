from typing import Final

from fastconv._runners.winograd import Winograd

WEIGHT_COST: Final[int]

class WinogradOnTheFly(Winograd): ...
