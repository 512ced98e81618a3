#!/usr/bin/env bash
# Expected: ml-matrix-convolution has one convolution in two forms, direct and fft, which its page says are equal: both
#   take the image as periodic. An FFT differs in the last digits.
# What happens: fft pads the image to the next power of two and wraps the border around within that. Where a side is one
#   short of a power of two (7, 15, 31 pixels; with a 5×5 kernel also two or three short) the padding is too narrow, and
#   rows or columns at the border are sums of other pixels, off by as much as the values are large. The rest is right.
# Why it matters: maps and tiles with a middle pixel, 7×7, 15×15 or 31×31, are usual in networks, and tests of 4×4,
#   5×5 or 8×8 show nothing. No error is raised.
set -euo pipefail
dir=$(mktemp -d) && trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund ml-matrix-convolution@2.0.0
cat > sizes.js <<'EOF'
const assert = require('assert');
const { direct, fft } = require('ml-matrix-convolution');

console.log('ml-matrix-convolution', require('./node_modules/ml-matrix-convolution/package.json').version);

// The rows and columns in which the two forms differ.
function wrong(side, other, size) {
  const image = Array.from({ length: side * other }, (_, i) => (i * 7) % 11);
  const kernel = Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => i * size + j + 1));
  const options = { rows: side, cols: other };
  const [one, two] = [direct, fft].map(convolve => Array.from(convolve(image, kernel, options)));
  const places = one.map((value, i) => (Math.abs(value - two[i]) > 1e-6 ? i : -1)).filter(i => i >= 0);
  const count = part => [...new Set(places.map(part))].sort((a, b) => a - b);
  return { rows: count(i => Math.floor(i / other)), columns: count(i => i % other) };
}

for (const size of [3, 5]) {
  const bad = [];
  for (let side = 5; side <= 33; side++) {
    const tall = wrong(side, 8, size), wide = wrong(8, side, size);
    if (tall.rows.length) {
      bad.push(side);
      console.log(`${size}×${size} over ${side}×8: rows ${tall.rows} wrong; over 8×${side}: columns ${wide.columns}`);
      assert.deepStrictEqual(tall.rows, wide.columns);
      assert(tall.rows[0] === 0);
    } else {
      assert.strictEqual(wide.columns.length, 0);
    }
  }
  console.log(`${size}×${size}: sides ${bad}`);
  assert.deepStrictEqual(bad, size === 3 ? [7, 15, 31] : [5, 6, 7, 13, 14, 15, 29, 30, 31]);
}
EOF
node sizes.js
