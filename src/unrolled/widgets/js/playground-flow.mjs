// The playground's one connected drawing: a token's way from its embedding through every block to the next token.

import { softmax } from "./core.mjs";
import { h, number, shade, toggle } from "./dom.mjs";
import { valuesOf } from "./playground-parts.mjs";
import { strip } from "./playground-strip.mjs";

/** @typedef {import("./playground-parts.mjs").Place} Place */
/** @typedef {import("./playground-parts.mjs").Trace} Trace */
/** @typedef {{ trace: Trace, tokens: string[] }} Way a token's way, and the tokens of its text as they are shown */

const CROWD = 24; // tokens of a head that are shown; of more, those with the largest weights
const SAID = 3; // guesses of the lens

/** A row of tokens with the weights that one head gives them. */
function weightRow(onWeight) {
  const el = h("div", { class: "u-pg-weights", role: "group" });
  return {
    el,
    /** @param {Way} way @param {ArrayLike<number>} weights @param {(j: number) => string} note @param {string} label */
    show({ tokens }, weights, note, label) {
      el.setAttribute("aria-label", label);
      const order = Array.from(weights, (_, j) => j);
      const shown = order.length <= CROWD ? order : order.sort((i, j) => weights[j] - weights[i]).slice(0, CROWD).sort((i, j) => i - j);
      const rest = weights.length - shown.length;
      const left = 1 - shown.reduce((sum, j) => sum + weights[j], 0);
      const focused = /** @type {HTMLElement} */ (document.activeElement);
      const at = el.contains(focused) ? focused.dataset.token : null;
      el.replaceChildren(...shown.map((j) => {
        const one = h(onWeight ? "button" : "span", { type: onWeight && "button", class: `u-pg-weight${note(j) ? ` is-${note(j)}` : ""}`, "data-token": j,
          title: `${tokens[j]}: ${number(weights[j], 4)}`, onclick: onWeight && (() => onWeight(j)) },
        h("bdi", {}, tokens[j]), h("span", { class: "u-pg-weight-number" }, ` ${number(weights[j])}${note(j) === "set" ? " ✎" : ""}`));
        shade(one, weights[j]);
        return one;
      }), ...(rest ? [h("span", { class: "u-muted" }, `and ${rest} others, ${number(Math.max(0, left))} together`)] : []));
      if (at !== null) /** @type {HTMLElement | null} */ (el.querySelector(`[data-token="${at}"]`))?.focus();
    },
  };
}

/** The likeliest few of scores, with their shares. @param {ArrayLike<number>} logits @param {number} count */
export function likeliest(logits, count) {
  const scores = Array.from(logits), all = softmax(scores);
  const order = scores.map((_, i) => i).sort((i, j) => scores[j] - scores[i] || i - j).slice(0, count);
  return order.map((id) => ({ id, share: all[id] }));
}

/**
 * @param {{ sizes: { layers: number, heads: number }, painter: { paint: Function }, tokenName: (id: number) => string,
 *   onRead: (place: Place, k: number) => void, onHead: (layer: number, head: number, on: boolean) => void,
 *   onBlock: (layer: number, on: boolean) => void }} options
 */
export function flow({ sizes, painter, tokenName, onRead, onHead, onBlock }) {
  const at = (/** @type {string} */ part, layer = -1, head = -1) => strip({ part, layer, head }, painter, onRead);
  const wide = (/** @type {Way} */ { tokens, trace }) => `${tokens[trace.t]}, position ${trace.t}`;

  function headCard(/** @type {number} */ layer, /** @type {number} */ head) {
    const strips = ["query", "key", "value"].map((part) => at(part, layer, head));
    const context = at("context", layer, head);
    const rows = [weightRow((j) => onRead({ part: "weights", layer, head }, j)), weightRow(null)];
    const on = toggle({ label: `Head ${head + 1}`, pressed: true, onToggle: (pressed) => onHead(layer, head, pressed) });
    const el = h("div", { class: "u-pg-head-card" }, h("div", { class: "u-pg-head-name" }, on), strips.map((one) => one.el),
      h("p", { class: "u-pg-strip-name" }, "Weights: softmax of query · key / √size, nothing to the right"), rows[0].el, rows[1].el, context.el);
    return { el, on, strips: [...strips, context],
      show(/** @type {Way[]} */ ways, note) {
        on.setAttribute("aria-pressed", String(!note.off));
        el.classList.toggle("is-off", note.off);
        rows.forEach((row, k) => {
          row.el.hidden = k >= ways.length;
          if (k < ways.length) row.show(ways[k], ways[k].trace.blocks[layer].heads[head].weights, k ? () => "" : note.of, `Weights of head ${head + 1}${k ? ", second text" : ""}`);
        });
      } };
  }

  function block(/** @type {number} */ layer) {
    const heads = Array.from({ length: sizes.heads }, (_, head) => headCard(layer, head));
    const one = (/** @type {string} */ part) => at(part, layer);
    const [norm, joined, projected, middle, second, up, hidden, down, output] =
      ["norm", "joined", "projected", "middle", "secondNorm", "up", "hidden", "down", "output"].map(one);
    const on = toggle({ label: "This block", pressed: true, onToggle: (pressed) => onBlock(layer, pressed) });
    const lens = h("p", { class: "u-pg-lens" });
    const body = h("div", { class: "u-pg-block-body" }, h("div", { class: "u-controls" }, on),
      h("div", { class: "u-pg-branch" }, norm.el, h("div", { class: "u-pg-head-cards" }, heads.map(({ el }) => el)), joined.el, projected.el), middle.el,
      h("div", { class: "u-pg-branch" }, second.el, up.el, hidden.el, down.el), output.el);
    const fold = h("details", { class: "u-pg-block" }, h("summary", {}, `Block ${layer + 1}`), body);
    const strips = [norm, ...heads.flatMap((card) => card.strips), joined, projected, middle, second, up, hidden, down, output];
    let waiting = () => {};
    fold.addEventListener("toggle", () => fold.open && waiting());
    return { el: h("div", { class: "u-pg-stage" }, fold, lens), fold,
      show(/** @type {Way[]} */ ways, done) {
        const off = done.blocks.includes(layer);
        fold.classList.toggle("is-off", off);
        on.setAttribute("aria-pressed", String(!off));
        waiting = () => {
          waiting = () => {};
          strips.forEach(({ place, show }) => show(ways.map(({ trace }) => valuesOf(trace, place))));
          heads.forEach((card, head) => card.show(ways, {
            off: done.heads.some(([l, k]) => l === layer && k === head),
            of: (j) => (done.set.some(([l, k, i, to]) => l === layer && k === head && i === ways[0].trace.t && to === j) ? "set"
              : done.hidden.includes(j) && j !== ways[0].trace.t ? "hidden" : ""),
          }));
        };
        if (fold.open) waiting(); // what is folded costs nothing
        const said = ways.map(({ trace }) => likeliest(trace.lens[layer], SAID).map(({ id, share }) => `“${tokenName(id)}” ${number(share)}`).join(", "));
        lens.textContent = `${off ? "Switched off. " : ""}If the model ended here, it would say ${said.join("; second text: ")}.`;
      } };
  }

  const begin = ["word", "place", "embedded"].map((part) => at(part));
  const blocks = Array.from({ length: sizes.layers }, (_, layer) => block(layer));
  const last = at("final");
  const title = h("p", { class: "u-small-title" });
  const el = h("div", { class: "u-pg-flow" }, title, h("div", { class: "u-pg-stage" }, begin.map((one) => one.el)),
    blocks.map((one) => one.el), h("div", { class: "u-pg-stage" }, last.el));
  return { el, blocks,
    /** @param {Way[]} ways @param {import("./playground-state.mjs").Done} done */
    show(ways, done) {
      title.replaceChildren("The way of ", h("bdi", { class: "u-target" }, wide(ways[0])), ways.length > 1 ? " and of " : "",
        ways.length > 1 ? h("bdi", { class: "u-target" }, `${wide(ways[1])} (second text)`) : "");
      [...begin, last].forEach(({ place, show }) => show(ways.map(({ trace }) => valuesOf(trace, place))));
      blocks.forEach((one) => one.show(ways, done));
    },
    /**
     * What is pressed to read this place, and where the panel with its numbers stands: behind a head's card, not in it.
     * @param {Place} place @returns {{ pressed: HTMLElement, before: HTMLElement }}
     */
    at({ part, layer, head }) {
      if (layer < 0) {
        const { el: stands } = [...begin, last].find((one) => one.place.part === part);
        return { pressed: stands.querySelector("button"), before: stands };
      }
      const { fold } = blocks[layer];
      const within = /** @type {HTMLElement} */ (head >= 0 ? fold.querySelectorAll(".u-pg-head-card")[head] : fold);
      const stands = /** @type {HTMLElement} */ (within.querySelector(part === "weights" ? ".u-pg-weights" : `[data-part="${part}"]`));
      return { pressed: stands.querySelector("button"), before: head >= 0 ? within : stands };
    } };
}
