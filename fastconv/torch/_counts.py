"""What the backend has done so far: `counts`."""

from typing import NamedTuple


class Counts(NamedTuple):
    """What `fastconv.torch` has done since the process began.

    Attributes
    ----------
    graphs : int
        Graphs that `torch.compile` or `convert` handed over.
    calls : int
        Calls of these.
    left : int
        Those among the calls that were left to PyTorch whole: where a gradient is needed, or the order of operators
        matters.
    plans, operators : int
        Runs of plans and recurrent layers of fastconv, and of single operators of PyTorch between them.
    """

    graphs: int = 0
    calls: int = 0
    left: int = 0
    plans: int = 0
    operators: int = 0


COUNTED = Counts()._asdict()


def counts() -> Counts:
    """What the backend has done since the process began: the difference of two tells whether it ran.

    Examples
    --------
    >>> import fastconv.torch
    >>> fastconv.torch.counts()._fields
    ('graphs', 'calls', 'left', 'plans', 'operators')
    """
    return Counts(**COUNTED)
