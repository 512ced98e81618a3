#!/usr/bin/env bash
# Expected: onnx.save_model writes a model and leaves the object as it was, with save_as_external_data=True too.
# What happens: with external data the weights are moved out: afterwards raw_data is empty in the object,
#   numpy_helper.to_array and sessions made from it raise, and saving it again in another folder *succeeds* with a
#   file of some hundred bytes and no weights. A model that onnx.load read from such a pair is whole again.
# Why it matters: "save for the archive, then fold, race or save elsewhere" loses the weights without an error at the
#   time. Save a copy (copy.deepcopy or CopyFrom), or load the file again before going on.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 onnx==1.23.2
mkdir "$dir/first" "$dir/second"
cd "$dir"
venv/bin/python - <<'EOF'
import os

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

print("numpy", np.__version__, "onnx", onnx.__version__)
weight = np.random.default_rng(0).standard_normal((64, 64, 3, 3)).astype(np.float32)
x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 64, "h", "w"]) for name in "xy")
node = helper.make_node("Conv", ["x", "weight"], ["y"], pads=[1, 1, 1, 1])
model = helper.make_model(helper.make_graph([node], "g", [x], [y], [numpy_helper.from_array(weight, "weight")]))
tensor = model.graph.initializer[0]


def save(folder):
    onnx.save_model(model, f"{folder}/net.onnx", save_as_external_data=True, location="net.data")
    sizes = {name: os.path.getsize(f"{folder}/{name}") for name in sorted(os.listdir(folder))}
    print(f"saved in {folder}: {sizes}; bytes of the weight left in the object: {len(tensor.raw_data)}")
    return sizes


print("bytes of the weight before:", len(tensor.raw_data))
assert save("first")["net.data"] == weight.nbytes and len(tensor.raw_data) == 0
assert "net.data" not in save("second")
assert np.array_equal(numpy_helper.to_array(onnx.load("first/net.onnx").graph.initializer[0]), weight)
try:
    onnx.load("second/net.onnx")
    raise SystemExit("the second file is whole")
except onnx.checker.ValidationError as error:
    print("loading the second:", str(error)[:60], "...")
EOF
