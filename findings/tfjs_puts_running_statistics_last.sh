#!/usr/bin/env bash
# Expected: the weights of a TensorFlow.js model.json stand layer by layer: a batch norm's gamma, beta, moving mean
#   and variance together, as in Keras.
# What happens: all weights that are trained come first, for the whole network, and the moving means and variances of
#   all norms follow at the end. Freezing a layer (trainable = false) moves its kernel behind the trained ones as
#   well, so the order of one and the same architecture differs from file to file.
# Why it matters: a reader that walks layers and the manifest side by side gives the next kernel's bytes to a norm;
#   where sizes agree nothing raises. Compute each name's offset from the manifest, then go by name.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund @tensorflow/tfjs-core@4.22.0 \
  @tensorflow/tfjs-layers@4.22.0 @tensorflow/tfjs-backend-cpu@4.22.0
cat > order.js <<'EOF'
const assert = require('assert');
const tf = require('@tensorflow/tfjs-core');
require('@tensorflow/tfjs-backend-cpu');
const {sequential, layers, version_layers} = require('@tensorflow/tfjs-layers');

async function order(frozen) {
  const model = sequential();
  for (const i of [1, 2]) {
    model.add(layers.conv2d({name: `conv${i}`, filters: 4, kernelSize: 1, useBias: false, inputShape: [8, 8, 4]}));
    model.add(layers.batchNormalization({name: `norm${i}`}));
  }
  if (frozen) model.getLayer('conv1').trainable = false;
  let specs;
  await model.save(tf.io.withSaveHandler(async artifacts => {
    specs = artifacts.weightSpecs;
    return {modelArtifactsInfo: {dateSaved: new Date(), modelTopologyType: 'JSON'}};
  }));
  return specs.map(spec => spec.name);
}

(async () => {
  console.log('tfjs-core', tf.version_core, 'tfjs-layers', version_layers);
  const plain = await order(false), frozen = await order(true);
  console.log('as built:    ', plain.join(' '));
  console.log('conv1 frozen:', frozen.join(' '));
  assert.deepStrictEqual(plain.slice(0, 4), ['conv1/kernel', 'norm1/gamma', 'norm1/beta', 'conv2/kernel']);
  assert(plain.slice(6).every(name => name.includes('/moving_')));
  assert.strictEqual(frozen.indexOf('conv1/kernel'), 5);
  assert.strictEqual(frozen.length, plain.length);
})().catch(error => { console.error(error); process.exit(1); });
EOF
node order.js 2> log || { cat log; exit 1; }
