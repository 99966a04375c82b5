// The mathematics of attention, in float64, as pure functions on plain arrays of rows.
// Equal to unrolled.nn.functional to 1e-6; tests/widgets hold the two together.

/** @typedef {number[][]} Matrix rows of numbers, all of one length */
/** @typedef {boolean[][]} Mask true = may attend */

/** @param {number[]} a @param {number[]} b @returns {number} */
export function dot(a, b) {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k] * b[k];
  return sum;
}

/**
 * s_ij = scale · q_i · k_j
 * @param {Matrix} query [T, K] @param {Matrix} key [S, K] @returns {Matrix} [T, S]
 */
export function attentionScores(query, key, scale = 1) {
  return query.map((q) => key.map((k) => dot(q, k) * scale));
}

/**
 * Softmax over one row; entries that may not be attended to get 0, and a row of none but those stays all 0.
 * @param {number[]} scores @param {boolean[] | null} mask @returns {number[]}
 */
export function softmax(scores, mask = null) {
  const open = scores.map((_, j) => mask === null || mask[j]);
  // Subtracting the largest keeps exp() from overflowing and changes no share.
  const top = Math.max(...scores.filter((_, j) => open[j]));
  const powers = scores.map((s, j) => (open[j] ? Math.exp(s - top) : 0));
  const sum = powers.reduce((a, b) => a + b, 0);
  return sum > 0 ? powers.map((p) => p / sum) : powers;
}

/** @param {Matrix} scores [T, S] @param {Mask | null} mask [T, S] @returns {Matrix} [T, S] */
export function attentionWeights(scores, mask = null) {
  return scores.map((row, i) => softmax(row, mask === null ? null : mask[i]));
}

/** @param {Matrix} weights [T, S] @param {Matrix} value [S, D] @returns {Matrix} [T, D] */
export function attend(weights, value) {
  const width = value.length ? value[0].length : 0;
  return weights.map((row) =>
    Array.from({ length: width }, (_, d) => row.reduce((sum, w, j) => sum + w * value[j][d], 0)),
  );
}

/** @param {number} T @param {number} S @returns {Mask} each position sees itself and what stands before */
export function causalMask(T, S = T) {
  return Array.from({ length: T }, (_, i) => Array.from({ length: S }, (_, j) => j <= i + S - T));
}
