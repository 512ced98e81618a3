#!/usr/bin/env bash
# Expected: uint8 in an ONNX file is 0 to 255 in every operation, as an IREE program has types of its own for unsigned
#   integers until it is lowered; a cast of 200 to uint8 is 200.
# What happens: iree-import-onnx and iree-compile make signed operations of several: MaxPool of 200 and 100 is 100, since
#   200 counts as -56, Clip(x, 10, 210) is 210 for every x, 200 / 3 is 238, a cast of 200 from float to uint8 is 127.
#   Max, Greater, ReduceMax, casts to float and DequantizeLinear are right. Computed bytes come back as an array of int8.
# Why it matters: images are bytes, and files with the preprocessing inside clip, pool and cast them so. Dark images, all
#   below 128, are right. Cast to float or int32 at the beginning, and view the result as uint8.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2 onnxruntime==1.32.0 \
    iree-base-compiler==3.13.0 iree-base-runtime==3.13.0
cat > "$dir/bytes.py" <<'EOF'
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import iree.runtime as rt
import numpy as np
import onnx
import onnxruntime as ort
from onnx import numpy_helper, parser

BIN, MODEL = Path(sys.executable).parent, Path(sys.argv[1]) / "net.onnx"
image = np.array([[[[0, 100, 127], [128, 200, 255]]]], np.uint8)
print("iree", version("iree-base-compiler"), "onnxruntime", ort.__version__)


def run(dtypes, body, x, **constants):
    """The results of ONNX Runtime and of IREE."""
    text = f'<ir_version: 9, opset_import: ["": 17]> g ({dtypes[0]}[1,1,2,3] x) => ({dtypes[1]} y) {{{body}}}'
    model = parser.parse_model(text)
    model.graph.output[0].type.tensor_type.ClearField("shape")
    model.graph.initializer.extend(numpy_helper.from_array(np.array(a), name) for name, a in constants.items())
    onnx.save(onnx.shape_inference.infer_shapes(model), MODEL)
    right = ort.InferenceSession(MODEL, providers=["CPUExecutionProvider"]).run(None, {"x": x})[0]
    subprocess.run([BIN / "iree-import-onnx", MODEL, "-o", MODEL.with_suffix(".mlir")], check=True)
    flags = "--iree-hal-target-backends=llvm-cpu", "--iree-llvmcpu-target-cpu=generic"
    command = BIN / "iree-compile", MODEL.with_suffix(".mlir"), *flags, "-o", MODEL.with_suffix(".vmfb")
    subprocess.run(command, check=True)
    context = rt.SystemContext(config=rt.Config("local-sync"))
    context.add_vm_module(rt.VmModule.copy_buffer(context.instance, MODEL.with_suffix(".vmfb").read_bytes()))
    return right, np.array(context.modules.module["g"](x).to_host())


ten, high, three = np.uint8(10), np.uint8(210), np.uint8(3)
for body, dtypes, constants, known in (
    ("t = MaxPool<kernel_shape=[2,1]>(x) y = Cast<to=1>(t)", ("uint8", "float"), {}, [0, 100, 127]),
    ("t = Clip(x, low, high) y = Cast<to=1>(t)", ("uint8", "float"), {"low": ten, "high": high}, [210] * 6),
    ("t = Div(x, k) y = Cast<to=1>(t)", ("uint8", "float"), {"k": three}, [0, 33, 42, 214, 238, 0]),
    ("t = Max(x, low) y = Cast<to=1>(t)", ("uint8", "float"), {"low": ten}, None),
    ("t = Greater(x, low) y = Cast<to=1>(t)", ("uint8", "float"), {"low": ten}, None),
    ("y = Cast<to=1>(x)", ("uint8", "float"), {}, None),
    ("y = Cast<to=2>(x)", ("float", "uint8"), {}, [0, 100, 127, 127, 127, 127]),
):
    right, got = run(dtypes, body, image if dtypes[0] == "uint8" else image.astype(np.float32), **constants)
    print(f"{body}: right {right.ravel().tolist()}, IREE {got.ravel().tolist()} of {got.dtype}")
    assert got.ravel().tolist() == (right.ravel().tolist() if known is None else known)
    assert got.dtype == (np.int8 if dtypes[1] == "uint8" else np.float32)
EOF
"$dir/venv/bin/python" "$dir/bytes.py" "$dir"
