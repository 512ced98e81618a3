#!/usr/bin/env bash
# Expected: relu6 is min(max(x, 0), 6): 6 for everything above 6, in every type; hardswish is x for everything above 3.
# What happens: tinygrad computes relu6 as relu(x) - relu(x - 6), so the 6 is what rounding left of a difference: in
#   float32 it is 8 for 1e8, 0 for 1e9 and NaN for inf. hardsigmoid and hardswish are built on it: hardswish(1e8) is 0.
#   Where the compiler rounds float16 after each operation, as clang 14 does, 20000 is enough for 0, and hardswish(3000)
#   is 4000. clip(0, 6) is right.
# Why it matters: relu6 is there to keep a network in range for half precision, and MobileNets are made of the three;
#   a large activation, the one that the clip is for, turns into 0. Random inputs of usual size show nothing.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.4.6 tinygrad==0.14.0
DEV=CPU CACHEDB="$dir/cache.db" "$dir/venv/bin/python" - <<'EOF'
from importlib.metadata import version

import numpy as np
from tinygrad import Device, Tensor

print("tinygrad", version("tinygrad"), Device.DEFAULT)
right = {
    "relu6": lambda x: np.clip(x, 0, 6),
    "hardsigmoid": lambda x: np.clip(x / 6 + 0.5, 0, 1),
    "hardswish": lambda x: x * (np.clip(x + 3, 0, 6) / 6),
}
for x in (np.array([5, 12345.678, 1e7, 1e8, 1e9], np.float32), np.array([5, 1000, 3000, 5000, 20000], np.float16)):
    print(f"{x.dtype}: {x}")
    for name, function in right.items():
        got, wanted = getattr(Tensor(x), name)().numpy(), function(x.astype(np.float64))
        print(f"  {name}: {got}")
        if x.dtype == np.float32:  # in float16 it depends on the compiler
            assert np.isclose(got, wanted, rtol=0.01).tolist() == [True, True, True, False, False] and got[-1] == 0
    assert (Tensor(x).clip(0, 6).numpy() == right["relu6"](x)).all()
assert np.isnan(Tensor([np.inf]).relu6().item()) and Tensor([np.inf]).clip(0, 6).item() == 6
EOF
