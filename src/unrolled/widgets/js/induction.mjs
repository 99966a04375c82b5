// A model of attention alone, and what is lost when a head is cut. Pure functions; equal to torch.

import { causalMask } from "./core.mjs";
import { add, linear, multiHead, under } from "./transformer.mjs";

/** @typedef {import("./core.mjs").Matrix} Matrix */
/** @typedef {"on" | "zero" | "mean"} Cut what a head says: what it found, zero, or its mean over many sequences */

/**
 * Letters and places, then layers of heads that add to them, then a score for every letter.
 * @param {number[]} tokens [T] @param {import("./transformer.mjs").Weights} weights embedding.weight [V, D], positions
 *   [N, D], layers.N.qkv_proj.weight, layers.N.out_proj.weight, means.N [D], unembedding.weight [V, D]
 * @param {{ nHeads: number, cuts: Cut[][] }} options a cut for every head of every layer
 * @returns {{ layers: { weights: Matrix[] }[], logits: Matrix }} the weights [H, T, T] of each layer; [T, V]
 */
export function attentionOnly(tokens, weights, { nHeads, cuts }) {
  const mask = causalMask(tokens.length);
  let stream = add(tokens.map((id) => weights["embedding.weight"][id]), weights.positions.slice(0, tokens.length));
  const layers = cuts.map((own, l) => {
    const { heads } = multiHead(stream, under(weights, `layers.${l}.`), { nHeads, mask });
    const size = stream[0].length / nHeads;
    const mean = (h) => weights[`means.${l}`].slice(h * size, (h + 1) * size);
    const said = { on: (h, t) => heads[h].context[t], zero: () => Array(size).fill(0), mean };
    const joined = tokens.map((_, t) => own.flatMap((cut, h) => said[cut](h, t)));
    stream = add(stream, linear(joined, weights[`layers.${l}.out_proj.weight`]));
    return { weights: heads.map((head) => head.weights) };
  });
  return { layers, logits: linear(stream, weights["unembedding.weight"]) };
}

/** Where most of a row's weight lies; the first of equals. @param {number[]} row */
export const largest = (row) => row.indexOf(Math.max(...row));

/** Where the heads of a layer together look most from a place. @param {Matrix[]} heads [H, T, T] @param {number} place */
export const looksMost = (heads, place) =>
  largest(heads[0][place].map((_, j) => heads.reduce((sum, w) => sum + w[place][j], 0)));

/**
 * What followed where this token stood before.
 * @param {number[]} tokens @param {number} place @returns {number[]} places, in order
 */
export const followed = (tokens, place) =>
  tokens.slice(0, place).flatMap((id, j) => (id === tokens[place] ? [j + 1] : []));
