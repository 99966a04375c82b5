// What the playground shows as tables: for those who do not see it, for paper, and to take along. As in ../playground.py.

import { softmax } from "./core.mjs";
import { likeliest } from "./playground-flow.mjs";
import { nameOf } from "./playground-parts.mjs";

/** @typedef {[string, number[]]} Row */

const TABLED = 12; // of the likeliest tokens

/**
 * @param {(import("./playground-flow.mjs").Way & { ids: number[] })[]} ways
 * @param {{ tokenName: (id: number) => string, spelled: (ids: number[]) => string }} words
 * @param {{ place: import("./playground-parts.mjs").Place, k: number, made: import("./playground-arithmetic.mjs").Arithmetic } | null} asked
 *   a number whose arithmetic is shown
 * @returns {import("./page.mjs").Table[]}
 */
export function tablesOf(ways, { tokenName, spelled }, asked) {
  const [{ trace, tokens, ids }] = ways;
  const views = ways.map((way) => softmax(Array.from(way.trace.logits)));
  const next = { caption: `The likeliest next tokens after “${spelled(ids.slice(0, trace.t + 1))}”, at temperature 1.`,
    columns: ["logit", ...ways.map((_, k) => (k ? "probability, second text" : "probability"))],
    rows: likeliest(trace.logits, TABLED).map(({ id }) => /** @type {Row} */ ([tokenName(id), [trace.logits[id], ...views.map((now) => now[id])]])) };
  const seen = { caption: `What each head attends to, from ${tokens[trace.t]}.`, columns: tokens.slice(0, trace.t + 1), full: 1,
    rows: trace.blocks.flatMap((block, l) => block.heads.map((head, k) => /** @type {Row} */ ([`block ${l + 1}, head ${k + 1}`, [...head.weights]]))) };
  const ends = { caption: "The probability of the likeliest token, did the model end after this block.", columns: ["probability"],
    rows: trace.lens.map((scores, l) => {
      const [{ id, share }] = likeliest(scores, 1);
      return /** @type {Row} */ ([`block ${l + 1}: ${tokenName(id)}`, [share]]);
    }) };
  if (!asked) return [next, seen, ends];
  const { lines, terms, value } = asked.made;
  return [next, seen, ends, { caption: `${nameOf(asked.place)}, number ${asked.k + 1}: ${lines.join(" ")}`,
    columns: terms?.head.slice(1) ?? ["value"], rows: terms?.rows ?? [["value", [value]]], digits: 4 }];
}
