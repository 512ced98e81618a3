#!/usr/bin/env bash
# Expected: a layer of TensorFlow.js that takes dilationRate, and is read from a Keras model that has a dilation_rate,
#   dilates its kernel, as its Conv2D and SeparableConv2D do; what it cannot do it refuses, as it does other things.
# What happens: its DepthwiseConv2D and Conv2DTranspose keep the number and compute the layer without it. The depthwise
#   layer hands strides, padding and format to the operation and no dilation; the transposed one, which passes over
#   output_padding as well, gives a smaller map with padding "valid". Both layers hold the number they were given.
# Why it matters: the size of a depthwise layer with padding "same" does not depend on its dilation. The dilated
#   depthwise layers of networks for segmentation see other pixels in the browser than in Keras, without a word. A
#   SeparableConv2D, or tf.depthwiseConv2d in a layer of one's own, is right.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-layers@4.22.0 \
    @tensorflow/tfjs-backend-cpu@4.22.0
cat > dilations.js <<'EOF'
const assert = require('assert');
const tf = require('@tensorflow/tfjs-core');
const { models, version_layers } = require('@tensorflow/tfjs-layers');
require('@tensorflow/tfjs-backend-cpu');

const image = tf.reshape(tf.range(0, 25), [1, 5, 5, 1]);
const ones = { class_name: 'Ones', config: {} };

// A layer of 3×3 ones, as Keras writes it into a model's JSON, without bias.
async function run(class_name, options) {
  const config = { name: 'layer', kernel_size: [3, 3], strides: [1, 1], use_bias: false, ...options };
  for (const kind of ['kernel', 'depthwise', 'pointwise']) {
    if ((kind === 'kernel') === class_name.startsWith('Conv')) config[`${kind}_initializer`] = ones;
  }
  if (class_name !== 'DepthwiseConv2D') config.filters = 1;
  const given = { name: 'x', batch_input_shape: [null, 5, 5, 1], dtype: 'float32' };
  const input = { class_name: 'InputLayer', config: given };
  const topology = { class_name: 'Sequential', config: { name: 'net', layers: [input, { class_name, config }] } };
  const model = await models.modelFromJSON(topology);
  assert.deepStrictEqual(model.layers[1].dilationRate, options.dilation_rate);
  return model.predict(image);
}

async function main() {
  console.log('tfjs-layers', version_layers);
  const kernel = tf.ones([3, 3, 1, 1]);
  const right = tf.depthwiseConv2d(image, kernel, 1, 'same', 'NHWC', 2).dataSync();
  for (const name of ['Conv2D', 'SeparableConv2D', 'DepthwiseConv2D']) {
    const [plain, dilated] = await Promise.all(
      [1, 2].map(rate => run(name, { padding: 'same', dilation_rate: [rate, rate] })));
    const got = dilated.dataSync();
    console.log(`${name}, dilation 2, first row: ${got.slice(0, 5)}; right: ${right.slice(0, 5)}`);
    assert.deepStrictEqual(got, name === 'DepthwiseConv2D' ? plain.dataSync() : right);
    assert.notDeepStrictEqual(plain.dataSync(), right);
  }
  const [plain, dilated, padded] = await Promise.all([[1, null], [2, null], [1, [1, 1]]].map(
    ([rate, output_padding]) =>
      run('Conv2DTranspose', { padding: 'valid', dilation_rate: [rate, rate], output_padding })));
  console.log(`Conv2DTranspose, dilation 2: ${dilated.shape}; right: 1,9,9,1`);
  console.log(`Conv2DTranspose, output_padding 1: ${padded.shape}; right: 1,8,8,1`);
  for (const map of [dilated, padded]) {
    assert.deepStrictEqual(map.shape, [1, 7, 7, 1]);
    assert.deepStrictEqual(map.dataSync(), plain.dataSync());
  }
}
main().catch(error => { console.error(error); process.exit(1); });
EOF
node dilations.js
