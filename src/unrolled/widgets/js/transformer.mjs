// A whole transformer in float64: the blocks of unrolled.nn, each intermediate tensor kept by its name, so that
// a widget can show any of them. Pure functions; equal to torch, and tests/widgets hold the two together.

import { attend, attentionScores, attentionWeights, causalMask } from "./core.mjs";

/** @typedef {import("./core.mjs").Matrix} Matrix */
/** @typedef {import("./core.mjs").Mask} Mask */
/** @typedef {Record<string, any>} Weights tensors, number[] or Matrix: of one or two dimensions, by state_dict's names */
/**
 * @typedef {Object} Options
 * @property {number} nHeads
 * @property {"pre" | "post" | "none"} [norm] where the norms of a block stand; "pre" unless given
 * @property {boolean} [residual] whether a sublayer is added to what went in, or takes its place; true unless given
 * @property {("attention" | "feedforward")[]} [without] sublayers that are passed by
 * @property {"relu" | "gelu" | "gelu_tanh"} [activation] "gelu" unless given
 * @property {number} [eps] added to the variance in a norm; 1e-5 unless given
 * @property {number[]} [off] heads whose output is set to zero
 * @property {Mask | null} [mask] [T, S], true = may attend
 */

/**
 * y = x Wᵀ + b
 * @param {Matrix} x [T, D] @param {Matrix} weight [E, D] @param {number[]} [bias] [E] @returns {Matrix} [T, E]
 */
export function linear(x, weight, bias) {
  return x.map((row) => weight.map((w, e) => {
    let sum = bias ? bias[e] : 0;
    for (let k = 0; k < w.length; k++) sum += w[k] * row[k];
    return sum;
  }));
}

/**
 * (x - mean) / √(variance + eps) · weight + bias, for every row by itself
 * @param {Matrix} x @param {number[]} weight @param {number[]} [bias] @returns {Matrix}
 */
export function layerNorm(x, weight, bias, eps = 1e-5) {
  return x.map((row) => {
    const mean = row.reduce((a, b) => a + b, 0) / row.length;
    const variance = row.reduce((a, b) => a + (b - mean) ** 2, 0) / row.length;
    const scale = 1 / Math.sqrt(variance + eps);
    return row.map((v, k) => (v - mean) * scale * weight[k] + (bias ? bias[k] : 0));
  });
}

/** The error function, by a series whose terms are all positive: nothing cancels. @param {number} x */
export function erf(x) {
  const z = Math.abs(x);
  if (z > 6) return Math.sign(x); // 1 - erf(6) is below 1e-16
  let term = z, sum = z;
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * z * z) / (2 * n + 1);
    sum += term;
  }
  return (Math.sign(x) * 2 * Math.exp(-z * z) * sum) / Math.sqrt(Math.PI);
}

/** The three activations of `FeedForward`. */
export const ACTIVATIONS = {
  relu: (/** @type {number} */ x) => Math.max(0, x),
  gelu: (/** @type {number} */ x) => (x / 2) * (1 + erf(x / Math.SQRT2)),
  gelu_tanh: (/** @type {number} */ x) =>
    (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
};

/** @param {Matrix} a @param {Matrix} b @returns {Matrix} */
export function add(a, b) {
  return a.map((row, t) => row.map((v, k) => v + b[t][k]));
}

/** The tensors under a name, with that name taken off. @param {Weights} weights @param {string} prefix */
export function under(weights, prefix) {
  const found = Object.entries(weights).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(found.map(([name, tensor]) => [name.slice(prefix.length), tensor]));
}

/** Columns from..to of every row. @param {Matrix} x */
const columns = (x, from, to) => x.map((row) => row.slice(from, to));

/**
 * `MultiHeadAttention`, with all it computes on the way.
 * @param {Matrix} x [T, D] @param {Weights} weights qkv_proj.*, out_proj.*
 * @param {Options} options @param {Matrix} [source] [S, D], for cross-attention
 * @param {{ keys: Matrix, values: Matrix }} [held] keys and values of the tokens before x, all heads side by side
 */
export function multiHead(x, weights, options, source, held) {
  const { nHeads, off = [], mask = null } = options;
  const width = x[0].length, size = width / nHeads;
  const rows = (/** @type {number} */ part, /** @type {Matrix} */ of) => linear(of,
    weights["qkv_proj.weight"].slice(part * width, (part + 1) * width),
    weights["qkv_proj.bias"]?.slice(part * width, (part + 1) * width));
  const query = rows(0, x);
  const keys = [...(held?.keys ?? []), ...rows(1, source ?? x)];
  const values = [...(held?.values ?? []), ...rows(2, source ?? x)];
  const heads = Array.from({ length: nHeads }, (_, head) => {
    const cut = (/** @type {Matrix} */ m) => columns(m, head * size, (head + 1) * size);
    const q = cut(query), k = cut(keys), v = cut(values);
    const scores = attentionScores(q, k, 1 / Math.sqrt(size));
    const shares = attentionWeights(scores, mask);
    const context = attend(shares, v);
    return { query: q, key: k, value: v, scores, weights: shares, context };
  });
  const silent = new Set(off);
  const joined = x.map((_, t) =>
    heads.flatMap((head, h) => head.context[t].map((v) => (silent.has(h) ? 0 : v))));
  const out = linear(joined, weights["out_proj.weight"], weights["out_proj.bias"]);
  return { heads, joined, out, keys, values };
}

/** `FeedForward`. @param {Matrix} x @param {Weights} weights up_proj.*, down_proj.* @param {Options} options */
export function feedForward(x, weights, { activation = "gelu" }) {
  const up = linear(x, weights["up_proj.weight"], weights["up_proj.bias"]);
  const hidden = up.map((row) => row.map(ACTIVATIONS[activation]));
  return { up, hidden, out: linear(hidden, weights["down_proj.weight"], weights["down_proj.bias"]) };
}

/**
 * `EncoderBlock`: what came in, what each sublayer was given and gave, and the stream after each.
 * @param {Matrix} x [T, D] @param {Weights} weights @param {Options} options
 * @param {{ keys: Matrix, values: Matrix }} [held] a cache of the tokens before x
 */
export function block(x, weights, options, held) {
  const { norm = "pre", eps = 1e-5, residual = true, without = [] } = options;
  const normed = (/** @type {Matrix} */ of, /** @type {string} */ name) =>
    layerNorm(of, weights[`${name}_norm.weight`], weights[`${name}_norm.bias`], eps);
  const around = (/** @type {Matrix} */ stream, /** @type {"attention" | "feedforward"} */ name, sublayer) => {
    const given = norm === "pre" ? normed(stream, name) : stream;
    const made = sublayer(given, under(weights, `${name}.`));
    if (without.includes(name)) return { given, made, sum: stream, after: stream };
    const sum = residual ? add(stream, made.out) : made.out;
    return { given, made, sum, after: norm === "post" ? normed(sum, name) : sum };
  };
  const talk = around(x, "attention", (h, own) => multiHead(h, own, options, undefined, held));
  const think = around(talk.after, "feedforward", (h, own) => feedForward(h, own, options));
  return {
    input: x,
    attentionInput: talk.given, attention: talk.made, attentionSum: talk.sum, afterAttention: talk.after,
    feedforwardInput: think.given, feedforward: think.made, feedforwardSum: think.sum, output: think.after,
  };
}

/**
 * `BERT`: vectors of all tokens after every block, and a score for every word at every place.
 * @param {number[]} tokens [T] @param {Weights} weights of the whole model
 * @param {Options & { nLayers: number, offByLayer?: number[][] }} options
 */
export function bert(tokens, weights, options) {
  const { nLayers, eps = 1e-5, offByLayer = [] } = options;
  const norm = (/** @type {Matrix} */ x, /** @type {string} */ name) =>
    layerNorm(x, weights[`${name}.weight`], weights[`${name}.bias`], eps);
  const words = tokens.map((id) => weights["token_embedding.weight"][id]);
  const placed = add(words, weights["positions.table.weight"].slice(0, tokens.length));
  const embedded = norm(placed, "embedding_norm");
  const blocks = stack(embedded, weights, "encoder.layers.", nLayers, options, offByLayer);
  const last = blocks.length ? blocks[blocks.length - 1].output : embedded;
  const vectors = "encoder.final_norm.weight" in weights ? norm(last, "encoder.final_norm") : last;
  const dense = linear(vectors, weights["head.dense.weight"], weights["head.dense.bias"])
    .map((row) => row.map(ACTIVATIONS[options.activation ?? "gelu"]));
  const guesses = norm(dense, "head.norm");
  const logits = linear(guesses, weights["token_embedding.weight"], weights["head.decoder.bias"]);
  return { words, placed, embedded, blocks, vectors, guesses, logits };
}

/** Block after block. */
function stack(x, weights, prefix, nLayers, options, offByLayer, caches) {
  const blocks = [];
  let stream = x;
  for (let layer = 0; layer < nLayers; layer++) {
    const own = { ...options, off: offByLayer[layer] ?? [] };
    blocks.push(block(stream, under(weights, `${prefix}${layer}.`), own, caches?.[layer]));
    stream = blocks[layer].output;
  }
  return blocks;
}

/**
 * `GPT`: a score for every word as the next, at the place of every token given.
 * @param {number[]} tokens those that are new, [T] @param {Weights} weights of the whole model
 * @param {Options & { nLayers: number, offByLayer?: number[][] }} options
 * @param {{ keys: Matrix, values: Matrix }[]} [cache] what an earlier call returned as `cache`
 */
export function gpt(tokens, weights, options, cache) {
  const { nLayers, eps = 1e-5, offByLayer = [] } = options;
  const held = cache?.length ? cache[0].keys.length : 0;
  const words = tokens.map((id) => weights["token_embedding.weight"][id]);
  const table = weights["positions.table.weight"];
  const placed = table ? add(words, table.slice(held, held + tokens.length)) : words;
  const mask = causalMask(tokens.length, held + tokens.length);
  const own = { activation: "gelu_tanh", ...options, mask };
  const blocks = stack(placed, weights, "layers.", nLayers, own, offByLayer, cache);
  const last = blocks.length ? blocks[blocks.length - 1].output : placed;
  const vectors = layerNorm(last, weights["final_norm.weight"], weights["final_norm.bias"], eps);
  const logits = linear(vectors, weights["lm_head.weight"] ?? weights["token_embedding.weight"]);
  return {
    words, placed, blocks, vectors, logits,
    cache: blocks.map(({ attention: { keys, values } }) => ({ keys, values })),
  };
}

/**
 * `ViT`, for one picture of one channel: a vector for the class token and each patch, and a score for every label.
 * @param {number[]} pixels [side · side], row after row @param {Weights} weights of the whole model
 * @param {Options & { nLayers: number, side: number, patch: number, gone?: number[] }} options gone: patches whose
 *   token nobody may attend to
 */
export function vit(pixels, weights, options) {
  const { nLayers, side, patch, gone = [], eps = 1e-5 } = options;
  const across = side / patch;
  const patches = Array.from({ length: across * across }, (_, p) => {
    const top = Math.floor(p / across) * patch, left = (p % across) * patch;
    return Array.from({ length: patch * patch }, (_, k) => pixels[(top + Math.floor(k / patch)) * side + left + (k % patch)]);
  });
  const tokens = [weights.class_token, ...linear(patches, weights["patch_proj.weight"], weights["patch_proj.bias"])];
  const embedded = add(tokens, weights.positions);
  const away = new Set(gone);
  const open = embedded.map((_, j) => !away.has(j - 1)); // the class token comes first
  const mask = away.size ? embedded.map(() => open) : null;
  const blocks = stack(embedded, weights, "encoder.layers.", nLayers, { ...options, mask }, []);
  const last = blocks.length ? blocks[blocks.length - 1].output : embedded;
  const vectors = layerNorm(last, weights["encoder.final_norm.weight"], weights["encoder.final_norm.bias"], eps);
  const logits = linear([vectors[0]], weights["head.weight"], weights["head.bias"])[0];
  return { patches, embedded, blocks, vectors, logits };
}
