#!/usr/bin/env bash
# Expected: a NaN in a window makes an average NaN in every engine, since a sum with NaN is NaN; of maxima it is known
#   that engines differ.
# What happens: ExecuTorch's XNNPACK gives -inf for an average pool without padding whose window has a NaN (the result
#   is clamped by x86's max, where NaN becomes the bound); with padding, as a mean or in the portable kernels it is NaN.
#   Max pools: XNNPACK's gives 1 or -inf, the portable one NaN only where it is the window's last value.
# Why it matters: a check for isnan behind the network misses what went wrong in it, a ReLU makes a plausible 0 of -inf,
#   and whether a NaN survives depends on the padding and on the partitioner.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 torchao==0.18.0 \
  executorch==1.5.1
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOS' || { cat "$dir/log"; exit 1; }
from importlib.metadata import version

import numpy as np
import torch
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower
from executorch.runtime import Runtime
from torch import nn

print("executorch", version("executorch"), "torch", torch.__version__)


class Mean(nn.Module):
    def forward(self, x):
        return x.mean((2, 3))


def run(module, x, partitioner):
    edge = to_edge_transform_and_lower(torch.export.export(module.eval(), (x,)), partitioner=partitioner)
    data = edge.to_executorch().buffer  # each has a name, so that it lives until the result is copied
    program = Runtime.get().load_program(data)
    method = program.load_method("forward")
    return method.execute([x])[0].numpy().copy().ravel()


x = torch.ones(1, 1, 3, 3)
x[0, 0, 1, 1] = float("nan")
for module in (nn.AvgPool2d(2, 1), nn.AvgPool2d(3), nn.AvgPool2d(3, padding=1), Mean(), nn.MaxPool2d(2, 1)):
    torchs, portable, xnnpack = module(x).numpy().ravel(), run(module, x, []), run(module, x, [XnnpackPartitioner()])
    print(f"{module}: torch {torchs}, portable {portable}, XNNPACK {xnnpack}")
    assert np.isnan(torchs).all()
    if isinstance(module, nn.MaxPool2d):
        assert np.array_equal(np.isnan(portable), [False, False, False, True])
        assert not np.isnan(xnnpack).any()
    else:
        assert np.isnan(portable).all()
        unpadded = isinstance(module, nn.AvgPool2d) and not module.padding
        assert np.isneginf(xnnpack).all() if unpadded else np.isnan(xnnpack).all()
EOS
