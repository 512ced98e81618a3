#!/usr/bin/env bash
# Expected: a maximum is one of the values, for negative maps too, and its index is that value's, on every backend.
# What happens: TensorFlow.js's wasm starts maxPool3d, maxPoolWithArgmax and dilation2d from the smallest positive
#   float32: windows of negative values give 1.175e-38 and the index 0. maxPool (2-D) and the backend "cpu" are right.
# Why it matters: behind a ReLU it does not show, behind a linear or leaky layer maxima are 0, in effect a ReLU that is
#   not in the network; an unpooling by the indices puts them all into the first pixel. Wasm is the usual backend in
#   browsers without WebGL. C++'s numeric_limits<float>::min() is not the lowest number.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0 \
    @tensorflow/tfjs-backend-wasm@4.22.0
cat > maxima.js <<'EOF'
const assert = require('assert');
const path = require('path');
const tf = require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-backend-cpu');
const wasm = require('@tensorflow/tfjs-backend-wasm');
wasm.setWasmPaths(path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + path.sep);

const values = tensor => Array.from(tensor.dataSync());

(async () => {
  console.log('tfjs-core', tf.version_core);
  for (const backend of ['cpu', 'wasm']) {
    await tf.setBackend(backend);
    const map = tf.tensor([-4, -3, -2, -5], [1, 2, 2, 1]);
    const found = tf.maxPoolWithArgmax(map, 2, 2, 'valid');
    const got = {
      maxPool: values(tf.maxPool(map, 2, 2, 'valid')),
      maxPoolWithArgmax: values(found.result),
      index: values(found.indexes),
      maxPool3d: values(tf.maxPool3d(tf.reshape(map, [1, 1, 2, 2, 1]), [1, 2, 2], 1, 'valid')),
      dilation2d: values(tf.dilation2d(map, tf.zeros([2, 2, 1]), 1, 'valid')),
    };
    console.log(backend, JSON.stringify(got));
    const maximum = backend === 'cpu' ? -2 : Math.fround(1.17549435e-38);
    assert.deepStrictEqual(got, {
      maxPool: [-2],
      maxPoolWithArgmax: [maximum],
      index: [backend === 'cpu' ? 2 : 0],
      maxPool3d: [maximum],
      dilation2d: [maximum],
    });
  }
})();
EOF
node maxima.js
