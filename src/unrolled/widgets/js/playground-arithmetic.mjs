// How a number of the playground came about: the terms of a sum, the steps of a norm, of a softmax, with their numbers.

import { number } from "./dom.mjs";
import { PARTS, valuesOf } from "./playground-parts.mjs";

/** @typedef {import("./playground-parts.mjs").Trace} Trace */
/** @typedef {import("./playground-parts.mjs").Place} Place */
/**
 * @typedef {{ value: number, lines: string[], terms: { head: string[], rows: [string, number[]][], rest: string } | null }} Arithmetic
 *   lines: what was computed, in words and numbers; terms: of a sum, largest first
 */
/** @typedef {(what: string, about: Record<string, any>) => Promise<any>} Ask */

const DIGITS = 4;
const n = (/** @type {number} */ x) => number(x, DIGITS);
/** With brackets around what is negative, as a factor or a summand. */
const b = (/** @type {number} */ x) => (x < 0 ? `(${n(x)})` : n(x));

/** The products of two rows, the largest first. @param {ArrayLike<number>} left @param {ArrayLike<number>} right @param {string[]} head @param {(i: number) => string} named */
function products(left, right, head, named) {
  const rows = Array.from(left, (x, i) => /** @type {[string, number[]]} */ ([named(i), [x, right[i], x * right[i]]]));
  rows.sort((one, other) => Math.abs(other[1][2]) - Math.abs(one[1][2]));
  return { head: ["", ...head, "product"], rows, rest: "the others together" };
}
const total = (/** @type {{ rows: [string, number[]][] }} */ { rows }) => rows.reduce((sum, [, row]) => sum + row[row.length - 1], 0);

/** Where the input of a linear layer comes from, and where its weights are. @param {Place} place @param {number} width */
function linearOf({ part, layer, head }, width, size, k) {
  const at = `layers.${layer}.`;
  const packed = { query: 0, key: 1, value: 2 }[part];
  if (packed !== undefined) return { from: "norm", name: `${at}attention.qkv_proj`, row: packed * width + head * size + k };
  if (part === "projected") return { from: "joined", name: `${at}attention.out_proj`, row: k };
  if (part === "up") return { from: "secondNorm", name: `${at}feedforward.up_proj`, row: k };
  if (part === "down") return { from: "hidden", name: `${at}feedforward.down_proj`, row: k };
  return null;
}

const NORMS = { norm: ["attention_norm", "input"], secondNorm: ["feedforward_norm", "middle"], final: ["final_norm", ""] };

/**
 * @param {Trace} trace @param {Place} place @param {number} k which number @param {Ask} ask @param {number} run
 * @param {{ token: number, tokens: string[] }} named the token whose way this is, and all of them
 * @returns {Promise<Arithmetic>}
 */
export async function arithmetic(trace, place, k, ask, run, { token, tokens }) {
  const { part, layer, head } = place;
  const value = valuesOf(trace, place)[k];
  const plain = (/** @type {string[]} */ ...lines) => ({ value, lines, terms: null });
  const block = layer >= 0 ? trace.blocks[layer] : null;
  if (block?.off) return plain("This block is switched off: what comes in goes out as it is.");
  const width = trace.embedded.length, size = width / (trace.blocks[0]?.heads.length ?? 1);
  if (part === "word" || part === "place") {
    const name = part === "word" ? "token_embedding" : "positions.table";
    const row = part === "word" ? token : trace.t;
    const { whole, step, weight } = await ask("row", { name, row });
    const stored = whole ? `${whole[k]} · ${step.toPrecision(4)} = ${n(weight[k])}` : n(weight[k]);
    return plain(`Row ${row} of the table, read off. ${whole ? `It is stored in 8 bits: a whole number, times the step of its row: ${stored}` : stored}`);
  }
  if (part === "embedded") return plain(`${n(trace.word[k])} + ${b(trace.place[k])} = ${n(value)}`);
  if (NORMS[part]) {
    const [name, from] = NORMS[part];
    const { mean, variance } = part === "final" ? trace.norm : block[part];
    const x = part === "final" ? (trace.blocks.at(-1)?.output ?? trace.embedded)[k] : block[from][k];
    const { weight, bias } = await ask("vectors", { name: layer < 0 ? name : `layers.${layer}.${name}` });
    return plain(`Of all ${width} numbers of the stream the mean is ${n(mean)}, the variance ${n(variance)}.`,
      `(${n(x)} − ${b(mean)}) / √${n(variance)} · ${b(weight[k])} + ${b(bias[k])} = ${n(value)}`);
  }
  const linear = linearOf(place, width, size, k);
  if (linear) {
    const input = linear.from === "joined" || linear.from === "hidden" ? block[linear.from] : block[linear.from].out;
    const { weight, bias } = await ask("row", { name: linear.name, row: linear.row });
    const terms = products(input, weight, [PARTS[linear.from].toLowerCase().split(":")[0], "weight"], (i) => `number ${i + 1}`);
    return { value, lines: [`A sum of ${weight.length} products and a bias: ${n(total(terms))} + ${b(bias)} = ${n(value)}`], terms };
  }
  if (part === "context") {
    const { weights } = block.heads[head];
    const values = await ask("values", { run, layer, head, t: trace.t, k });
    const terms = products(weights, values, ["weight", "value"], (j) => tokens[j]);
    const silent = block.heads[head].silent ? " This head is switched off: zeros go on in its place." : "";
    return { value, lines: [`Of each token the weight times number ${k + 1} of its value, added up: ${n(total(terms))}.${silent}`], terms };
  }
  if (part === "joined") {
    const of = Math.floor(k / size), { silent, context } = block.heads[of];
    return plain(silent ? `Head ${of + 1} is switched off: 0 instead of ${n(context[k % size])}.`
      : `Number ${(k % size) + 1} of the context of head ${of + 1}: ${n(value)}`);
  }
  if (part === "hidden") {
    return plain("GELU lets through what is positive, and hardly anything else: x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³))).",
      `With x = ${n(block.up[k])} that is ${n(value)}.`);
  }
  const [before, added] = part === "middle" ? [block.input, block.projected] : [block.middle, block.down];
  return plain(`${n(before[k])} + ${b(added[k])} = ${n(value)}`);
}

/**
 * How a head's weight for one token came about.
 * @param {Trace} trace @param {Place} place @param {number} j the token looked at @param {Ask} ask @param {number} run
 * @param {{ hidden: boolean, byHand: boolean }} done @returns {Promise<Arithmetic>}
 */
export async function weightArithmetic(trace, { layer, head }, j, ask, run, { hidden, byHand }) {
  const block = trace.blocks[layer], { scores, weights, max, total: sum } = block.heads[head];
  const size = block.query.length / block.heads.length;
  const query = block.query.subarray(head * size, (head + 1) * size);
  const key = await ask("key", { run, layer, head, j });
  const terms = products(query, key, ["query", "key"], (i) => `number ${i + 1}`);
  const score = `Score: query · key / √${size} = ${n(total(terms))} / ${number(Math.sqrt(size), 2)} = ${n(scores[j])}`;
  const power = Math.exp(scores[j] - max);
  const share = hidden ? "The token is hidden from all others: its weight is 0."
    : `Softmax: e^(score − largest score) over the sum of all = e^(${n(scores[j])} − ${b(max)}) / ${n(sum)} = ${n(power)} / ${n(sum)} = ${n(power / sum)}`;
  return { value: weights[j], lines: [score, share, ...(byHand ? [`Changed by hand: ${n(weights[j])}`] : [])], terms };
}
