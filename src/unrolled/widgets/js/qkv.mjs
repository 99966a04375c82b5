// Attention with queries, keys and values, and the arithmetic of every one of its numbers, spelled out.
// Pure functions in float64; equal to unrolled.nn, tests/widgets/test_qkv.py holds the two together.

import { attend, attentionScores, attentionWeights, causalMask, dot } from "./core.mjs";
import { number } from "./dom.mjs";

/**
 * What a bench holds: token vectors X [T, d], another sequence Z [S, d], three matrices [d, K], and its switches.
 * @typedef {{ X: number[][], Z: number[][], W_q: number[][], W_k: number[][], W_v: number[][],
 *   realX: boolean[], realZ: boolean[], scale: boolean, causal: boolean, cross: boolean }} Bench
 * @typedef {{ table: string, i: number | null, j: number | null }} Place a cell; null stands for a whole row or column
 */

const transpose = (m) => m[0].map((_, j) => m.map((row) => row[j]));

/** A B, for A [T, d] and B [d, K] @param {number[][]} a @param {number[][]} b */
export function matmul(a, b) {
  return attentionScores(a, transpose(b));
}

/**
 * Every matrix of the bench, from queries to context vectors. With `cross`, keys and values are made of Z.
 * The causal switch needs one sequence: between two there is no before and after.
 * @param {Bench} bench
 */
export function attentionOf(bench) {
  const source = bench.cross ? bench.Z : bench.X;
  const real = bench.cross ? bench.realZ : bench.realX;
  const [T, S] = [bench.X.length, source.length];
  const causal = bench.causal && !bench.cross;
  const before = causal ? causalMask(T) : null;
  const mask = Array.from({ length: T }, (_, i) =>
    Array.from({ length: S }, (_, j) => real[j] && (before === null || before[i][j])));
  const Q = matmul(bench.X, bench.W_q);
  const K = matmul(source, bench.W_k);
  const V = matmul(source, bench.W_v);
  const scale = bench.scale ? 1 / Math.sqrt(bench.W_q[0].length) : 1;
  const scores = attentionScores(Q, K, scale);
  const weights = attentionWeights(scores, mask);
  return { source, real, causal, mask, Q, K, V, scores, weights, context: attend(weights, V) };
}

/** A number as short as two digits allow: 1, 0.5, −0.25; far from that, with an exponent. */
export function short(/** @type {number} */ x) {
  const size = Math.abs(x);
  if (size >= 1e5 || (size > 0 && size < 0.005)) {
    return x.toExponential(1).replace("e+", "e").replaceAll("-", "\u2212");
  }
  const text = number(x, 2);
  return text.replace(/\.?0+$/, "");
}

const factor = (x) => (short(x).startsWith("\u2212") ? `(${short(x)})` : short(x));
/** "1·2 + 0·(−1)" @param {number[]} a @param {number[]} b */
const products = (a, b) => a.map((x, n) => `${n === 0 ? short(x) : factor(x)}\u00b7${factor(b[n])}`).join(" + ");

const column = (m, j) => m.map((row) => row[j]);
const MADE = { Q: { of: "X", by: "W_q", what: "query" }, K: { of: "", by: "W_k", what: "key" },
  V: { of: "", by: "W_v", what: "value" } };
const SHIFT = 50; // beyond this, powers of e are too large or too small to read

/**
 * How a cell of a result came about: a title, lines of arithmetic, and the cells it was made of.
 * @param {Bench} bench @param {ReturnType<typeof attentionOf>} made @param {{ table: string, i: number, j: number }} cell
 * @param {{ tokens: string[], keys: string[], source: string }} names `source` is what the source's table is called
 * @returns {{ title: string, lines: string[], from: Place[] }}
 */
export function arithmetic(bench, made, { table, i, j }, names) {
  if (table === "scores") return ofScore(bench, made, i, j, names);
  if (table === "weights") return ofWeight(bench, made, i, j, names);
  if (table === "context") return ofContext(made, i, j, names);
  const { by, what } = MADE[table];
  const own = table === "Q";
  const [rows, from, token] = own ? [bench.X, "X", names.tokens[i]] : [made.source, names.source, names.keys[i]];
  const matrix = bench[by];
  return {
    title: `${what} of ${token}, number ${j + 1}`,
    lines: [`Row ${token} of ${from} times column ${j + 1} of ${by}:`,
      `${products(rows[i], column(matrix, j))} = ${short(made[table][i][j])}`],
    from: [{ table: from, i, j: null }, { table: by, i: null, j }],
  };
}

/** Why token i may not attend to token j, or "" where it may. */
function barred(made, i, j, { tokens, keys }) {
  if (made.mask[i][j]) return "";
  return made.real[j] ? `${keys[j]} stands after ${tokens[i]}, and the causal mask hides what comes later.`
    : `${keys[j]} is padding, and the mask hides it.`;
}

function ofScore(bench, made, i, j, names) {
  const raw = dot(made.Q[i], made.K[j]);
  const width = made.Q[i].length;
  const lines = [`q(${names.tokens[i]}) \u00b7 k(${names.keys[j]}) = ${products(made.Q[i], made.K[j])} = ${short(raw)}`];
  if (bench.scale) lines.push(`${short(raw)} / \u221a${width} = ${short(made.scores[i][j])}`);
  const why = barred(made, i, j, names);
  if (why) lines.push(`${why} The score counts for nothing.`);
  return { title: `score ${names.tokens[i]} \u2192 ${names.keys[j]}`, lines,
    from: [{ table: "Q", i, j: null }, { table: "K", i: j, j: null }] };
}

function ofWeight(bench, made, i, j, names) {
  const title = `weight ${names.tokens[i]} \u2192 ${names.keys[j]}`;
  const open = made.mask[i].map((may, n) => (may ? n : -1)).filter((n) => n >= 0);
  const from = open.map((n) => ({ table: "scores", i, j: n }));
  if (open.length === 0) {
    return { title, from, lines: [`${names.tokens[i]} may attend to no token at all. There is nothing to distribute: `
      + "the row is all zeros."] };
  }
  const why = barred(made, i, j, names);
  if (why) return { title, from, lines: [`${why} Its weight is 0.`] };
  const row = made.scores[i];
  const top = Math.max(...open.map((n) => row[n]));
  const shift = Math.abs(top) > SHIFT ? top : 0;
  const power = (n) => Math.exp(row[n] - shift);
  const sum = open.reduce((total, n) => total + power(n), 0);
  const lines = shift === 0 ? [] : [`Take the row\u2019s largest score, ${short(top)}, from each: no weight changes.`];
  lines.push(`exp(${short(row[j] - shift)}) = ${short(power(j))}`,
    `Sum of the row: ${open.map((n) => short(power(n))).join(" + ")} = ${short(sum)}`,
    `Weight: ${short(power(j))} / ${short(sum)} = ${short(made.weights[i][j])}`);
  return { title, lines, from };
}

function ofContext(made, i, j, names) {
  const values = column(made.V, j);
  const lines = made.mask[i].some((may) => may)
    ? [`Weights of ${names.tokens[i]} times column ${j + 1} of V:`,
      `${products(made.weights[i], values)} = ${short(made.context[i][j])}`]
    : [`${names.tokens[i]} may attend to no token: every weight is 0, and so is the sum.`];
  return { title: `context of ${names.tokens[i]}, number ${j + 1}`, lines,
    from: [{ table: "weights", i, j: null }, { table: "V", i: null, j }] };
}
