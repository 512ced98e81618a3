#!/usr/bin/env bash
# Expected: ct.convert refuses what Core ML cannot do, as it does for divisor_override, dilated max pools and circular
#   padding, and keeps the stable form of a stable function.
# What happens: F.interpolate(..., antialias=True) becomes upsample_bilinear, the same operation as without it, traced or
#   exported, without a word: since 8.1 the one is an alias of the other. log_softmax becomes log(softmax(x) + 1.4e-45), in
#   float16 log(softmax(x)): a class 30 below the first, where torch has -30, is then -inf, as softmax is 0 there.
# Why it matters: antialias=True is what torchvision's transforms do, and the resize moves into the model when it goes to
#   a phone: images that are shrunk by four then skip most of their pixels. Log-probabilities of -inf make NaN of 0 · -inf
#   in a weighted sum. (Core ML itself runs on Apple's systems alone: this reads what would be run.)
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 coremltools==9.0
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOS' || { cat "$dir/log"; exit 1; }
from importlib.metadata import version

import coremltools as ct
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

print(*(f"{name} {version(name)}" for name in ("coremltools", "torch")))
image = torch.rand(1, 3, 16, 16)


class Call(nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def operations(function, exported=False, precision=ct.precision.FLOAT32):
    module = Call(function).eval()
    if exported:
        source, arguments = torch.export.export(module, (image,)).run_decompositions({}), {}
    else:
        source, arguments = torch.jit.trace(module, image), {"inputs": [ct.TensorType(shape=image.shape)]}
    program = ct.convert(source, convert_to="milinternal", compute_precision=precision, **arguments)
    for operation in program.functions["main"].operations:
        if operation.op_type not in ("const", "cast"):
            known = {name: x.val for name, x in operation.inputs.items() if getattr(x, "val", None) is not None}
            yield operation.op_type, {name: value for name, value in known.items() if np.ndim(value) == 0}


for exported in (False, True):
    plain, smooth = (list(operations(lambda x: F.interpolate(x, size=(4, 4), mode="bilinear", antialias=antialias),
                                     exported)) for antialias in (False, True))
    print("exported:" if exported else "traced:", "antialias=False", plain, "antialias=True", smooth)
    assert [kind for kind, _ in plain] == [kind for kind, _ in smooth] == ["upsample_bilinear"]
    for precision, floor in ((ct.precision.FLOAT32, 2.0**-149), (ct.precision.FLOAT16, 0.0)):
        got = list(operations(lambda x: F.log_softmax(x, 1), exported, precision))
        print("log_softmax:", got)
        assert [kind for kind, _ in got] == ["softmax", "log"] and got[1][1]["epsilon"] == floor
assert np.float16(np.exp(-30.0)) == 0
EOS
