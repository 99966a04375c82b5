// The bears plane: drag words about, and see where self-attention takes one of them in each sentence.

import { attend, attentionScores, attentionWeights } from "./core.mjs";
import { button, choice, h, liveRegion, number, root, slider, svg, textField, toggle } from "./dom.mjs";
import { pageOf, startOf } from "./page.mjs";
import { mark, planeView } from "./plane-view.mjs";
import { MAX_WORDS, readSentence, shownWord } from "./sentence.mjs";
import { came, plainText, readNumber } from "./typed.mjs";
import { someOf, wordList } from "./word-list.mjs";

const FACTORS = [0, 0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32, 64];
const OWN = 4; // the style of the reader's own sentence; the others have 0 to 3

// A space that does not break: the two numbers stay on one line.
const pair = (/** @type {number[]} */ [x, y]) => `(${number(x)},\u00a0${number(y)})`;

/**
 * What the word at position `at` of a sentence attends to, and where that takes it.
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
    const text = plainText(field.input.value);
    const value = readNumber(text, limit);
    if (!Number.isNaN(value)) onNumber(value);
    else field.error(`Expected a number between \u2212${limit} and ${limit}, got ${came(text)}.`);
  });
  // The message, `wrong`, needs more room than the field has: it stands beneath both.
  return field;
}

/** One sentence: its words, how much the target attends to each, and where it lands. */
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
  const start = { vectors: startOf(model, "vectors"), scale: startOf(model, "scale") };
  const page = pageOf(model);
  const targetId = words.findIndex((word) => word.toLowerCase() === target.toLowerCase());
  let [vectors, scale, landmarks] = [model.get("vectors"), model.get("scale"), model.get("landmarks")];
  let chosen = page.recalled.chosen ?? targetId;
  /** While all lengths are equal: what they were. @type {number[][] | null} */
  let unequal = page.recalled.unequal ?? null;

  /** @returns {{ text: string, style: number, sign: string, ids: number[], at: number, spoken: string[], card: any }} */
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
  const plane = planeView({ words: named, target: targetId, limit, placed: page.recalled.placed,
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
  const factors = [...new Set([...FACTORS, start.scale, scale])].sort((a, b) => a - b);
  const factor = slider({ label: "Multiply every score by", min: 0, max: factors.length - 1, step: 1,
    value: factors.indexOf(scale), format: (i) => `× ${factors[i]}`, onInput: (i) => {
      scale = factors[i];
      show();
      keep(`Scores × ${scale}. `);
    } });
  const typed = textField({ label: "Your own sentence", onInput: () => typed.error(null),
    help: `Up to ${MAX_WORDS} words, “${target}” among them, out of the plane's ${words.length}`
      + (simple ? "." : `, ${someOf(named)}.`) });
  const form = h("form", { class: "u-own", novalidate: true }, typed.el, h("button", { type: "submit" }, "Show"),
    wordList(named));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { error } = readSentence(typed.input.value, words, target);
    typed.error(error || null);
    // A refused sentence leaves no earlier one behind, which would look like its answer.
    setOwn(error ? [] : [sentenceOf(plainText(typed.input.value), OWN)]);
    show();
    if (!error) say();
  });
  const level = toggle({ label: "Equal lengths", pressed: unequal !== null, onToggle: (on) => {
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
          h("p", { class: "u-help" }, "Drag any word", h("span", { class: "u-by-finger" }, " sideways, or rest your finger on it first"),
            `. An arrow leads from ${target} to where each sentence takes it.`),
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
    setLandmarks();
  }

  function setLandmarks() {
    const places = Object.entries(model.get("landmarks"));
    landmarks = Object.fromEntries(places.map(([name, place]) => [name, unequal ? levelled(place) : place]));
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
    page.tables(() => tables(heard));
  }

  /** The words in use, and each sentence in numbers, as in ../bears_plane.py. */
  function tables(heard) {
    const used = [...new Set(sentences.flatMap((one) => one.ids))];
    return [{ caption: "Word vectors", columns: ["x", "y"], rows: used.map((id) => [named[id], vectors[id]]) },
      ...sentences.map(({ text, spoken }, i) => {
        const near = Object.keys(landmarks).length ? `, nearest to ${nearest(landmarks, heard[i].context)}` : "";
        return { caption: `“${text}”: how much “${target}” attends to each word. It moves to ${pair(heard[i].context)}${near}.`,
          columns: spoken, rows: [["weight", heard[i].weights]] };
      })];
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
  const { own } = page.recalled;
  if (own) {
    typed.set(own.typed);
    setOwn(own.shown === null ? [] : [sentenceOf(own.shown, OWN)]);
    typed.error(own.error || null);
  }
  setLandmarks();
  show();
  page.remembers(() => ({ chosen, unequal, placed: plane.placed(), own: { typed: typed.input.value, error: typed.wrong.textContent,
    shown: sentences[given.length]?.text ?? null } }));
  return () => {
    plane.stop();
    model.off("change:vectors", followVectors);
    model.off("change:scale", followScale);
  };
}
