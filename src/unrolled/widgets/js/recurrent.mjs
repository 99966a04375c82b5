// The mathematics of recurrent networks, step by step and in float64, as pure functions on plain arrays.
// Equal to torch.nn.RNN and torch.nn.LSTM to 1e-9; tests/widgets hold them together.

import { dot } from "./core.mjs";

/**
 * One cell: W_x, W_h, b_x, b_h, as torch.nn.RNN or, with the rows of i, f, g, o below one another, LSTM has them.
 * @typedef {{ wx: number[][], wh: number[][], bx: number[], bh: number[] }} Cell
 */
/**
 * What a cell made of one word, each [H]; the RNN has no gates and no cell state. `from` holds, for each of
 * i, f, g, o (for the RNN: h), the two parts of the sum it was squashed from: what the word says, and what h says.
 * @typedef {{ h: number[], c: number[], i: number[], f: number[], g: number[], o: number[],
 *   from: Record<string, { word: number[], memory: number[] }> }} Step
 */

/** The logistic function, without overflow on either side. @param {number} x */
export function sigmoid(x) {
  const power = Math.exp(-Math.abs(x));
  return x >= 0 ? 1 / (1 + power) : power / (1 + power);
}

/** W v + b. @param {number[][]} rows @param {number[]} v @param {number[]} bias */
const project = (rows, v, bias) => rows.map((row, k) => dot(row, v) + bias[k]);

const sum = ({ word, memory }) => word.map((part, k) => part + memory[k]);

/** h = tanh(W_x x + b_x + W_h h + b_h). @param {number[]} x @param {Step} last @param {Cell} cell @returns {Step} */
export function rnnStep(x, last, { wx, wh, bx, bh }) {
  const from = { h: { word: project(wx, x, bx), memory: project(wh, last.h, bh) } };
  return { h: sum(from.h).map(Math.tanh), c: [], i: [], f: [], g: [], o: [], from };
}

/**
 * c = f · c + i · g, h = o · tanh(c). A gate named in `forced` has that value for every number of the state.
 * @param {number[]} x @param {Step} last @param {Cell} cell @param {Record<string, number>} forced @returns {Step}
 */
export function lstmStep(x, last, { wx, wh, bx, bh }, forced = {}) {
  const [word, memory] = [project(wx, x, bx), project(wh, last.h, bh)];
  const size = last.h.length;
  /** @type {Step["from"]} */
  const from = {};
  const [i, f, g, o] = ["i", "f", "g", "o"].map((name, n) => {
    const [start, end] = [n * size, (n + 1) * size];
    from[name] = { word: word.slice(start, end), memory: memory.slice(start, end) };
    if (name in forced) return from[name].word.map(() => forced[name]);
    return sum(from[name]).map(name === "g" ? Math.tanh : sigmoid);
  });
  const c = last.c.map((old, k) => f[k] * old + i[k] * g[k]);
  return { h: c.map((value, k) => o[k] * Math.tanh(value)), c, i, f, g, o, from };
}

/** Before the first word: nothing but zeros. @param {number} size @returns {Step} */
export function start(size) {
  const zeros = Array(size).fill(0);
  return { h: zeros, c: zeros, i: [], f: [], g: [], o: [], from: {} };
}

/**
 * Read a sentence from the first word to the last.
 * @param {"rnn" | "lstm"} kind @param {number[][]} inputs [T, D] @param {Cell} cell
 * @param {Record<string, number>} forced @returns {Step[]} T of them
 */
export function unroll(kind, inputs, cell, forced = {}) {
  const size = cell.wh[0].length;
  let last = start(size);
  return inputs.map((x) => {
    last = kind === "rnn" ? rnnStep(x, last, cell) : lstmStep(x, last, cell, forced);
    return last;
  });
}

/**
 * What is left of the first word after each: how far h lies from what it would be, had the reading begun with
 * the second word.
 * @param {"rnn" | "lstm"} kind @param {number[][]} inputs [T, D] @param {Cell} cell
 * @param {Record<string, number>} forced @returns {number[]} [T]
 */
export function firstWordTrace(kind, inputs, cell, forced = {}) {
  const without = [start(cell.wh[0].length), ...unroll(kind, inputs.slice(1), cell, forced)];
  return unroll(kind, inputs, cell, forced).map(({ h }, t) => Math.hypot(...h.map((x, k) => x - without[t].h[k])));
}
