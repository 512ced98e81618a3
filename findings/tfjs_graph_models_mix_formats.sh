#!/usr/bin/env bash
# Expected: TensorFlow.js runs a graph model whose operations have data_format NCHW by that, or refuses it, as it refuses
#   DepthToSpace. It reads the attribute of every operation, and its conv2d computes both formats.
# What happens: Conv2D alone looks at the format, and takes the strides of channels and rows for those of rows and
#   columns: a stride of 2 goes along the columns only. MaxPool and AvgPool have windows of 3×1 for 3×3. BiasAdd and
#   FusedBatchNorm add and scale by column, and nothing raises where a map is as wide as it has channels.
# Why it matters: networks that were trained with channels_first have it in each operation. A pool of stride 1 with
#   padding SAME keeps its size, and so do bias and norm: all values are wrong, all shapes right. Transpose the graph to
#   NHWC before it is converted.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund @tensorflow/tfjs-core@4.22.0 @tensorflow/tfjs-converter@4.22.0 \
    @tensorflow/tfjs-backend-cpu@4.22.0
cat > formats.js <<'EOF'
const assert = require('assert');
const tf = require('@tensorflow/tfjs-core');
const { loadGraphModel, version_converter } = require('@tensorflow/tfjs-converter');
require('@tensorflow/tfjs-backend-cpu');

const text = value => ({ s: Buffer.from(value).toString('base64') });
const ints = (...values) => ({ list: { i: values.map(String) } });
const type = { type: 'DT_FLOAT' };
const shape = sizes => ({ dim: sizes.map(size => ({ size: String(size) })) });
// Two images of two channels, NCHW.
const [small, large] = [[1, 2, 2, 2], [1, 2, 4, 4]].map(s => tf.reshape(tf.range(0, s[2] * s[3] * 2), s));

// What a graph model of one operation makes of x.
async function run(op, attr, x, constants) {
  const nodes = constants.map(({ shape: sizes }, i) => ({
    name: `c${i}`, op: 'Const', attr: { dtype: type, value: { tensor: { dtype: 'DT_FLOAT', tensorShape: shape(sizes) } } },
  }));
  nodes.unshift({ name: 'x', op: 'Placeholder', attr: { dtype: type, shape: { shape: shape(x.shape) } } });
  nodes.push({ name: 'y', op, input: nodes.map(node => node.name), attr: { T: type, ...attr } });
  const model = await loadGraphModel(tf.io.fromMemory({
    modelTopology: { node: nodes, versions: { producer: 1 } },
    weightSpecs: constants.map((tensor, i) => ({ name: `c${i}`, shape: tensor.shape, dtype: 'float32' })),
    weightData: Float32Array.from(constants.flatMap(tensor => Array.from(tensor.dataSync()))).buffer,
  }));
  return model.execute({ x });
}

async function main() {
  console.log('tfjs-converter', version_converter);
  const nchw = { data_format: text('NCHW') };
  const pool = { ...nchw, ksize: ints(1, 1, 3, 3), strides: ints(1, 1, 1, 1), padding: text('SAME') };
  const conv = { ...nchw, padding: text('VALID'), dilations: ints(1, 1, 1, 1) };
  const [one, two, ones] = [tf.tensor1d([0, 0]), tf.tensor1d([1, 2]), tf.ones([2, 2, 2, 1])];
  const pooled = f => x => f(x, 3, 1, 'same');
  const norm = x => tf.batchNorm(x, one, tf.tensor1d([1, 1]), one, two, 0.001);
  for (const [op, attr, x, constants, right, agrees] of [
    ['Conv2D', { ...conv, strides: ints(1, 1, 1, 1) }, large, [ones], x => tf.conv2d(x, ones, 1, 'valid'), true],
    ['Conv2D', { ...conv, strides: ints(1, 1, 2, 2) }, large, [ones], x => tf.conv2d(x, ones, 2, 'valid')],
    ['MaxPool', pool, large, [], pooled(tf.maxPool)],
    ['AvgPool', pool, large, [], pooled(tf.avgPool)],
    ['BiasAdd', nchw, small, [two], x => tf.add(x, two)],
    ['FusedBatchNormV3', { ...nchw, epsilon: { f: 0.001 } }, small, [two, one, one, tf.tensor1d([1, 1])], norm],
  ]) {
    const want = tf.transpose(right(tf.transpose(x, [0, 2, 3, 1])), [0, 3, 1, 2]);
    const got = await run(op, attr, x, constants);
    const [first, known] = [got, want].map(map => Array.from(map.dataSync().slice(0, 4), v => Number(v.toFixed(2))));
    console.log(`${op}: ${got.shape}: ${first}; right: ${want.shape}: ${known}`);
    const same = JSON.stringify([got.shape, first]) === JSON.stringify([want.shape, known]);
    assert.strictEqual(same, Boolean(agrees));
    assert.strictEqual(String(got.shape) === String(want.shape), op !== 'Conv2D' || same);
    if (op === 'MaxPool') assert.deepStrictEqual(got.dataSync(), tf.maxPool(x, [1, 3], 1, 'same').dataSync());
    if (op === 'BiasAdd') assert.deepStrictEqual(got.dataSync(), tf.add(x, two).dataSync());
  }
  await assert.rejects(run('DepthToSpace', { ...nchw, block_size: { i: '2' } }, tf.zeros([1, 4, 2, 2]), []), /NHWC/);
}
main().catch(error => { console.error(error); process.exit(1); });
EOF
node formats.js
