// The bears model: a whole trained BERT reads what a reader types, and says which "bears" it expects there.

import { softmax } from "./core.mjs";
import { button, choice, h, liveRegion, number, root, svg, textField, toggle } from "./dom.mjs";
import { pageOf } from "./page.mjs";
import { frame, gridLines } from "./plane.mjs";
import { mark } from "./plane-view.mjs";
import { readSentence, shownWord } from "./sentence.mjs";
import { bert } from "./transformer.mjs";
import { plainText } from "./typed.mjs";
import { unpack } from "./unpack.mjs";
import { someOf, wordList } from "./word-list.mjs";

const GUESSES = 5;
const SIGNS = ["A", "B"];
const SIZE = 320; // of the map, in its own units

/**
 * What the model makes of a sentence in which the word at `at` is hidden.
 * @param {import("./transformer.mjs").Weights} weights @param {number[]} tokens @param {number} at
 * @param {any} options of `bert` @param {number} hidden the id of the mask
 * @returns {{ vector: number[], chances: number[], attention: number[][][] }} what is expected at that place, the
 *   chance of every word there, and what each head of each layer attends to from there: [layers, heads, T]
 */
export function expect(weights, tokens, at, options, hidden) {
  const asked = tokens.map((id, t) => (t === at ? hidden : id));
  const { blocks, guesses, logits } = bert(asked, weights, options);
  return {
    vector: guesses[at],
    chances: softmax(logits[at]),
    attention: blocks.map(({ attention }) => attention.heads.map((head) => head.weights[at])),
  };
}

/** How far a vector is from each row. @param {number[]} vector @param {number[][]} rows */
export const distances = (vector, rows) =>
  rows.map((row) => Math.hypot(...row.map((v, k) => v - vector[k])));

/** Where a vector falls on the map. @param {number[]} vector @param {{ origin: number[], axes: number[][] }} plane */
export const project = (vector, { origin, axes }) =>
  axes.map((axis) => axis.reduce((sum, a, k) => sum + a * (vector[k] - origin[k]), 0));

/** A small mark of a sense: a shape and a colour of its own. */
function dot(sense, x, y, r = 3.5) {
  const shapes = [
    () => svg("circle", { cx: x, cy: y, r }),
    () => svg("rect", { x: x - r, y: y - r, width: 2 * r, height: 2 * r }),
    () => svg("polygon", { points: `${x},${y - 1.3 * r} ${x + 1.2 * r},${y + r} ${x - 1.2 * r},${y + r}` }),
    () => svg("polygon", { points: `${x},${y - 1.3 * r} ${x + 1.3 * r},${y} ${x},${y + 1.3 * r} ${x - 1.3 * r},${y}` }),
  ];
  const el = shapes[sense % shapes.length]();
  el.classList.add("u-sense-dot", `u-s${sense % shapes.length}`);
  return el;
}

/** A list of bars, largest share first or in the order given. @param {[string, number][]} rows */
const bars = (rows, emphasis = "") => rows.map(([name, share]) => h("li", {},
  h("span", { class: name.toLowerCase() === emphasis ? "u-share-word u-target" : "u-share-word" }, name),
  h("span", { class: "u-share-bar", style: `--w: ${(100 * share).toFixed(2)}%` }),
  h("span", { class: "u-share-number" }, number(share))));

/** One sentence of the reader's, with all the model says of it. */
function panel(i, options, onSubmit) {
  const { words, target, maxWords, senses, text } = options;
  const field = textField({ label: `Sentence ${SIGNS[i]}`, value: text,
    help: i ? "" : `Up to ${maxWords} words, “${target}” among them, out of ${words.length}, ${someOf(words.map(shownWord))}.`,
    onInput: () => field.error(null) });
  const form = h("form", { class: "u-own", novalidate: true }, field.el, h("button", { type: "submit" }, "Read"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    onSubmit(field.input.value);
  });
  const sign = svg("svg", { viewBox: "-15 -15 30 30", width: 28, height: 28, "aria-hidden": "true" }, mark(i ? 3 : 4, SIGNS[i]));
  const verdict = h("p", {});
  const far = h("dl", { class: "u-far" });
  const guessed = h("ul", { class: "u-shares" });
  const heard = h("ul", { class: "u-shares" });
  const heardTitle = h("p", { class: "u-small-title" });
  const told = h("div", { class: "u-told" }, h("div", { class: "u-verdict" }, sign, verdict), far,
    h("p", { class: "u-small-title" }, "What the model expects in its place"), guessed, heardTitle, heard);
  const el = h("div", { class: "u-reader", role: "group", "aria-label": `Sentence ${SIGNS[i]}` },
    form, told);
  return {
    el, field,
    /** Refused: nothing of an earlier sentence is left, which would look like the answer. */
    clear: () => (told.hidden = true),
    show(said, far_, shares, whose) {
      told.hidden = false;
      const best = far_.indexOf(Math.min(...far_));
      verdict.replaceChildren("Nearest: ", h("strong", {}, senses[best]));
      far.replaceChildren(...senses.map((sense, k) =>
        h("div", {}, h("dt", {}, sense), h("dd", {}, number(far_[k])))));
      guessed.replaceChildren(...bars(said));
      heardTitle.textContent = whose;
      heard.replaceChildren(...bars(shares, target));
      return senses[best];
    },
  };
}

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const get = (/** @type {string} */ name) => model.get(name);
  const [words, first, target, senses, title] = ["words", "first", "target", "senses", "title"].map(get);
  const [nLayers, nHeads, hidden, maxWords] = ["n_layers", "n_heads", "hidden", "max_words"].map(get);
  const weights = unpack(get("packed"));
  const [centroids, plane, known] = ["centroids", "plane", "known"].map(get);
  let off = get("off").map((heads) => [...heads]);
  const page = pageOf(model);
  let [layer, head] = page.recalled.look ?? [nLayers - 1, nHeads]; // nHeads stands for the mean of all heads
  const named = words.map(shownWord);

  const texts = [...get("sentences")];
  /** @type {({ tokens: number[], at: number, spoken: string[] } | null)[]} */
  const read = texts.map(() => null);
  const live = liveRegion();
  live.el.classList.add("u-hidden");

  const points = [...known.flat(), ...plane.marks];
  const limit = 1.15 * Math.max(...points.flat().map(Math.abs), 1e-6);
  const { toPixels, unit } = frame(SIZE, limit);
  const [zero, one] = gridLines(limit);
  const length = one - zero;
  const scale = svg("g", { "aria-hidden": "true" },
    svg("line", { class: "u-scale-bar", x1: 8, x2: 8 + length * unit, y1: SIZE - 8, y2: SIZE - 8 }),
    svg("text", { class: "u-text", x: 8, y: SIZE - 14 }, number(length, length < 1 ? 1 : 0)));
  const over = svg("g", {});
  const map = svg("svg", { viewBox: `0 0 ${SIZE} ${SIZE}`, class: "u-sense-map", role: "img" },
    known.flatMap((of, sense) => of.map((point) => dot(sense, ...toPixels(point)))), scale, over);
  const legend = h("ul", { class: "u-sense-legend" }, senses.map((sense, k) => h("li", {},
    svg("svg", { viewBox: "-6 -6 12 12", width: 14, height: 14, "aria-hidden": "true" }, dot(k, 0, 0, 4)), sense)));

  const panels = texts.map((text, i) => panel(i, { words, target, maxWords, senses, text }, (typed) => {
    texts[i] = plainText(typed);
    if (parse(i)) {
      show();
      say(`Sentence ${SIGNS[i]}. `);
    } else show();
    model.set("sentences", [...texts]);
    model.save_changes();
  }));

  function parse(i) {
    // The second sentence may be left out.
    const empty = i > 0 && texts[i] === "";
    const { ids, at, spoken, error } = empty ? { error: "" } : readSentence(texts[i], words, target, maxWords);
    panels[i].field.error(error || null);
    read[i] = error || empty ? null : { tokens: ids.map((id) => id + first), at, spoken };
    return read[i] !== null;
  }

  const switches = off.map((_, l) => h("div", { class: "u-heads", role: "group", "aria-label": `Layer ${l + 1}` },
    h("span", { class: "u-muted" }, `Layer ${l + 1}`),
    Array.from({ length: nHeads }, (_, k) => toggle({ label: `head ${k + 1}`, pressed: !off[l].includes(k),
      onToggle: (on) => {
        off = off.map((heads, at) => (at !== l ? heads : on ? heads.filter((x) => x !== k) : [...heads, k].sort()));
        show();
        say(`Layer ${l + 1}, head ${k + 1} ${on ? "on" : "off"}. `);
        model.set("off", off);
        model.save_changes();
      } }))));
  const look = [
    choice({ label: "Attention of layer", options: off.map((_, l) => String(l + 1)), value: layer,
      onInput: (i) => { layer = i; show(); } }),
    choice({ label: "head", options: [...Array.from({ length: nHeads }, (_, k) => String(k + 1)), "mean"], value: head,
      onInput: (i) => { head = i; show(); } }),
  ];
  const reset = button("All heads on", () => {
    off = off.map(() => []);
    switches.forEach((group) => group.querySelectorAll("button").forEach((b) => b.setAttribute("aria-pressed", "true")));
    show();
    say("All heads on. ");
    model.set("off", off);
    model.save_changes();
  });

  const box = root(el, title || `Which “${target}”?`, title && h("p", { class: "u-title" }, title),
    h("div", { class: "u-bears-model" },
      h("div", { class: "u-reading" }, h("div", { class: "u-readers" }, panels.map((p) => p.el)),
        wordList(named)),
      h("div", { class: "u-model-side" }, map, legend,
        h("p", { class: "u-help" }, `Small marks: “${target}” in plain sentences, by sense. A and B: your sentences.`),
        h("div", { class: "u-controls" }, look.map((c) => c.el)),
        h("p", { class: "u-small-title" }, "Heads that are on"), switches, reset)),
    live.el);

  /** What the model says of a sentence that was read. */
  function ask({ tokens, at }) {
    const options = { nHeads, nLayers, norm: get("norm"), activation: get("activation"), eps: get("eps"), offByLayer: off };
    return expect(weights, tokens, at, options, hidden);
  }

  let answers = [];
  function show() {
    answers = read.map((one, i) => {
      if (one === null) {
        panels[i].clear();
        return null;
      }
      const { vector, chances, attention } = ask(one);
      const far = distances(vector, centroids);
      const order = chances.map((_, k) => k).filter((k) => k >= first).sort((a, b) => chances[b] - chances[a]);
      const heads = attention[layer];
      const row = one.spoken.map((_, t) => (head < nHeads ? heads[head][t]
        : heads.reduce((sum, w) => sum + w[t], 0) / nHeads));
      const silent = head < nHeads && off[layer].includes(head);
      const whose = `What “${target}” attends to: layer ${layer + 1}, ${head < nHeads ? `head ${head + 1}` : "mean of the heads"}`
        + (silent ? " (off: what it would attend to)" : "");
      const sense = panels[i].show(order.slice(0, GUESSES).map((k) => [named[k - first], chances[k]]), far,
        one.spoken.map((word, t) => [word, row[t]]), whose);
      return { vector, far, sense, chances, attention, place: project(vector, plane) };
    });
    over.replaceChildren(...answers.flatMap((answer, i) => {
      if (!answer) return [];
      // Whatever is switched off, the mark stays in the picture.
      const [x, y] = toPixels(answer.place.map((c) => Math.min(limit, Math.max(-limit, c))));
      const inside = (c) => Math.min(SIZE - 14, Math.max(14, c));
      return [mark(i ? 3 : 4, SIGNS[i], { transform: `translate(${inside(x)} ${inside(y)})` })];
    }));
    const told = answers.map((answer, i) => answer && `sentence ${SIGNS[i]} among ${answer.sense}`).filter(Boolean);
    map.setAttribute("aria-label", `Map of the senses: ${told.join(", ") || "no sentence"}`);
    box.dataset.answers = JSON.stringify(answers.map((a) => a && { vector: a.vector, distances: a.far, attention: a.attention, place: a.place }));
    page.tables(tables);
  }

  /** How far each sentence is from each sense, as in ../bears_model.py. */
  function tables() {
    const heads = off.flatMap((of, l) => of.map((k) => `layer ${l + 1} head ${k + 1}`));
    const without = heads.length ? ` Off: ${heads.join(", ")}.` : "";
    return [{ caption: `How far “${target}” is from the centroid of each sense. The nearest is what it means.${without}`,
      columns: senses, rows: answers.flatMap((answer, i) => (answer ? [[texts[i], answer.far]] : [])) }];
  }

  function say(before = "") {
    live.say(before + answers.map((answer, i) => answer && `${SIGNS[i]}: nearest to ${answer.sense}, `
      + senses.map((sense, k) => `${sense}: ${number(answer.far[k])}`).join("; ") + ".").filter(Boolean).join(" "));
  }

  function followSentences() {
    get("sentences").forEach((text, i) => {
      texts[i] = text;
      panels[i].field.set(text);
      parse(i);
    });
    show();
  }
  function followOff() {
    off = get("off").map((heads) => [...heads]);
    switches.forEach((group, l) => group.querySelectorAll("button").forEach((b, k) =>
      b.setAttribute("aria-pressed", String(!off[l].includes(k)))));
    show();
  }
  model.on("change:sentences", followSentences);
  model.on("change:off", followOff);
  texts.forEach((_, i) => parse(i));
  page.recalled.typed?.forEach((text, i) => panels[i].field.set(text));
  show();
  page.remembers(() => ({ look: [layer, head], typed: panels.map((one) => one.field.input.value) }));
  return () => {
    model.off("change:sentences", followSentences);
    model.off("change:off", followOff);
  };
}
