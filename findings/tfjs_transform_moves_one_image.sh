#!/usr/bin/env bash
# Expected: tf.image.transform moves every image of a batch, by one transform for all or one for each, and its fill mode
#   "reflect" mirrors at each side: 1, 2, 3, 4 moved by one to the right is 1, 1, 2, 3.
# What happens: TensorFlow.js's backend "cpu" moves the first image and gives the fill value for all others, the
#   identity too. Its wasm moves all of them, but "reflect" takes the last column for what is left of the image: 4, 1,
#   2, 3. To the right of the image wasm is right, and so are "constant", "wrap" and "nearest".
# Why it matters: it is the operation of random rotation, zoom and shift, and of spatial transformers. Tests with one
#   image pass, and a network that is trained on batches sees one image and plain grey.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0 \
    @tensorflow/tfjs-backend-wasm@4.22.0
cat > transform.js <<'EOF'
const assert = require('assert');
const path = require('path');
const tf = require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-backend-cpu');
const wasm = require('@tensorflow/tfjs-backend-wasm');
wasm.setWasmPaths(path.dirname(require.resolve('@tensorflow/tfjs-backend-wasm')) + path.sep);

// The first row of each image of a batch, moved by columns to the right.
function moved(images, columns, mode, transforms = 1) {
  const batch = tf.tile(tf.tensor([1, 2, 3, 4], [1, 1, 4, 1]), [images, 4, 1, 1]);
  const matrix = tf.tile(tf.tensor2d([[1, 0, -columns, 0, 1, 0, 0, 0]]), [transforms, 1]);
  return tf.reshape(tf.image.transform(batch, matrix, 'nearest', mode, 9), [images, 4, 4]).arraySync().map(x => x[0]);
}

(async () => {
  console.log('tfjs-core', tf.version_core);
  for (const backend of ['cpu', 'wasm']) {
    await tf.setBackend(backend);
    for (const transforms of [1, 3]) {
      const batch = moved(3, 0, 'constant', transforms);
      console.log(`${backend}, identity of three images, ${transforms} transforms: ${JSON.stringify(batch)}`);
      const others = backend === 'cpu' ? [9, 9, 9, 9] : [1, 2, 3, 4];
      assert.deepStrictEqual(batch, [[1, 2, 3, 4], others, others]);
    }
    const left = backend === 'cpu' ? 1 : 4;
    const known = { reflect: [left, 1, 2, 3], nearest: [1, 1, 2, 3], wrap: [4, 1, 2, 3], constant: [9, 1, 2, 3] };
    for (const [mode, row] of Object.entries(known)) {
      const [got] = moved(1, 1, mode);
      console.log(`${backend}, ${mode}, to the right: ${got}`);
      assert.deepStrictEqual(got, row);
    }
    assert.deepStrictEqual(moved(1, -2, 'reflect')[0], [3, 4, 4, 3]);
  }
})();
EOF
node transform.js
