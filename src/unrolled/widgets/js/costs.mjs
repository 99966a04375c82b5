// What a transformer costs, as in ../../costs: whole numbers of any size, so that none is rounded.

/**
 * @typedef {{ vocab_size: number, max_len: number, d_model: number, n_heads: number, n_layers: number, n_kv_heads: number,
 *   d_ff: number, gated: boolean, bias: boolean, learned: boolean, tied: boolean, encoder: boolean }} Sizes
 * @typedef {"training" | "prefill" | "decode"} Phase
 */

const MOVED_IN_TRAINING = 10n;

/** Parameters by part. @param {Sizes} s */
export function parameters(s) {
  const [V, d, f, L] = [s.vocab_size, s.d_model, s.d_ff, s.n_layers].map(BigInt);
  const linear = (n, m) => n * m + (s.bias ? m : 0n);
  const norm = s.bias ? 2n * d : d;
  const rows = V + (s.learned ? BigInt(s.max_len) : 0n) + (s.encoder ? 2n : 0n);
  return {
    embedding: rows * d,
    attention: L * (linear(d, d + 2n * keys(s)) + linear(d, d)),
    feedforward: f ? L * ((s.gated ? 2n : 1n) * linear(d, f) + linear(f, d)) : 0n,
    norms: ((f ? 2n : 1n) * L + 1n) * norm,
    head: s.encoder ? linear(d, d) : s.tied ? 0n : V * d,
  };
}

/** Components of all heads of keys together. @param {Sizes} s */
const keys = (s) => BigInt(s.n_kv_heads * (s.d_model / s.n_heads));

/** Operations by part. @param {Sizes} s @param {number} length @param {number} batch @param {Phase} phase */
export function operations(s, length, batch, phase) {
  const [V, d, f, L, S, B] = [s.vocab_size, s.d_model, s.d_ff, s.n_layers, length, batch].map(BigInt);
  const tokens = phase === "decode" ? B : B * S;
  const times = phase === "training" ? 3n : 1n;
  return {
    projections: times * L * 2n * tokens * (d * (d + 2n * keys(s)) + d * d),
    pairs: times * L * 4n * tokens * S * d,
    feedforward: times * L * 2n * tokens * (s.gated ? 3n : 2n) * d * f,
    head: times * (s.encoder ? 2n * B * d * d : 2n * tokens * d * V),
  };
}

/** @param {Record<string, bigint>} parts */
export const total = (parts) => Object.values(parts).reduce((sum, part) => sum + part, 0n);

/** @param {bigint} numbers @param {number} bits */
const bytes = (numbers, bits) => (numbers * BigInt(bits) + 7n) / 8n;

/** @param {Sizes} s @param {number} bits */
export const weightBytes = (s, bits) => bytes(total(parameters(s)), bits);

/** @param {Sizes} s @param {number} length @param {number} batch @param {number} bits */
export const cacheBytes = (s, length, batch, bits) =>
  (s.encoder ? 0n : bytes(2n * BigInt(s.n_layers) * keys(s) * BigInt(length) * BigInt(batch), bits));

/** Bytes moved at least. @param {Sizes} s @param {number} length @param {number} batch @param {Phase} phase @param {number} bits */
export function traffic(s, length, batch, phase, bits) {
  const parts = parameters(s);
  if (phase === "training") return MOVED_IN_TRAINING * bytes(total(parts), bits);
  const looked = s.encoder || !s.tied ? 0n : BigInt(s.vocab_size) * BigInt(s.d_model);
  return bytes(total(parts) - parts.embedding + looked, bits) + cacheBytes(s, length, batch, bits);
}

/** The phases a model has. @param {Sizes} s @returns {Phase[]} */
export const phases = (s) => (s.encoder ? ["training", "prefill"] : ["training", "prefill", "decode"]);
