// What a reader of the playground has made of it: what a link and the Back button bring back.

import { isPlace } from "./playground-parts.mjs";

/** @typedef {import("./playground-parts.mjs").Place} Place */
/**
 * What a reader did to the model.
 * @typedef {{ heads: [number, number][], blocks: number[], hidden: number[], set: [number, number, number, number, number][] }} Done
 *   heads switched off, [layer, head]; blocks switched off; tokens to which no other may attend; weights of attention
 *   set by hand, [layer, head, token that looks, token looked at, weight]
 */

/** @returns {Done} */
export const nothingDone = () => ({ heads: [], blocks: [], hidden: [], set: [] });

/** How it begins. */
export const first = () => ({ written: /** @type {number[]} */ ([]), at: [-1, -1], done: nothingDone(), how: { temperature: 0.8, topK: null, topP: 1 },
  seed: 0, asked: 0, second: /** @type {string | null} */ (null), number: /** @type {{ place: Place, k: number } | null} */ (null),
  drawn: /** @type {[number, number] | null} */ (null) });

/**
 * What the reader made of it, all of it checked: a link may say anything.
 * @param {any} told @param {any} sizes @param {{ temperature: number[], topK: number[], topP: number[] }} offered
 */
export function checked(told, sizes, offered) {
  const { vocabulary, longest } = sizes;
  const within = (x, most) => Number.isInteger(x) && x >= 0 && x < most;
  const { done, written, at, how, drawn, second } = told;
  const right = written.every((id) => within(id, vocabulary)) && at.length === 2 && at.every((t) => t === -1 || within(t, longest))
    && done.heads.every(([l, k]) => within(l, sizes.layers) && within(k, sizes.heads)) && done.blocks.every((l) => within(l, sizes.layers))
    && done.hidden.every((j) => within(j, longest))
    && done.set.every(([l, k, i, j, w]) => within(l, sizes.layers) && within(k, sizes.heads) && within(i, longest) && within(j, i + 1) && w >= 0 && w <= 1)
    && (told.number === null || (isPlace(told.number.place, sizes) && within(told.number.k, longest + 8 * sizes.width)))
    && offered.temperature.includes(how.temperature) && (how.topK === null || offered.topK.includes(how.topK)) && offered.topP.includes(how.topP)
    && (drawn === null || (drawn.length === 2 && drawn[0] >= 0 && drawn[0] < 1 && within(drawn[1], vocabulary)))
    && (second === null || typeof second === "string") && within(told.seed, 10) && within(told.asked, 1e6);
  if (!right) throw new Error("expected a state of this model");
  return told;
}
