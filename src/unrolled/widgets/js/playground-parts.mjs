// Everything that is computed on a token's way through the playground's model: by name, in order, with its numbers.

/** @typedef {ReturnType<import("./playground-engine.mjs").Engine["trace"]>} Trace */
/** @typedef {{ part: string, layer: number, head: number }} Place one row of numbers; -1 where there is no layer or head */

/** In the order in which they are computed; of a head, of a block, or of the whole model. */
export const PARTS = {
  word: "Embedding of the token", place: "Embedding of its position", embedded: "Sum: the residual stream begins",
  norm: "Layer norm", query: "Query", key: "Key", value: "Value", context: "Context: the values, mixed by the weights",
  joined: "Contexts of all heads, side by side", projected: "Output projection", middle: "Residual stream: what came in, plus that",
  secondNorm: "Layer norm", up: "Feed-forward, up", hidden: "GELU", down: "Feed-forward, down", weights: "Weight of attention",
  output: "Residual stream: plus that, too", final: "Last layer norm",
};
export const OF_HEAD = ["query", "key", "value", "context"];
export const OF_BLOCK = ["norm", "joined", "projected", "middle", "secondNorm", "up", "hidden", "down", "output"];
export const OF_MODEL = ["word", "place", "embedded", "final"];

/** What a place is called where it stands alone. @param {Place} place */
export function nameOf({ part, layer, head }) {
  const where = [layer >= 0 && `block ${layer + 1}`, head >= 0 && `head ${head + 1}`].filter(Boolean).join(", ");
  return where ? `${PARTS[part]} (${where})` : PARTS[part];
}

/** The numbers that stand there. @param {Trace} trace @param {Place} place @returns {Float32Array} */
export function valuesOf(trace, { part, layer, head }) {
  if (part === "final") return trace.norm.out;
  if (layer < 0) return trace[part];
  const block = trace.blocks[layer];
  if (part === "context") return block.heads[head].context;
  if (head >= 0) {
    const size = block.query.length / block.heads.length;
    return block[part].subarray(head * size, (head + 1) * size);
  }
  return part === "norm" || part === "secondNorm" ? block[part].out : block[part];
}

/** Whether a place is one of this model. @param {any} place @param {{ layers: number, heads: number }} sizes */
export function isPlace(place, { layers, heads }) {
  const { part, layer, head } = place ?? {};
  const within = (x, most) => Number.isInteger(x) && x >= 0 && x < most;
  if (OF_MODEL.includes(part)) return layer === -1 && head === -1;
  if (OF_BLOCK.includes(part)) return within(layer, layers) && head === -1;
  return [...OF_HEAD, "weights"].includes(part) && within(layer, layers) && within(head, heads);
}

/**
 * The trace that Python prepared, so that the page has something to show before the model is there. The order of the
 * numbers is that of ../playground.py.
 * @param {{ t: number, layers: number, heads: number, width: number, inner: number, vocabulary: number }} sizes
 * @param {Float32Array} numbers @returns {Trace}
 */
export function prepared({ t, layers, heads, width, inner, vocabulary }, numbers) {
  let at = 0;
  const take = (/** @type {number} */ count) => numbers.slice(at, (at += count));
  const norm = () => ({ mean: take(1)[0], variance: take(1)[0], out: take(width) });
  const [word, place, embedded] = [take(width), take(width), take(width)];
  /** @type {Float32Array} */
  let input = embedded;
  const blocks = Array.from({ length: layers }, () => {
    const first = norm();
    const [query, key, value] = [take(width), take(width), take(width)];
    const gathered = Array.from({ length: heads }, () => {
      const [scores, weights, context] = [take(t + 1), take(t + 1), take(width / heads)];
      const max = Math.max(...scores);
      return { silent: false, scores, weights, context, max, total: scores.reduce((sum, s) => sum + Math.exp(s - max), 0) };
    });
    const [joined, projected, middle] = [take(width), take(width), take(width)];
    const block = { off: false, input, norm: first, query, key, value, heads: gathered, joined, projected, middle,
      secondNorm: norm(), up: take(inner), hidden: take(inner), down: take(width), output: take(width) };
    input = block.output;
    return block;
  });
  const last = norm(), logits = take(vocabulary);
  const lens = blocks.map(() => take(vocabulary));
  if (at !== numbers.length) throw new Error(`expected ${at} prepared numbers, got ${numbers.length}`);
  return { t, word, place, embedded, blocks, norm: last, logits, lens };
}
