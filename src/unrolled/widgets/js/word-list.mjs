// All words a widget knows, folded away: the list that its messages speak of.

import { h } from "./dom.mjs";

/** @param {string[]} names @param {string} what they are @param {string} between two of them */
export const wordList = (names, what = "words", between = ", ") =>
  h("details", { class: "u-all-words" }, h("summary", {}, `The list of ${what}: all ${names.length}`),
    h("p", {}, names.join(between)));

/**
 * A few words that say what kind a vocabulary is, or all of a small one.
 * @param {string[]} names @returns {string} "such as a, b, …" or "which are a, b"
 */
export function someOf(names) {
  const every = Math.ceil(names.length / 12);
  return `${every > 1 ? "such as" : "which are"} ${names.filter((_, i) => i % every === 0).join(", ")}`;
}
