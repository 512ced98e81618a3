#!/usr/bin/env bash
# Expected: an InstanceNorm2d with track_running_stats=True in eval() mode normalises with the statistics that it learned,
#   as torch does and as every BatchNorm2d is converted, or a converter refuses it.
# What happens: coremltools (both formats, traced or exported) and pnnx for ncnn write a plain instance norm, which has
#   mean and variance of the image at hand; the learned ones are not in the file. No warning.
# Why it matters: older checkpoints of networks for style and image translation carry such statistics. Colours and
#   contrast then follow the image, and a plain one becomes the bias alone; the shapes are right. Put a BatchNorm2d with
#   the same arrays in its place before the conversion: in eval() mode it is the same function.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 torch==2.13.0 ncnn==1.0.20261020 \
  pnnx==20261020 coremltools==9.0
cd "$dir"
"$dir/venv/bin/python" - 2> "$dir/log" <<'EOS' || { cat "$dir/log"; exit 1; }
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import coremltools as ct
import ncnn
import numpy as np
import torch
from torch import nn

print(*(f"{name} {version(name)}" for name in ("coremltools", "pnnx", "ncnn", "torch")))
C, MEAN, VARIANCE = 2, 3.0, 4.0
image = torch.arange(18.0).reshape(1, C, 3, 3)


class Network(nn.Module):
    def __init__(self, norm):
        super().__init__()
        self.same = nn.Conv2d(C, C, 1, bias=False)  # tells pnnx which axis is the batch
        self.same.weight.data = torch.eye(C)[:, :, None, None]
        self.norm = norm
        norm.running_mean.fill_(MEAN)
        norm.running_var.fill_(VARIANCE)

    def forward(self, x):
        return self.norm(self.same(x))


def by_ncnn(traced, name):
    traced.save(f"{name}.pt")
    subprocess.run([Path(sys.prefix, "bin", "pnnx"), f"{name}.pt", "inputshape=[1,2,3,3]", "fp16=0"], check=True,
                   capture_output=True)
    net = ncnn.Net()
    assert net.load_param(f"{name}.ncnn.param") == net.load_model(f"{name}.ncnn.bin") == 0
    given = np.ascontiguousarray(image[0].numpy())
    extractor = net.create_extractor()
    extractor.input("in0", ncnn.Mat(given))
    return np.array(extractor.extract("out0")[1])


def core_ml_operations(traced, exported):
    inputs = [ct.TensorType(shape=image.shape)]
    for source, arguments in ((traced, {"inputs": inputs}), (exported, {})):
        program = ct.convert(source, convert_to="milinternal", compute_precision=ct.precision.FLOAT32, **arguments)
        yield [operation.op_type for operation in program.functions["main"].operations if operation.op_type != "const"]
    layers = ct.convert(traced, convert_to="neuralnetwork", inputs=inputs).get_spec().neuralNetwork.layers
    yield ["own mean" if layer.batchnorm.computeMeanVar else layer.WhichOneof("layer") for layer in layers]


for name, norm in (("batch", nn.BatchNorm2d(C)), ("instance", nn.InstanceNorm2d(C, track_running_stats=True))):
    network = Network(norm).eval()
    traced = torch.jit.trace(network, image)
    right, got = network(image)[0].detach().numpy(), by_ncnn(traced, name)
    assert np.allclose(right, (image[0].numpy() - MEAN) / VARIANCE**0.5, atol=1e-3)
    print(f"{name}: torch {right.ravel().round(2)}, ncnn {got.ravel().round(2)}")
    written = list(core_ml_operations(traced, torch.export.export(network, (image,)).run_decompositions({})))
    print("  Core ML:", *written)
    assert np.allclose(got, right, atol=1e-3) == (name == "batch")
    if name == "batch":
        assert not any("own mean" in operations or "instance_norm" in operations for operations in written)
    else:
        assert np.allclose(got, nn.functional.instance_norm(image)[0].numpy(), atol=1e-3)
        assert all("own mean" in operations or "instance_norm" in operations for operations in written)
EOS
