// A state that is a matrix, written to by one of four rules; equal to ../state_matrix.py and unrolled.nn.linear.

import { dot } from "./core.mjs";

/** @typedef {number[][]} State K rows of V numbers */

/** @param {string} rule */
export const gated = (rule) => rule.includes("gated");

/** What comes back for a query. @param {State} state @param {number[]} q @returns {number[]} */
export const readOut = (state, q) => state[0].map((_, j) => dot(q, state.map((row) => row[j])));

/**
 * The state after one more pair.
 * @param {State} state @param {number[]} k @param {number[]} v @param {string} rule @param {number} keep
 */
export function written(state, k, v, rule, keep) {
  const kept = gated(rule) ? state.map((row) => row.map((x) => keep * x)) : state;
  const known = rule.includes("delta") ? readOut(kept, k) : v.map(() => 0);
  return kept.map((row, i) => row.map((x, j) => x + k[i] * (v[j] - known[j])));
}

/** @param {number[]} a @param {number[]} b */
export function cosine(a, b) {
  const length = Math.sqrt(dot(a, a) * dot(b, b));
  return length > 1e-9 ? dot(a, b) / length : 0;
}

/** The nearest of some vectors by the cosine, and all cosines; -1 where none points the same way.
 * @param {number[]} back @param {number[][]} vectors */
export function nearest(back, vectors) {
  const cosines = vectors.map((v) => cosine(back, v));
  const rounded = cosines.map((c) => Math.round(c * 1e9));
  const best = rounded.indexOf(Math.max(...rounded));
  return { cosines, best: cosines[best] > 1e-9 ? best : -1 };
}
