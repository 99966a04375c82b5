// The bears plane: drag words about, and see where self-attention takes one of them in each sentence.

import { attend, attentionScores, attentionWeights } from "./core.mjs";
import { button, choice, h, liveRegion, number, root, slider, svg, textField, toggle } from "./dom.mjs";
import { mark, planeView } from "./plane-view.mjs";
import { MAX_WORDS, readSentence, shownWord } from "./sentence.mjs";

const FACTORS = [0, 0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64];
const OWN = 4; // the style of the reader's own sentence; the others have 0 to 3

// A space that does not break: the two numbers stay on one line.
const pair = ([x, y]) => `(${number(x)},\u00a0${number(y)})`;

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

/** @param {number[]} v @returns {number[]} the same direction with length 1; the zero vector has none and stays */
function levelled(v) {
  const length = Math.hypot(...v);
  return length > 0 ? v.map((c) => c / length) : v;
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
    /** @param {string[]} words @param {number[]} weights @param {number[]} context @param {string} place in words */
    show(words, weights, context, place) {
      rows.replaceChildren(...words.map((word, j) => h("li", {},
        h("span", { class: word.toLowerCase() === target.toLowerCase() ? "u-share-word u-target" : "u-share-word" }, word),
        h("span", { class: "u-share-bar", style: `--w: ${(100 * weights[j]).toFixed(2)}%` }),
        h("span", { class: "u-share-number" }, number(weights[j])))));
      landing.textContent = place;
      Object.assign(el.dataset, { weights: JSON.stringify(weights), context: JSON.stringify(context) });
    },
  };
}

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const [words, target, limit] = [model.get("words"), model.get("target"), model.get("limit")];
  const [simple, title] = [model.get("simple"), model.get("title")];
  const named = words.map(shownWord);
  const start = { vectors: model.get("vectors"), scale: model.get("scale") };
  const targetId = words.findIndex((word) => word.toLowerCase() === target.toLowerCase());
  let [vectors, scale, chosen, landmarks] = [start.vectors, start.scale, targetId, model.get("landmarks")];
  /** While all lengths are equal: what they were. @type {number[][] | null} */
  let unequal = null;

  const sentenceOf = (text, style) => {
    const { ids, at, spoken } = readSentence(text, words, target);
    const sign = String(style === OWN ? given.length + 1 : style + 1);
    return { text, style, sign, ids, at, spoken, card: card(text, sign, style, target) };
  };
  /** @type {ReturnType<typeof sentenceOf>[]} */
  const given = model.get("sentences").map(sentenceOf);
  let sentences = given;

  const live = liveRegion();
  live.el.classList.add("u-hidden"); // the cards show the same to the eye
  const cards = h("div", { class: "u-cards" }, given.map((one) => one.card.el));
  const plane = planeView({ words: named, target: targetId, limit,
    onMove: (word, point) => {
      axes.forEach((axis) => axis.error(null));
      vectors = vectors.map((v, i) => (i === word ? point : v));
      show();
    },
    onDrop: () => keep(`${named[chosen]} at ${pair(vectors[chosen])}. `),
    onChoose: choose,
  });
  const wordChoice = choice({ label: "Word", options: named, value: chosen, onInput: choose });
  const axes = ["x", "y"].map((label, d) => coordinate(label, limit, (value) => {
    vectors = vectors.map((v, i) => (i === chosen ? v.map((c, k) => (k === d ? value : c)) : v));
    show();
    keep(`${named[chosen]} at ${pair(vectors[chosen])}. `);
  }));
  const factors = [...new Set([...FACTORS, start.scale])].sort((a, b) => a - b);
  const factor = slider({ label: "Multiply every score by", min: 0, max: factors.length - 1, step: 1,
    value: factors.indexOf(scale), format: (i) => `× ${factors[i]}`, onInput: (i) => {
      scale = factors[i];
      show();
      keep(`Scores × ${scale}. `);
    } });
  // Of a large vocabulary a dozen words say what kind it is; the list of words names them all.
  const every = Math.ceil(words.length / 12);
  const some = named.filter((_, i) => i % every === 0).join(", ");
  const typed = textField({ label: "Your own sentence", onInput: () => typed.error(null),
    help: `Up to ${MAX_WORDS} ${simple ? "words of the list above" : `of the plane's ${words.length} words`}, `
      + `“${target}” among them${simple ? "" : `${every > 1 ? ", such as" : ":"} ${some}`}.` });
  const form = h("form", { class: "u-own", novalidate: true }, typed.el, h("button", { type: "submit" }, "Show"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { error } = readSentence(typed.input.value, words, target);
    typed.error(error || null);
    // A refused sentence leaves no earlier one behind, which would look like its answer.
    setOwn(error ? [] : [sentenceOf(typed.input.value.trim().replace(/\s+/gu, " "), OWN)]);
    show();
    if (!error) say();
  });
  const level = toggle({ label: "Equal lengths", onToggle: (on) => {
    equalise(on);
    show();
    keep(on ? "Every word now has length 1. " : "The lengths are as before. ");
  } });
  const reset = button("Reset", () => {
    equalise(false);
    level.setAttribute("aria-pressed", "false");
    [vectors, scale] = [start.vectors, start.scale];
    factor.set(factors.indexOf(scale));
    setOwn([]);
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
          !simple && factor.el,
          h("div", { class: "u-buttons" }, !simple && limit >= 1 && level, reset),
          simple && form)),
      !simple && form,
      cards),
    live.el);

  /** Give every word and every landmark length 1, or back what it had, but for words moved since then. */
  function equalise(/** @type {boolean} */ on) {
    if (on === (unequal !== null)) return;
    const before = unequal;
    unequal = on ? vectors : null;
    vectors = vectors.map((v, i) => {
      if (before === null) return levelled(v);
      const moved = levelled(before[i]).some((c, d) => c !== v[d]);
      return moved ? v : before[i];
    });
    const places = Object.entries(model.get("landmarks"));
    landmarks = Object.fromEntries(places.map(([name, place]) => [name, on ? levelled(place) : place]));
  }

  /** Show the given sentences and, after them, the reader's own, if any. */
  function setOwn(own) {
    sentences = [...given, ...own];
    cards.replaceChildren(...sentences.map((one) => one.card.el));
  }

  function choose(/** @type {number} */ word) {
    chosen = word;
    axes.forEach((axis) => axis.error(null));
    show();
  }

  function say(before = "") {
    live.say(before + sentences.map(({ text, ids, at, spoken }) => {
      const { weights, context } = hear(vectors, ids, at, scale);
      const shares = spoken.map((word, j) => `${word} ${number(weights[j])}`).join(", ");
      return `${target} in “${text}”: ${shares}; ${landing(context)}.`;
    }).join(" "));
  }

  /** Where the target lands, in words. @param {number[]} point */
  function landing(point) {
    const near = Object.keys(landmarks).length ? `, nearest to ${nearest(landmarks, point)}` : "";
    return `${simple ? "ends up at" : "x̂ ="} ${pair(point)}${near}`;
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
    sentences.forEach((one, i) => one.card.show(one.spoken, heard[i].weights, heard[i].context,
      landing(heard[i].context)));
    plane.show({ vectors, chosen, landmarks, inUse: new Set(sentences.flatMap((one) => one.ids)),
      arrows: sentences.map(({ style, sign }, i) => ({ style, sign, from: vectors[targetId], to: heard[i].context })) });
    wordChoice.set(chosen);
    axes.forEach((axis, d) => {
      if (!axis.input.hasAttribute("aria-invalid")) axis.set(number(vectors[chosen][d]));
    });
    Object.assign(box.dataset, { vectors: JSON.stringify(vectors), landmarks: JSON.stringify(landmarks) });
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
