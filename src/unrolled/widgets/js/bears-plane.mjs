// The bears plane: drag words about, and see where self-attention takes one of them in each sentence.

import { attend, attentionScores, attentionWeights } from "./core.mjs";
import { button, choice, h, liveRegion, number, root, slider, svg, textField } from "./dom.mjs";
import { mark, planeView } from "./plane-view.mjs";
import { readSentence } from "./sentence.mjs";

const FACTORS = [0, 0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64];
const OWN = 4; // the style of the reader's own sentence; the others have 0 to 3

const pair = ([x, y]) => `(${number(x)}, ${number(y)})`;

/**
 * What the word at position `at` of a sentence hears, and where that takes it.
 * @param {number[][]} vectors of the vocabulary @param {number[]} ids of the sentence's words
 * @param {number} at @param {number} scale
 */
export function hear(vectors, ids, at, scale) {
  const x = ids.map((id) => vectors[id]);
  const weights = attentionWeights(attentionScores([x[at]], x, scale));
  return { weights: weights[0], context: attend(weights, x)[0] };
}

/** @param {Record<string, number[]>} landmarks @param {number[]} point @returns {string} the nearest one's name */
export function nearest(landmarks, point) {
  const far = (name) => Math.hypot(landmarks[name][0] - point[0], landmarks[name][1] - point[1]);
  return Object.keys(landmarks).reduce((a, b) => (far(b) < far(a) ? b : a));
}

/** A line of text that has to be a number within the limit: the exact way to do what dragging does. */
function coordinate(label, limit, onNumber) {
  const field = textField({ label, onInput: () => field.error(null) });
  field.input.setAttribute("inputmode", "decimal");
  field.input.addEventListener("change", () => {
    const text = field.input.value.trim();
    const plain = text.replace("\u2212", "-").replace(",", ".");
    const value = /^[+-]?(\d+\.?\d*|\.\d+)$/.test(plain) ? Number(plain) : NaN;
    if (Math.abs(value) <= limit) onNumber(value);
    else {
      const got = text === "" ? "nothing" : `“${text.length > 40 ? `${text.slice(0, 39)}…` : text}”`;
      field.error(`Expected a number between \u2212${limit} and ${limit}, got ${got}.`);
    }
  });
  // The message needs more room than the field has: it stands beneath both.
  return { ...field, wrong: field.el.querySelector(".u-error") };
}

/** One sentence: its words, what share of each the target hears, and where it lands. */
function card(sentence, sign, style, target) {
  const rows = h("ul", { class: "u-shares" });
  const landing = h("p", { class: "u-landing" });
  const head = h("p", { class: "u-card-head" },
    svg("svg", { viewBox: "-14 -15 50 28", width: 50, height: 28, "aria-hidden": "true" },
      svg("g", { class: `u-arrow u-s${style}` }, svg("line", { x1: 12, x2: 35, y1: 0, y2: 0 })), mark(style, sign)),
    h("span", {}, sentence));
  const el = h("div", { class: `u-card u-s${style}`, role: "group", "aria-label": `Sentence: ${sentence}` }, head, rows, landing);
  return {
    el,
    /** @param {string[]} words @param {number[]} weights @param {number[]} context @param {string} near */
    show(words, weights, context, near) {
      rows.replaceChildren(...words.map((word, j) => h("li", {},
        h("span", { class: word.toLowerCase() === target.toLowerCase() ? "u-share-word u-target" : "u-share-word" }, word),
        h("span", { class: "u-share-bar", style: `--w: ${(100 * weights[j]).toFixed(2)}%` }),
        h("span", { class: "u-share-number" }, number(weights[j])))));
      landing.textContent = `x̂ = ${pair(context)}${near && `, nearest to ${near}`}`;
      Object.assign(el.dataset, { weights: JSON.stringify(weights), context: JSON.stringify(context) });
    },
  };
}

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const [words, target, limit] = [model.get("words"), model.get("target"), model.get("limit")];
  const [landmarks, title] = [model.get("landmarks"), model.get("title")];
  const start = { vectors: model.get("vectors"), scale: model.get("scale") };
  const targetId = words.findIndex((word) => word.toLowerCase() === target.toLowerCase());
  let [vectors, scale, chosen] = [start.vectors, start.scale, targetId];

  const sentenceOf = (text, style) => {
    const { ids, at } = readSentence(text, words, target);
    const sign = String(style === OWN ? given.length + 1 : style + 1);
    return { text, style, sign, ids, at, card: card(text, sign, style, target) };
  };
  /** @type {ReturnType<typeof sentenceOf>[]} */
  const given = model.get("sentences").map(sentenceOf);
  let sentences = given;

  const live = liveRegion();
  live.el.classList.add("u-hidden"); // the cards show the same to the eye
  const cards = h("div", { class: "u-cards" }, given.map((one) => one.card.el));
  const plane = planeView({ words, target: targetId, limit, landmarks,
    onMove: (word, point) => {
      axes.forEach((axis) => axis.error(null));
      vectors = vectors.map((v, i) => (i === word ? point : v));
      show();
    },
    onDrop: () => keep(`${words[chosen]} at ${pair(vectors[chosen])}. `),
    onChoose: choose,
  });
  const wordChoice = choice({ label: "Word", options: words, value: chosen, onInput: choose });
  const axes = ["x", "y"].map((label, d) => coordinate(label, limit, (value) => {
    vectors = vectors.map((v, i) => (i === chosen ? v.map((c, k) => (k === d ? value : c)) : v));
    show();
    keep(`${words[chosen]} at ${pair(vectors[chosen])}. `);
  }));
  const factors = [...new Set([...FACTORS, start.scale])].sort((a, b) => a - b);
  const factor = slider({ label: "Multiply every score by", min: 0, max: factors.length - 1, step: 1,
    value: factors.indexOf(scale), format: (i) => `× ${factors[i]}`, onInput: (i) => {
      scale = factors[i];
      show();
      keep(`Scores × ${scale}. `);
    } });
  // Of a large vocabulary a dozen words say what kind it is; the list above names them all.
  const every = Math.ceil(words.length / 12);
  const some = words.filter((_, i) => i % every === 0).join(", ");
  const typed = textField({ label: "Your own sentence", onInput: () => typed.error(null),
    help: `With “${target}” and the plane's ${words.length} words${every > 1 ? ", such as" : ":"} ${some}.` });
  const form = h("form", { class: "u-own", novalidate: true }, typed.el, h("button", { type: "submit" }, "Show"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { error } = readSentence(typed.input.value, words, target);
    typed.error(error || null);
    if (error) return;
    sentences = [...given, sentenceOf(typed.input.value.trim().replace(/\s+/gu, " "), OWN)];
    cards.replaceChildren(...sentences.map((one) => one.card.el));
    show();
    say();
  });
  const level = button("Equal lengths", () => {
    vectors = vectors.map((v) => {
      const length = Math.hypot(...v);
      return length > 0 ? v.map((c) => c / length) : v;
    });
    show();
    keep("Every word now has length 1. ");
  });
  const reset = button("Reset", () => {
    [vectors, scale, sentences] = [start.vectors, start.scale, given];
    factor.set(factors.indexOf(scale));
    cards.replaceChildren(...given.map((one) => one.card.el));
    typed.set("");
    typed.error(null);
    choose(targetId);
    keep("As at the start. ");
  });

  const box = root(el, title || `Where “${target}” goes`, title && h("p", { class: "u-title" }, title),
    h("div", { class: "u-bears" },
      h("div", { class: "u-bears-top" }, plane.el,
        h("div", { class: "u-side" },
          h("p", { class: "u-help" }, `Drag any word. An arrow leads from ${target} to where each sentence takes it.`),
          h("div", { class: "u-point" }, wordChoice.el, axes.map((axis) => axis.el),
            axes.map((axis) => axis.wrong)),
          factor.el,
          h("div", { class: "u-buttons" }, limit >= 1 && level, reset),
          form)),
      cards),
    live.el);

  function choose(/** @type {number} */ word) {
    chosen = word;
    axes.forEach((axis) => axis.error(null));
    show();
  }

  function say(before = "") {
    live.say(before + sentences.map(({ text, ids, at }) => {
      const { weights, context } = hear(vectors, ids, at, scale);
      const shares = ids.map((id, j) => `${words[id]} ${number(weights[j])}`).join(", ");
      return `${target} in “${text}”: ${shares}; x̂ = ${pair(context)}${near(context, ", nearest to ")}.`;
    }).join(" "));
  }

  function near(point, before = "") {
    return Object.keys(landmarks).length ? before + nearest(landmarks, point) : "";
  }

  /** Say what changed, and let the kernel know, where there is one. */
  function keep(before) {
    say(before);
    model.set("vectors", vectors);
    model.set("scale", scale);
    model.save_changes();
  }

  function show() {
    const heard = sentences.map(({ ids, at }) => hear(vectors, ids, at, scale));
    sentences.forEach((one, i) => one.card.show(one.ids.map((id) => words[id]), heard[i].weights, heard[i].context,
      near(heard[i].context)));
    plane.show({ vectors, chosen, inUse: new Set(sentences.flatMap((one) => one.ids)),
      arrows: sentences.map(({ style, sign }, i) => ({ style, sign, from: vectors[targetId], to: heard[i].context })) });
    wordChoice.set(chosen);
    axes.forEach((axis, d) => {
      if (!axis.input.hasAttribute("aria-invalid")) axis.set(number(vectors[chosen][d]));
    });
    box.dataset.vectors = JSON.stringify(vectors);
  }

  function followVectors() {
    vectors = model.get("vectors");
    show();
  }

  function followScale() {
    scale = model.get("scale");
    if (!factors.includes(scale)) {
      factors.push(scale);
      factors.sort((a, b) => a - b);
      factor.input.max = String(factors.length - 1);
    }
    factor.set(factors.indexOf(scale));
    show();
  }
  model.on("change:vectors", followVectors);
  model.on("change:scale", followScale);
  show();
  return () => {
    plane.stop();
    model.off("change:vectors", followVectors);
    model.off("change:scale", followScale);
  };
}
