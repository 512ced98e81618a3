#!/usr/bin/env bash
# Expected: UpSampling2D with interpolation "bilinear" and Resizing of a Keras model give Keras's pixels in
#   TensorFlow.js: centres of pixels lie at halves, so that doubling 0, 1, 2 gives 0, 0.25, 0.75, 1.25, 1.75, 2.
# What happens: UpSampling2D calls the resize without half_pixel_centers: 0, 0.5, 1, 1.5, 2, 2, half a pixel to the left
#   and above. Resizing aligns the corners instead, 0, 0.4, 0.8 ..., but does not with crop_to_aspect_ratio, whose
#   value is handed over negated as align_corners and crops nothing: an image of another shape is squeezed.
# Why it matters: decoders of segmentation and super-resolution networks are made of UpSampling2D. Each doubling moves
#   the map by half a pixel of the finer one, the shifts add up over the layers, and sizes are right. "nearest" is right;
#   tf.image.resizeBilinear(x, size, false, true) gives Keras's pixels.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-layers@4.22.0 \
    @tensorflow/tfjs-backend-cpu@4.22.0
cat > resize.js <<'EOF'
const assert = require('assert');
const tf = require('@tensorflow/tfjs-core');
const layers = require('@tensorflow/tfjs-layers');
require('@tensorflow/tfjs-backend-cpu');

const rounded = map => Array.from(map.dataSync(), x => Number(x.toFixed(3)));
const ramp = tf.reshape(tf.range(0, 3), [1, 1, 3, 1]);

// The layer as Keras writes it into a model's JSON.
async function upsampling(interpolation) {
  const topology = { class_name: 'Sequential', config: { name: 'net', layers: [
    { class_name: 'InputLayer', config: { name: 'x', batch_input_shape: [null, 1, 3, 1], dtype: 'float32' } },
    { class_name: 'UpSampling2D', config: { name: 'up', size: [1, 2], data_format: 'channels_last', interpolation } },
  ] } };
  return (await layers.models.modelFromJSON(topology)).predict(ramp);
}
const resizing = (crop, x) =>
  layers.layers.resizing({ height: 1, width: 6, interpolation: 'bilinear', cropToAspectRatio: crop }).apply(x);

async function main() {
  console.log('tfjs-layers', layers.version_layers);
  const right = rounded(tf.image.resizeBilinear(ramp, [1, 6], false, true));
  assert.deepStrictEqual(right, [0, 0.25, 0.75, 1.25, 1.75, 2]);
  console.log(`right: ${right}`);
  for (const [name, map, known] of [
    ['UpSampling2D, nearest', await upsampling('nearest'), [0, 0, 1, 1, 2, 2]],
    ['UpSampling2D, bilinear', await upsampling('bilinear'), [0, 0.5, 1, 1.5, 2, 2]],
    ['Resizing', resizing(false, ramp), [0, 0.4, 0.8, 1.2, 1.6, 2]],
    ['Resizing with crop_to_aspect_ratio', resizing(true, ramp), [0, 0.5, 1, 1.5, 2, 2]],
  ]) {
    console.log(`${name}: ${rounded(map)}`);
    assert.deepStrictEqual(rounded(map), known);
  }
  // 12 rows of 6 pixels: Keras crops them to the middle row.
  const tall = tf.tile(tf.reshape(tf.range(0, 12), [1, 12, 1, 1]), [1, 1, 6, 1]);
  const kept = rounded(resizing(true, tall));
  console.log(`rows 0 to 11 of 6 columns to 1 row of 6 with crop_to_aspect_ratio: ${kept}; the crop is row 5`);
  assert.deepStrictEqual(kept, Array(6).fill(0));
}
main().catch(error => { console.error(error); process.exit(1); });
EOF
node resize.js
