// From a score for every word to the share each has of being drawn: temperature, top-k, top-p.
// Equal to unrolled.generate.sampling; tests/widgets hold the two together.

import { softmax } from "./core.mjs";

/**
 * @typedef {{ temperature: number, topK: number | null, topP: number | null }} Sampling
 *   temperature 0 takes the likeliest; null leaves a rule out
 */

/** Where the largest stands; the first of several. @param {number[]} xs */
export const argmax = (xs) => xs.reduce((best, x, i) => (x > xs[best] ? i : best), 0);

/** Which are among the k largest; those that tie with the last of them stay. @param {number[]} xs @param {number} k */
export function topK(xs, k) {
  const least = [...xs].sort((a, b) => b - a)[Math.min(k, xs.length) - 1];
  return xs.map((x) => x >= least);
}

/** Which are in the smallest set of likeliest that have share p together. @param {number[]} shares @param {number} p */
export function topP(shares, p) {
  if (p === 1) return shares.map(() => true);
  const order = shares.map((_, i) => i).sort((a, b) => shares[b] - shares[a]);
  const kept = shares.map(() => false);
  let likelier = 0;
  for (const i of order) {
    kept[i] = likelier < p;
    likelier += shares[i];
  }
  return kept;
}

/**
 * The share of each word: with temperature, among the k likeliest, among the likeliest with share p together.
 * @param {number[]} logits [V] @param {Sampling} how
 * @returns {number[]} [V], adding up to one; 0 for a word that is ruled out
 */
export function shares(logits, { temperature, topK: k, topP: p }) {
  if (temperature === 0) {
    const best = argmax(logits);
    return logits.map((_, i) => (i === best ? 1 : 0));
  }
  const most = Math.max(...logits);
  const scaled = logits.map((x) => (x - most) / temperature);
  const byK = k === null ? null : topK(scaled, k);
  const afterK = softmax(scaled, byK);
  if (p === null) return afterK;
  const byP = topP(afterK, p);
  return softmax(scaled, scaled.map((_, i) => byP[i] && (byK === null || byK[i])));
}

/** The word a number between 0 and 1 falls on. @param {number[]} of shares @param {number} at */
export function draw(of, at) {
  let sum = 0;
  for (let i = 0; i < of.length; i++) {
    sum += of[i];
    if (at < sum) return i;
  }
  return argmax(of); // what rounding left over
}

/**
 * A small generator of numbers between 0 and 1 (mulberry32, public domain): a seed gives the same text again.
 * @param {number} seed
 */
export function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
