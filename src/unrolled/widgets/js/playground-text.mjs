// A text and its tokens: what the reader typed, cut as the model reads it, one of the tokens chosen.

import { h, number, slider, uid } from "./dom.mjs";

/**
 * @param {{ label: string, value: string, longest: number, onInput: (text: string) => void, onToken: (t: number) => void }} options
 */
export function textBox({ label, value, longest, onInput, onToken }) {
  const id = uid("playground");
  const field = h("textarea", { id, rows: 2, spellcheck: "false", "aria-describedby": `${id}-kept` });
  field.value = value;
  field.addEventListener("input", () => onInput(field.value));
  const kept = h("p", { id: `${id}-kept`, class: "u-help", role: "status" });
  const chips = h("div", { class: "u-pg-chips", role: "radiogroup", "aria-label": `${label}: tokens. Choose whose way is drawn` });
  chips.addEventListener("keydown", (event) => {
    const all = [...chips.children];
    const at = all.indexOf(/** @type {any} */ (event.target));
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - 1, ArrowDown: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    if (all[to]) onToken(to);
  });
  return {
    el: h("div", { class: "u-playground-text" }, h("div", { class: "u-field" }, h("label", { for: id }, label), field), kept, chips),
    value: () => field.value,
    set: (/** @type {string} */ text) => void (field.value = text),
    /** Say how much of the text the model sees. @param {number} count its tokens @param {number} written those that were drawn */
    keeps(count, written) {
      kept.textContent = count > longest ? `The model sees ${longest} tokens: the last of ${count.toLocaleString("en")}.`
        : `${count} of ${longest} tokens${written ? `, ${written} of them written by the model` : ""}.`;
    },
    /** @param {string[]} tokens @param {number} chosen @param {number} written how many at the end @param {number[]} hidden */
    show(tokens, chosen, written, hidden) {
      const had = chips.contains(document.activeElement);
      while (chips.children.length > tokens.length) chips.lastElementChild.remove();
      tokens.forEach((token, t) => {
        const one = /** @type {HTMLElement} */ (chips.children[t]) ?? chips.appendChild(h("button", { type: "button", role: "radio", class: "u-pg-chip", onclick: () => onToken(t) }));
        if (one.textContent !== token) one.replaceChildren(h("bdi", {}, token));
        one.setAttribute("aria-checked", String(t === chosen));
        one.tabIndex = t === chosen ? 0 : -1;
        one.classList.toggle("is-written", t >= tokens.length - written);
        one.classList.toggle("is-hidden", hidden.includes(t));
        if (hidden.includes(t)) one.setAttribute("aria-description", "hidden from the others");
        else one.removeAttribute("aria-description");
      });
      if (had) /** @type {HTMLElement} */ (chips.children[chosen]).focus();
    },
  };
}

/**
 * A weight of attention, to be set by hand.
 * @param {{ token: string, onSet: (w: number) => void, onBack: () => void }} options
 */
export function weightSlider({ token, onSet, onBack }) {
  const set = slider({ label: `Weight for ${token}, by hand`, min: 0, max: 1, step: 0.01, value: 0, format: (w) => number(w), onInput: onSet });
  const back = h("button", { type: "button", class: "u-button", onclick: onBack }, "Give back the model’s own weights");
  return {
    el: h("div", {}, set.el, h("p", { class: "u-help" }, "What it gains, the other tokens of this head lose, in proportion."), back),
    show(/** @type {number} */ value, /** @type {boolean} */ byHand) {
      if (document.activeElement !== set.input) set.set(value); // a hand on it is not pushed away
      back.hidden = !byHand;
    },
  };
}
