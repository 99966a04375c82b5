// What bertviz's views take from jQuery and d3, within one element of the page. Selection and colour are
// d3's own modules; the rest is a handful of calls. Its selectors start with an id, "#view #layer" and
// "#view #vis"; here they mean elements at hand, so that two views on a page never meet, and none needs an id.

import { d3Color } from "./d3-color.mjs";
import { d3Selection } from "./d3-selection.mjs";

/** d3.schemeCategory10, of d3-scale-chromatic. */
export const HEAD_COLOURS = [
  "#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf",
];

/**
 * @param {Record<string, Element>} places what "#layer" and "#vis" mean
 * @returns {{ $: any, d3: any }}
 */
export function standIns(places) {
  const find = (selector) => places[selector.split("#").at(-1)] ?? null;
  const d3 = {
    ...d3Selection,
    ...d3Color,
    version: "5.7.0",
    schemeCategory10: HEAD_COLOURS,
    scaleOrdinal: (colours) => (i) => colours[i % colours.length],
    select: (what) => d3Selection.select(typeof what === "string" ? find(what) : what),
  };
  /** As much of jQuery as there is one element, or none, to call it on. */
  const $ = (/** @type {string} */ selector) => {
    const el = /^<(\w+) \/>$/.test(selector) ? document.createElement(selector.slice(1, -3)) : find(selector);
    const wrapped = {
      el,
      append: (child) => (el?.append(child.el), wrapped),
      val: (value) => (el && (/** @type {any} */ (el).value = String(value)), wrapped),
      text: (value) => (el && (el.textContent = String(value)), wrapped),
      on: (event, heard) => (el?.addEventListener(event, heard), wrapped),
      change: () => (el?.dispatchEvent(new Event("change")), wrapped),
      empty: () => (el?.replaceChildren(), wrapped),
      attr: (name, value) => (el?.setAttribute(name, String(value)), wrapped),
    };
    return wrapped;
  };
  return { $, d3 };
}
