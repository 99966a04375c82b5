// The state as a matrix: filled pair by pair, asked for a value; what comes back, and what it is mixed with.

import { button, choice, h, liveRegion, number, root, shade, slider, textField } from "./dom.mjs";
import { pageOf, startOf } from "./page.mjs";
import { finder } from "./sentence.mjs";
import { gated, nearest, readOut, written as write } from "./states.mjs";
import { plainText } from "./typed.mjs";

const RULES = ["linear", "gated", "delta", "gated delta"];
const MOST = 12;

/** @param {number[]} v */
const vector = (v) => `(${v.map((x) => number(x)).join(", ")})`;

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const get = (/** @type {string} */ name) => model.get(name);
  const [keys, keyVectors, values, valueVectors, title] = ["key_words", "key_vectors", "value_words", "value_vectors", "title"].map(get);
  const names = ["pairs", "written", "rule", "keep", "asked"];
  const start = Object.fromEntries(names.map((name) => [name, startOf(model, name)]));
  /** @type {any} */
  let s = Object.fromEntries(names.map((name) => [name, get(name)]));
  const page = pageOf(model);
  let keeping = false; // what this widget saves comes back as changes
  const keyOf = (/** @type {string} */ word) => keyVectors[keys.indexOf(word)];
  const valueOf = (/** @type {string} */ word) => valueVectors[values.indexOf(word)];
  const text = (/** @type {string[][]} */ pairs) => pairs.map((pair) => pair.join(" ")).join(", ");

  const live = liveRegion();
  const field = textField({ label: "Pairs, in order", value: page.recalled.typed ?? text(s.pairs), maxLength: 400,
    help: `Keys: ${keys.join(", ")}. Values: ${values.join(", ")}. At most ${MOST} pairs.`, onInput: typed });
  const count = slider({ label: "Pairs written", min: 0, max: s.pairs.length, step: 1, value: s.written,
    format: (n) => `${n} of ${s.pairs.length}`, onInput: (n) => change({ written: n }) });
  const rule = choice({ label: "Rule", options: RULES, value: RULES.indexOf(s.rule), onInput: (i) => change({ rule: RULES[i] }) });
  const keep = slider({ label: "Kept of the state at each step, α", min: 0, max: 1, step: 0.05, value: s.keep,
    onInput: (x) => change({ keep: x }) });
  const ask = choice({ label: "Ask for", options: keys, value: keys.indexOf(s.asked), onInput: (i) => change({ asked: keys[i] }) });
  const buttons = h("div", { class: "u-buttons" },
    button("Write one more", () => change({ written: Math.min(s.pairs.length, s.written + 1) })),
    button("Reset", () => {
      field.set(text(start.pairs));
      field.error(null);
      change(start);
    }));
  const matrix = h("div", { class: "u-state" });
  const back = h("p", { class: "u-state-back" });
  const bars = h("ul", { class: "u-state-bars" });
  const roster = h("ul", { class: "u-state-roster", "aria-label": "Every key that was written" });
  const box = root(el, title || "State matrix", title && h("p", { class: "u-title" }, title),
    h("div", { class: "u-state-box" },
      h("div", { class: "u-state-side" }, field.el, count.el, buttons, rule.el, keep.el),
      h("div", { class: "u-state-side" }, ask.el, matrix, back, bars,
        h("p", { class: "u-small-title" }, "Every key that was written"), roster)),
    live.el);

  /** From what was typed to pairs, or a message. */
  function typed(/** @type {string} */ typedText) {
    const parts = typedText.split(",").map((part) => plainText(part).split(" ").filter(Boolean)).filter((words) => words.length);
    const [findKey, findValue] = [finder(keys), finder(values)];
    const wrong = parts.find((words) => words.length !== 2 || findKey(words[0]) < 0 || findValue(words[1]) < 0);
    let message = null;
    if (!parts.length) message = "Expected at least one pair, got nothing.";
    else if (parts.length > MOST) message = `Expected at most ${MOST} pairs, got ${parts.length}.`;
    else if (wrong) message = `Expected a key and a value, such as “${keys[0]} ${values[0]}”, got “${wrong.join(" ")}”.`;
    field.error(message);
    if (message === null) {
      const pairs = parts.map(([key, value]) => [keys[findKey(key)], values[findValue(value)]]);
      change({ pairs, written: pairs.length });
    }
  }

  function change(/** @type {any} */ part) {
    s = { ...s, ...part };
    show(true);
    keeping = true;
    for (const name of names) model.set(name, s[name]);
    keeping = false;
    model.save_changes();
  }

  function show(aloud = false) {
    let state = keyVectors[0].map(() => valueVectors[0].map(() => 0));
    const told = s.pairs.slice(0, s.written);
    for (const [key, value] of told) state = write(state, keyOf(key), valueOf(value), s.rule, s.keep);
    const last = Object.fromEntries(told);
    const answer = (/** @type {string} */ key) => {
      const out = readOut(state, keyOf(key));
      const { cosines, best } = nearest(out, valueVectors);
      return { out, cosines, word: best < 0 ? "nothing" : values[best] };
    };
    const q = keyOf(s.asked);
    const now = answer(s.asked);
    const top = Math.max(1, ...state.flat().map(Math.abs));
    const cell = (/** @type {number} */ x) => {
      const td = h("td", {}, number(x));
      shade(td, Math.abs(x) / top);
      return td;
    };
    matrix.replaceChildren(h("table", {}, h("caption", {}, `State after ${s.written} of ${s.pairs.length} pairs; at the left the key of ${s.asked}`),
      h("tbody", {}, state.map((row, i) => h("tr", {}, h("th", { scope: "row" }, number(q[i], 1)), row.map(cell)))),
      h("tfoot", {}, h("tr", {}, h("th", { scope: "row" }, "back"), now.out.map((x) => h("td", {}, number(x)))))));
    const expected = last[s.asked];
    const verdict = expected === undefined ? `${s.asked} was not written: all that comes back is other pairs'.`
      : now.word === expected ? `Nearest to ${now.word}, which was written.` : `Nearest to ${now.word}, but ${expected} was written.`;
    back.textContent = `Comes back: ${vector(now.out)}. ${verdict}`;
    bars.setAttribute("aria-label", `Cosine of what comes back for ${s.asked} with each value`);
    bars.replaceChildren(...values.map((word, i) => h("li", { class: word === now.word ? "is-nearest" : "" },
      h("span", {}, word), h("span", { class: "u-share-bar", "aria-hidden": "true", style: `--w: ${(100 * Math.max(0, now.cosines[i])).toFixed(1)}%; --u-s: var(--u-accent)` }),
      h("span", { class: "u-share-number" }, number(now.cosines[i])))));
    const asked = keys.filter((key) => last[key] !== undefined);
    const found = asked.map((key) => ({ key, ...answer(key) }));
    const right = found.filter((one) => one.word === last[one.key]).length;
    roster.replaceChildren(...found.map((one) => h("li", {}, `${one.word === last[one.key] ? "✓" : "✗"} ${one.key}: `
      + (one.word === last[one.key] ? one.word : `${one.word}, not ${last[one.key]}`))));
    if (aloud) live.say(`${right} of ${found.length} keys find what was written last. ${s.asked}: ${verdict}`);
    count.input.max = String(s.pairs.length);
    count.set(s.written);
    rule.set(RULES.indexOf(s.rule));
    keep.set(s.keep);
    keep.el.hidden = !gated(s.rule);
    ask.set(keys.indexOf(s.asked));
    Object.assign(box.dataset, { state: JSON.stringify(state), back: JSON.stringify(now.out), nearest: now.word, right: `${right}/${found.length}` });
    // As in ../state_matrix.py.
    const gate = gated(s.rule) ? `, of the state ${number(s.keep)} kept at each step` : "";
    page.tables(() => [{
      caption: `What comes back. Written by the ${s.rule} rule${gate}: ${text(told) || "nothing"}.`,
      columns: [...valueVectors[0].map((_, i) => `${i + 1}`), "cosine with what was written"],
      rows: found.map((one) => [`${one.key}: ${last[one.key]} was written, ${one.word} comes back`,
        [...one.out, one.cosines[values.indexOf(last[one.key])]]]),
    }]);
  }

  /** Python may change what is shown. */
  function follow() {
    if (keeping) return;
    const news = Object.fromEntries(names.map((name) => [name, get(name)]));
    if (text(news.pairs) !== text(s.pairs)) {
      field.set(text(news.pairs));
      field.error(null);
    }
    s = news;
    show();
  }
  names.forEach((name) => model.on(`change:${name}`, follow));
  show();
  if (page.recalled.error) field.error(page.recalled.error);
  page.remembers(() => ({ typed: field.input.value, error: field.wrong.textContent }));
  return () => names.forEach((name) => model.off(`change:${name}`, follow));
}
