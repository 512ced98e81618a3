#!/usr/bin/env bash
# Expected: with CACHE_DIR set, core.compile_model("net.xml") reads its compiled model from the cache only while the
#   network is the same; other weights mean another entry.
# What happens: the key is the path, the size and the modification time, in whole seconds, of the file that was named.
#   The weights beside it, net.bin or net.onnx.data, do not count: exchange them and the old ones compute on, in later
#   processes too. A single net.onnx of the same size and second is not told from the old one either. With
#   core.read_model first, the weights count.
# Why it matters: retrained weights have the same size, and an IR of the same graph has the same .xml, so a careful
#   deployment copies the .bin alone; reproducible images and archives give every file one time. Accuracy then stays
#   that of the old network, with no message; LOADED_FROM_CACHE tells it.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 openvino==2026.4.1
CI=true "$dir/venv/bin/python" - "$dir" <<'EOF'
import os
import pathlib
import sys

import numpy as np
import onnx
import openvino as ov
from onnx import TensorProto, helper, numpy_helper
from openvino import opset13

os.chdir(sys.argv[1])
print("openvino", ov.__version__)
core = ov.Core()
core.set_property({"CACHE_DIR": "cache"})
image = np.ones((1, 1, 4, 4), np.float32)


def weights(value):
    return np.full((1, 1, 1, 1), value, np.float32)


def save_ir(value, path):
    x = opset13.parameter(image.shape, np.float32, name="x")
    weight = opset13.constant(weights(value), name="weight")
    y = opset13.convolution(x, weight, [1, 1], [0, 0], [0, 0], [1, 1], name="conv")
    ov.save_model(ov.Model([opset13.result(y, name="y")], [x], "net"), path, compress_to_fp16=False)


def save_onnx(value, path, external):
    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, image.shape) for name in "xy")
    conv = helper.make_node("Conv", ["x", "w"], ["y"])
    graph = helper.make_graph([conv], "g", [x], [y], [numpy_helper.from_array(weights(value), "w")])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    pathlib.Path("net.onnx.data").unlink(missing_ok=True)
    onnx.save(model, path, save_as_external_data=external, location="net.onnx.data", size_threshold=0)


def run(model):
    return float(core.compile_model(model, "CPU")(image)[0][0, 0, 0, 0])


def show(text, path):
    seen = run(path), run(core.read_model(path))
    print(f"{text}: by path {seen[0]:g}, by read_model {seen[1]:g}")
    return seen


save_ir(1, "net.xml")
assert show("net.xml with weight 1", "net.xml") == (1, 1)
os.mkdir("new")
save_ir(2, "new/net.xml")
with open("net.xml") as old, open("new/net.xml") as new:
    assert old.read() == new.read()
os.replace("new/net.bin", "net.bin")
os.utime("net.bin", (2e9, 2e9))
assert show("net.bin replaced by weight 2", "net.xml") == (1, 2)
os.utime("net.xml", (2e9, 2e9))
assert show("net.xml touched", "net.xml") == (2, 2)

for external in (False, True):
    name = "weights apart" if external else "one file"
    path = f"{name.replace(' ', '_')}.onnx"
    for value in (1, 2):
        save_onnx(value, path, external)
        os.utime(path, (1e9, 1e9 + value / 4))
        assert show(f"ONNX, {name}, weight {value}, same second", path) == (1, value)
EOF
