"""Tables by the names of operators: which are translated, which take parameters, which are refused."""

from collections.abc import Callable
from typing import Any, Literal

from fastconv.onnx._program import Node
from fastconv.onnx._translations import (
    arithmetic,
    convolutions,
    elementwise,
    joining,
    normalizations,
    pools,
    resizing,
    shaping,
)

_MODULES = arithmetic, convolutions, elementwise, joining, normalizations, pools, resizing, shaping

TRANSLATIONS: dict[str, Callable[..., Any]] = {
    kind: translate for module in _MODULES for kind, translate in module.TRANSLATIONS.items()
}

# The inputs that a translation takes as constants.
PARAMETERS: dict[str, tuple[int, ...]] = {
    kind: positions for module in _MODULES for kind, positions in module.PARAMETERS.items()
}

# Those that are bound anew in each call where only this knows their parameters: their code in NumPy takes longer.
LATE = (
    *("BatchNormalization", "Conv", "ConvTranspose", "Gemm", "InstanceNormalization", "LayerNormalization"),
    *("Resize", "Upsample"),
)

# The inputs on whose values, not only their shapes, the sizes of the results depend.
VALUES: dict[str, tuple[int, ...] | Literal[True]] = {
    **dict.fromkeys(("Compress", "NonMaxSuppression", "NonZero", "Range", "StringSplit", "Unique"), True),
    **dict.fromkeys(("ConstantOfShape", "BlackmanWindow", "HammingWindow", "HannWindow", "MelWeightMatrix"), True),
    **dict.fromkeys(("AffineGrid", "CenterCropPad", "Expand", "OneHot", "Reshape", "Split", "SplitToSequence"), (1,)),
    **dict.fromkeys(("Squeeze", "Tile", "TopK", "Unsqueeze", "Upsample"), (1,)),
    **{f"Reduce{kind}": (1,) for kind in ("Max", "Mean", "Min", "Prod", "Sum", "SumSquare")},
    **{f"Reduce{kind}": (1,) for kind in ("L1", "L2", "LogSum", "LogSumExp")},
    "Col2Im": (1, 2),
    "DFT": (1, 2),
    "MaxUnpool": (2,),
    "Pad": (1, 3),
    "Resize": (1, 2, 3),
    "STFT": (1, 3),
    "SequenceAt": (1,),
    "Slice": (1, 2, 3, 4),
}

_QUANTIZED = "it is an operator of quantised networks"
REFUSED = {
    **dict.fromkeys(("ConvInteger", "DequantizeLinear", "DynamicQuantizeLinear", "MatMulInteger"), _QUANTIZED),
    **dict.fromkeys(("QLinearConv", "QLinearMatMul", "QuantizeLinear"), _QUANTIZED),
}

_RANDOM = (
    *("Bernoulli", "Multinomial", "RandomNormal", "RandomNormalLike", "RandomUniform", "RandomUniformLike"),
    "Optional",
)


def is_random(node: Node) -> bool:
    """Whether a node gives other values in each run."""
    return node.kind in _RANDOM
