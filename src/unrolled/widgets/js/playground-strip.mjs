// One row of numbers as a strip of colours: blue above zero, orange below; and the panel that reads them one by one.

import { h, number, slider } from "./dom.mjs";
import { nameOf, PARTS } from "./playground-parts.mjs";

/** @typedef {import("./playground-parts.mjs").Place} Place */

const TERMS = 6; // of a sum that are shown at once

/** How alike two rows are: the cosine of the angle between them. @param {Float32Array} a @param {Float32Array} b */
export function cosine(a, b) {
  let [dot, left, right] = [0, 0, 0];
  a.forEach((x, k) => {
    dot += x * b[k];
    left += x * x;
    right += b[k] * b[k];
  });
  return left && right ? dot / Math.sqrt(left * right) : 0;
}

/**
 * A strip, pressed to read its numbers.
 * @param {Place} place @param {{ paint: Function }} painter @param {(place: Place, k: number) => void} onRead
 */
export function strip(place, painter, onRead) {
  const rows = [h("canvas"), h("canvas")];
  const read = h("button", { type: "button", class: "u-pg-strip-row", onclick: (/** @type {MouseEvent} */ event) => {
    const { left, width } = rows[0].getBoundingClientRect();
    // By keyboard there is no place in the strip: from its first number on.
    onRead(place, event.detail === 0 ? 0 : Math.min(length - 1, Math.max(0, Math.floor((event.clientX - left) / width * length))));
  } }, rows[0]);
  const full = h("span", { class: "u-pg-strip-full" });
  let length = 1;
  return {
    place,
    el: h("div", { class: "u-pg-strip", "data-part": place.part }, h("span", { class: "u-pg-strip-name" }, PARTS[place.part]), read, full),
    /** @param {Float32Array[]} all what stands there in each text, one or two */
    show(all) {
      [length] = all.map((one) => one.length);
      const most = Math.max(1e-9, ...all.map((one) => one.reduce((top, x) => Math.max(top, Math.abs(x)), 0)));
      read.replaceChildren(...rows.slice(0, all.length));
      all.forEach((one, k) => painter.paint(rows[k], one, one.length, { full: most, least: -Infinity, from: -most }));
      full.textContent = `±${number(most)}${all.length > 1 ? `, cos ${number(cosine(all[0], all[1]))}` : ""}`;
      read.setAttribute("aria-label", `${nameOf(place)}: ${length} numbers from ${number(Math.min(...all[0]))} to ${number(Math.max(...all[0]))}`
        + `${all.length > 1 ? `; cosine with the second text ${number(cosine(all[0], all[1]))}` : ""}. Read them`);
      if (place.part === "context" || place.part === "joined") read.classList.toggle("is-silent", all[0].every((x) => x === 0));
    },
  };
}

/** The terms of a sum, as a table. @param {NonNullable<import("./playground-arithmetic.mjs").Arithmetic["terms"]>} terms */
function termTable({ head, rows, rest }) {
  const others = rows.slice(TERMS);
  const cells = (/** @type {number[]} */ row) => row.map((x) => h("td", {}, number(x, 4)));
  const line = (/** @type {[string, number[]]} */ [name, row]) => h("tr", {}, h("th", { scope: "row" }, h("bdi", {}, name)), cells(row));
  const table = (/** @type {[string, number[]][]} */ some, /** @type {Node | null} */ last) => h("table", {},
    h("thead", {}, h("tr", {}, h("td"), head.slice(1).map((text) => h("th", { scope: "col" }, text)))), h("tbody", {}, some.map(line), last));
  const sum = others.reduce((all, [, row]) => all + row[row.length - 1], 0);
  const last = others.length ? h("tr", {}, h("th", { scope: "row" }, `${rest}, ${others.length}`), head.slice(2).map(() => h("td")), h("td", {}, number(sum, 4))) : null;
  const box = h("div", { class: "u-pg-terms", tabindex: 0, role: "group", "aria-label": "Terms of the sum" }, table(rows.slice(0, TERMS), last));
  const whole = h("button", { type: "button", class: "u-button", onclick: () => {
    box.replaceChildren(table(rows, null));
    box.focus();
    whole.remove();
  } }, `All ${rows.length} terms`);
  return last ? [box, whole] : [box];
}

/** Lines and terms of an arithmetic. @param {import("./playground-arithmetic.mjs").Arithmetic} made */
export const written = ({ lines, terms }) => [...lines.map((line) => h("p", {}, line)), ...(terms ? termTable(terms) : [])];

/**
 * The panel beneath a strip: a number of it, and how it came about.
 * @param {{ name: string, count: number, k: number, more: Node | null, onMove: (k: number) => void, onClose: () => void }} options
 *   more: what stands beneath
 */
export function numberPanel({ name, count, k, more, onMove, onClose }) {
  const answer = h("div", { class: "u-pg-arithmetic", "aria-live": "polite" });
  const which = slider({ label: "Number", min: 1, max: count, step: 1, value: k + 1, format: (x) => `${x} of ${count}`, onInput: (x) => onMove(x - 1) });
  const close = h("button", { type: "button", class: "u-button", onclick: onClose }, "Close");
  const el = h("div", { class: "u-pg-numbers", role: "group", "aria-label": name }, h("p", { class: "u-small-title" }, name), count > 1 && which.el, answer, more, close);
  return { el, input: which.input, show: (/** @type {Node[]} */ nodes) => answer.replaceChildren(...nodes) };
}
