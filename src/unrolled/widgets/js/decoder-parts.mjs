// The parts of the decoder stepper: vectors as bars, the context vector, the scores, the shares, the map.

import { button, choice, h, number, shade, slider, svg, uid } from "./dom.mjs";
import { came, plainText, readNumber } from "./typed.mjs";

const TALL = 34; // pixels of a vector's picture; zero lies in the middle

/**
 * A vector as bars above and below zero, with its numbers as its text.
 * @param {number[]} values @param {string} label
 */
export function bars(values, label) {
  const top = Math.max(1, ...values.map(Math.abs));
  const width = Math.max(24, 5 * values.length);
  const step = width / values.length;
  const said = `${label}: ${values.map((x) => number(x)).join(", ")}`;
  return svg("svg", { class: "u-vector", viewBox: `0 0 ${width} ${TALL}`, width, height: TALL, role: "img", "aria-label": said },
    svg("title", {}, said),
    svg("line", { class: "u-zero", x1: 0, x2: width, y1: TALL / 2, y2: TALL / 2 }),
    values.map((x, k) => {
      const tall = (Math.abs(x) / top) * (TALL / 2 - 1);
      return svg("rect", { class: x < 0 ? "u-below" : "u-above", x: k * step + 0.5, width: step - 1,
        y: x < 0 ? TALL / 2 : TALL / 2 - tall, height: Math.max(tall, 0.5) });
    }));
}

/** The source, word for word, and what the encoder has computed at each. @param {string[]} words @param {number[][]} outputs */
export function encoderCards(words, outputs) {
  return words.map((word, j) => h("li", { class: "u-step" }, h("bdi", { class: "u-step-word" }, word),
    bars(outputs[j], `state after ${word}`)));
}

/**
 * The context vector: a button for each number, and what may be done to all of them.
 * @param {{ sentences: string[], groups: { label: string, names: string[] }[], left?: any, onChange: () => void }} options
 *   groups: the numbers in their order, h, then c, layer by layer; left: the damage a reader had done before
 */
export function contextPanel({ sentences, groups, left, onChange }) {
  const damage = { mix: 0, blur: 0, scale: 1, other: Math.min(1, sentences.length - 1), ...left, off: new Set(left?.off) };
  const changed = () => onChange();
  const numbers = groups.flatMap((group) => group.names).map((name, k) => {
    const fill = h("span", { class: "u-number-bar", "aria-hidden": "true" });
    const text = h("span", {});
    const el = h("button", { type: "button", class: "u-number", "aria-pressed": false, onclick: () => {
      if (damage.off.has(k)) damage.off.delete(k);
      else damage.off.add(k);
      changed();
    } }, fill, text);
    return { el, text, fill, name };
  });
  const percent = (x) => `${number(100 * x, 0)} %`;
  const scale = slider({ label: "Scale", min: 0, max: 2, step: 0.05, value: damage.scale, format: (x) => `× ${number(x)}`, onInput: (x) => {
    damage.scale = x;
    changed();
  } });
  const blur = slider({ label: "Blur: towards the mean of its numbers", min: 0, max: 1, step: 0.05, value: damage.blur, format: percent,
    onInput: (x) => {
      damage.blur = x;
      changed();
    } });
  const mix = slider({ label: "Replace by another sentence’s", min: 0, max: 1, step: 0.05, value: damage.mix, format: percent,
    onInput: (x) => {
      damage.mix = x;
      changed();
    } });
  const other = choice({ label: "The other sentence", options: sentences, value: damage.other, onInput: (index) => {
    damage.other = index;
    changed();
  } });
  const mend = button("Undo the damage", () => {
    Object.assign(damage, { mix: 0, blur: 0, scale: 1 });
    damage.off.clear();
    [scale, blur, mix].forEach((one, k) => one.set(k === 0 ? 1 : 0));
    changed();
  });
  const el = h("div", { class: "u-context" },
    groups.map(({ label, names }, g) => {
      const from = groups.slice(0, g).reduce((sum, group) => sum + group.names.length, 0);
      return h("div", { class: "u-number-row" }, h("span", { class: "u-muted" }, label),
        h("div", { class: "u-numbers", role: "group", "aria-label": `Context vector, ${label}: press a number to set it to zero` },
          numbers.slice(from, from + names.length).map((one) => one.el)));
    }),
    h("p", { class: "u-help" }, "Press a number to set it to zero."),
    h("div", { class: "u-damage" }, scale.el, blur.el, mix.el, other.el), h("div", { class: "u-buttons" }, mend));
  return {
    el,
    damage,
    /** @param {number[]} values in the order of the groups */
    show(values) {
      const whole = damage.mix === 0 && damage.blur === 0 && damage.scale === 1 && damage.off.size === 0;
      mend.setAttribute("aria-disabled", String(whole));
      const top = Math.max(1, ...values.map(Math.abs));
      numbers.forEach(({ el: one, text, fill, name }, k) => {
        const off = damage.off.has(k);
        text.textContent = number(values[k], 1);
        fill.style.setProperty("--tall", `${(50 * Math.abs(values[k])) / top}%`);
        one.classList.toggle("is-below", values[k] < 0);
        one.setAttribute("aria-pressed", String(off));
        one.setAttribute("aria-label", `${name}: ${number(values[k])}${off ? ", set to zero" : ""}`);
        one.title = name;
      });
    },
  };
}

/** A line of text that has to be a number within the limit: onNumber hears it, or NaN and what was typed. */
function exact(label, limit, onNumber) {
  const input = h("input", { type: "text", inputmode: "decimal", "aria-label": label });
  input.addEventListener("change", () => onNumber(readNumber(input.value, limit), plainText(input.value)));
  return input;
}

/**
 * One row for each source word: its score, to be dragged or typed, its weight.
 * @param {{ words: string[], limit: number, onScores: (scores: number[]) => void, onReset: () => void }} options
 */
export function scorePanel({ words, limit, onScores, onReset }) {
  let scores = words.map(() => 0);
  const wrong = h("p", { class: "u-error", role: "status", "aria-live": "polite" });
  const setOne = (j, x) => {
    wrong.textContent = "";
    scores = scores.map((s, k) => (k === j ? x : s));
    onScores(scores);
  };
  const rows = words.map((word, j) => {
    const drag = slider({ label: word, min: -limit, max: limit, step: 0.01, value: 0, onInput: (x) => setOne(j, x) });
    drag.input.setAttribute("aria-label", `Score of ${word}, word ${j + 1}`);
    const field = exact(`Score of ${word}, word ${j + 1}, as a number`, limit, (x, text) => {
      if (!Number.isNaN(x)) return setOne(j, x);
      field.setAttribute("aria-invalid", "true");
      wrong.textContent = `${word}: expected a score between \u2212${limit} and ${limit}, got ${came(text)}. `
        + `It stays ${number(scores[j])}.`;
    });
    const [own, weight] = [h("span", { class: "u-own-score" }), h("span", { class: "u-share-number" })];
    const bar = h("span", { class: "u-share-bar" });
    return { drag, field, own, weight, bar, el: h("li", {}, drag.el, field, own, bar, weight) };
  });
  const reset = button("The model’s own scores", onReset);
  const el = h("div", { class: "u-scores" },
    h("div", { class: "u-score-heads u-muted", "aria-hidden": "true" }, h("span", {}, "score: drag or type"),
      h("span", {}, "model’s own"), h("span", {}, "weight")),
    h("ul", {}, rows.map((row) => row.el)), wrong, h("div", { class: "u-buttons" }, reset));
  return {
    el,
    /** @param {number[]} given @param {number[]} own @param {number[]} weights */
    show(given, own, weights) {
      scores = given;
      rows.forEach(({ drag, field, own: mark, weight, bar }, j) => {
        drag.set(given[j]);
        // The slider keeps two digits of a score; its text must not say more than the score.
        drag.input.setAttribute("aria-valuetext", number(given[j]));
        field.value = number(given[j]);
        field.removeAttribute("aria-invalid");
        mark.textContent = number(own[j]);
        weight.textContent = number(weights[j]);
        bar.style.setProperty("--w", `${(100 * weights[j]).toFixed(2)}%`);
      });
      reset.setAttribute("aria-disabled", String(given.every((s, j) => s === own[j])));
    },
  };
}

/** The likeliest next words as bars, and what is left for all others. @param {number[]} shares @param {string[]} words */
export function shareList(shares, words, count = 6) {
  const order = shares.map((_, k) => k).sort((a, b) => shares[b] - shares[a] || a - b);
  const rest = order.slice(count).reduce((sum, k) => sum + shares[k], 0);
  return [
    h("ul", { class: "u-shares" }, order.slice(0, count).map((k, rank) => h("li", {},
      h("bdi", { class: rank === 0 ? "u-share-word u-target" : "u-share-word" }, words[k]),
      h("span", { class: "u-share-bar", style: `--w: ${(100 * shares[k]).toFixed(2)}%` }),
      h("span", { class: "u-share-number" }, number(shares[k]))))),
    order.length > count && h("p", { class: "u-muted" }, `and ${order.length - count} more, together ${number(rest)}`),
  ];
}

/**
 * What each step so far attended to. @param {string[]} words of the source
 * @param {{ word: string, weights: number[] }[]} steps
 */
export function alignment(words, steps) {
  const id = uid("alignment");
  return h("div", { class: "u-roles u-alignment", tabindex: 0, role: "region", "aria-labelledby": id },
    h("table", {}, h("caption", { id }, "So far: each row a word written, each column a source word, in the cell the weight"),
      h("thead", {}, h("tr", {}, h("td", {}), words.map((word) => h("th", { scope: "col" }, h("bdi", {}, word))))),
      h("tbody", {}, steps.map(({ word, weights }) => h("tr", {}, h("th", { scope: "row" }, h("bdi", {}, word)),
        weights.map((w) => {
          const cell = h("td", {}, number(w));
          shade(cell, w);
          return cell;
        }))))));
}
