#!/usr/bin/env bash
# Expected: a backend that takes an operation of a program computes what the portable kernels would have computed:
#   F.interpolate(x, scale_factor=1.5, mode="bilinear") steps by 1/1.5 from pixel to pixel, whatever the sizes.
# What happens: ExecuTorch's XNNPACK keeps the sizes alone and steps by their ratio, like recompute_scale_factor=True.
#   Half of nine columns, four, begins at 0.625 instead of 0.5 and ends at 7.375 instead of 6.5. Without the partitioner,
#   in the portable kernels, it is right. Whole factors up are right.
# Why it matters: pyramids halve odd sizes and detectors scale by 1.5 or 1.3; the maps drift by up to a pixel towards
#   the far border. Give size=, or recompute_scale_factor=True while training too.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 torchao==0.18.0 \
  executorch==1.5.1
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOS' || { cat "$dir/log"; exit 1; }
from importlib.metadata import version

import numpy as np
import torch
import torch.nn.functional as F
from executorch.backends.xnnpack.partition.xnnpack_partitioner import XnnpackPartitioner
from executorch.exir import to_edge_transform_and_lower
from executorch.runtime import Runtime
from torch import nn

print("executorch", version("executorch"), "torch", torch.__version__)


class Bilinear(nn.Module):
    def __init__(self, arguments):
        super().__init__()
        self.arguments = arguments

    def forward(self, x):
        return F.interpolate(x, mode="bilinear", **self.arguments)


def run(module, x, partitioner):
    edge = to_edge_transform_and_lower(torch.export.export(module.eval(), (x,)), partitioner=partitioner)
    data = edge.to_executorch().buffer  # each has a name, so that it lives until the result is copied
    program = Runtime.get().load_program(data)
    method = program.load_method("forward")
    return method.execute([x])[0].numpy().copy()


columns = torch.arange(9.0).expand(1, 1, 9, 9).contiguous()
for arguments in ({"scale_factor": 0.5}, {"scale_factor": 1.3}, {"scale_factor": 1.5}, {"scale_factor": 2},
                  {"scale_factor": 0.5, "recompute_scale_factor": True}, {"size": 4}, {"size": 13}):
    module = Bilinear(arguments)
    right, portable = module(columns).numpy(), run(module, columns, [])
    xnnpack = run(module, columns, [XnnpackPartitioner()])
    print(arguments, *(f"{name} {got[0, 0, 0].round(3)}" for name, got in
                       (("torch", right), ("portable", portable), ("XNNPACK", xnnpack))), sep="\n  ")
    by_sizes = Bilinear({"size": right.shape[-1]})(columns).numpy()
    assert np.allclose(portable, right, atol=1e-5) and np.allclose(xnnpack, by_sizes, atol=1e-5)
    uneven = arguments.get("scale_factor", 2) != 2 and "recompute_scale_factor" not in arguments
    assert np.allclose(xnnpack, right, atol=1e-5) != uneven
EOS
