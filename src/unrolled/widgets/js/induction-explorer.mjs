// The induction explorer: type letters, see two layers of heads find what followed last time, and cut a head.

import { softmax } from "./core.mjs";
import { choice, h, liveRegion, number, root, slider, svg, textField } from "./dom.mjs";
import { attentionOnly, followed, largest, looksMost } from "./induction.mjs";
import { pageOf } from "./page.mjs";
import { plainText, quoted } from "./typed.mjs";
import { unpack } from "./unpack.mjs";

const GUESSES = 5;
const STEP = 25; // pixels a letter: a dozen on a phone
const [TOP, MIDDLE, BOTTOM, HIGH] = [22, 112, 202, 222];
const LEAST = 0.03; // a thinner line is not drawn
const CUTS = ["on", "zero", "mean"];
const CUT_NAMES = ["on", "says zero", "says its mean"];

/**
 * From what a reader types to letters the model knows, or to a message.
 * @param {string} typed @param {string[]} letters @param {number} most
 * @returns {{ ids: number[], error: string }}
 */
export function readLetters(typed, letters, most) {
  const came = [...plainText(typed).replace(/\s/gu, "")];
  const ids = came.map((letter) => [letter, letter.toLowerCase()].map((one) => letters.indexOf(one)).find((i) => i >= 0) ?? -1);
  const unknown = [...new Set(came.filter((_, t) => ids[t] < 0))];
  const all = `${letters[0]} to ${letters[letters.length - 1]}`;
  const refuse = (error) => ({ ids: [], error });
  if (unknown.length) {
    const more = unknown.length > 5 ? ` and ${unknown.length - 5} more` : "";
    return refuse(`Expected letters from ${all}, got ${unknown.slice(0, 5).map((one) => quoted(one)).join(", ")}${more}.`);
  }
  if (ids.length < 2) return refuse(`Expected two letters or more, from ${all}, got ${ids.length || "none"}.`);
  if (ids.length > most) return refuse(`Expected at most ${most} letters, got ${ids.length}.`);
  return { ids, error: "" };
}

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const get = (/** @type {string} */ name) => model.get(name);
  const [letters, title, nHeads] = ["letters", "title", "n_heads"].map(get);
  const weights = unpack(get("packed"));
  const most = weights.positions.length;
  const page = pageOf(model);
  const live = liveRegion();
  let cuts = get("cuts").map((own) => [...own]);
  let ids = readLetters(get("text"), letters, most).ids;
  let place = Math.min(page.recalled.place ?? ids.length - 1, ids.length - 1);
  const named = (l, k) => `${l + 1}.${k + 1}`;
  const at = (t) => `place ${t + 1}, “${letters[ids[t]]}”`;
  /** @type {{ layers: { weights: number[][][] }[], chances: number[], there: number } | null} */
  let seen = null;

  const field = textField({ label: "Letters", value: page.recalled.typed ?? get("text"), onInput: () => field.error(null),
    help: `Two to ${most} letters from ${letters[0]} to ${letters[letters.length - 1]}. Let one come a second time.` });
  const form = h("form", { class: "u-own", novalidate: true }, field.el, h("button", { type: "submit" }, "Read"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    read(field.input.value);
  });
  const where = slider({ label: "Asked at place", min: 1, max: ids.length, step: 1, value: place + 1,
    format: (t) => `${t}, “${letters[ids[Math.min(t, ids.length) - 1]]}”`, onInput: (t) => ask(t - 1) });
  const switches = cuts.map((own, l) => own.map((cut, k) => choice({ label: `Head ${named(l, k)}`, options: CUT_NAMES,
    value: CUTS.indexOf(cut), onInput: (i) => {
      cuts = cuts.map((row, m) => row.map((was, n) => (m === l && n === k ? CUTS[i] : was)));
      keep();
      show();
      say(`Head ${named(l, k)} ${i ? CUT_NAMES[i] : "is on"}. `);
    } })));
  const allOn = h("button", { type: "button", onclick: () => {
    cuts = cuts.map((own) => own.map(() => "on"));
    switches.flat().forEach((one) => one.set(0));
    keep();
    show();
    say("All heads are on. ");
  } }, "All heads on");

  const picture = svg("svg", { class: "u-paths", role: "img", height: HIGH });
  const scroll = h("div", { class: "u-scroll", tabindex: 0, role: "group", "aria-label": "The paths of the heads" }, picture);
  const sample = (/** @type {boolean} */ second) => svg("svg", { width: 36, height: 10, "aria-hidden": "true" },
    svg("line", { class: `u-path-line${second ? " is-second" : ""}`, x1: 1, y1: 5, x2: 35, y2: 5, "stroke-width": 4 }));
  const legend = h("p", { class: "u-path-legend" },
    ...Array.from({ length: nHeads }, (_, k) => h("span", {}, sample(k % 2 === 1), `head ${k + 1} of each layer`)),
    h("span", {}, "thicker: more weight; dotted: cut"));
  const rows = h("p", { class: "u-help" }, "From the top: the guess; where layer 2 looks from the place that is asked; where layer 1 "
    + "had looked from the letter that layer 2 looks at most.");
  const before = h("p", {});
  const guesses = h("ul", { class: "u-shares u-guesses" });
  const told = h("div", {}, scroll, legend, rows,
    h("div", { class: "u-induction-told" },
      h("div", {}, h("p", { class: "u-small-title" }, "The model’s guess of what comes next"), guesses),
      h("div", {}, h("p", { class: "u-small-title" }, "What followed last time"), before)));
  const box = root(el, title || "The induction explorer", title && h("p", { class: "u-title" }, title),
    h("div", { class: "u-induction" }, form, where.el,
      h("div", { class: "u-controls" }, switches.flat().map((one) => one.el), allOn), told), live.el);

  function keep() {
    model.set("cuts", cuts);
    model.save_changes();
  }
  function read(/** @type {string} */ typed) {
    const { ids: given, error } = readLetters(typed, letters, most);
    field.error(error || null);
    // Refused: nothing of an earlier sequence is left, which would look like the answer.
    told.hidden = Boolean(error);
    if (error) return;
    ids = given;
    place = ids.length - 1;
    follow();
    say("");
    model.set("text", ids.map((i) => letters[i]).join(""));
    model.save_changes();
  }
  function ask(/** @type {number} */ t) {
    place = t;
    where.set(t + 1);
    show();
    say("");
  }
  function follow() {
    where.input.max = String(ids.length);
    where.set(place + 1);
    show();
  }

  /** One line from a place of a row down to a place of the row beneath. */
  function line(from, to, [y1, y2], share, head, cut) {
    const width = 1 + 5 * share, aside = (head - (nHeads - 1) / 2) * 5;
    return svg("line", { class: `u-path-line${head % 2 ? " is-second" : ""}${cut ? " is-cut" : ""}`, "stroke-width": width.toFixed(2),
      x1: x(from) + aside, y1: y1 + 9, x2: x(to) + aside, y2: y2 - 15 });
  }
  const x = (t) => STEP * (t + 0.5);

  function draw() {
    const { layers, chances, there } = /** @type {NonNullable<typeof seen>} */ (seen);
    const rays = (l, from, rows) => layers[l].weights.flatMap((w, k) => w[from].flatMap((share, j) =>
      (share < LEAST ? [] : [line(from, j, rows, share, k, cuts[l][k] !== "on")])));
    const letter = (t, y, text, emphatic) => svg("text", { x: x(t), y, class: emphatic ? "u-here" : "" }, text);
    const ring = (t, y) => svg("circle", { class: "u-ring", cx: x(t), cy: y - 5, r: 12 });
    picture.setAttribute("width", String(STEP * ids.length));
    picture.setAttribute("viewBox", `0 0 ${STEP * ids.length} ${HIGH}`);
    picture.setAttribute("aria-label", summary());
    picture.replaceChildren(
      ...[place, there].map((t) => svg("line", { class: "u-stream", x1: x(t), x2: x(t), y1: MIDDLE + 9, y2: BOTTOM - 15 })),
      ...rays(1, place, [TOP, MIDDLE]), ...rays(0, there, [MIDDLE, BOTTOM]),
      letter(place, TOP, letters[largest(chances)], true),
      ...ids.flatMap((id, t) => [letter(t, MIDDLE, letters[id], t === place || t === there), letter(t, BOTTOM, letters[id], t === place)]),
      ring(place, TOP), ring(place, MIDDLE), there === place ? null : ring(there, MIDDLE), ring(place, BOTTOM),
      // A finger or a mouse may ask at a letter; the slider does the same for the keyboard.
      ...ids.map((_, t) => svg("rect", { class: "u-place", x: x(t) - STEP / 2, y: 0, width: STEP, height: HIGH, onclick: () => ask(t) })));
    scroll.scrollLeft = x(place) - scroll.clientWidth / 2;
  }

  function show() {
    told.hidden = false;
    const { layers, logits } = attentionOnly(ids, weights, { nHeads, cuts });
    const chances = softmax(logits[place]);
    const there = looksMost(layers[1].weights, place);
    seen = { layers, chances, there };
    draw();
    guesses.replaceChildren(...best().map((i) => h("li", {}, h("span", { class: "u-share-word" }, letters[i]),
      h("span", { class: "u-share-bar", style: `--w: ${(100 * chances[i]).toFixed(2)}%` }),
      h("span", { class: "u-share-number" }, number(chances[i])))));
    const earlier = followed(ids, place);
    before.textContent = earlier.length
      ? `“${letters[ids[place]]}” stood here before; after it came ${earlier.map((t) => `“${letters[ids[t]]}” (place ${t + 1})`).join(", ")}.`
      : `“${letters[ids[place]]}” has not stood here before: there is nothing to look up.`;
    Object.assign(box.dataset, { chances: JSON.stringify(chances), logits: JSON.stringify(logits),
      weights: JSON.stringify(layers.map((one) => one.weights)) });
    page.tables(tables);
  }
  const best = () => {
    const { chances } = /** @type {NonNullable<typeof seen>} */ (seen);
    return chances.map((_, i) => i).sort((a, b) => chances[b] - chances[a]).slice(0, GUESSES);
  };

  /** Where the heads look, and the guess, as in ../induction_explorer.py. */
  function tables() {
    const { layers, chances, there } = /** @type {NonNullable<typeof seen>} */ (seen);
    const cut = cuts.flatMap((own, l) => own.flatMap((what, k) => (what === "on" ? [] : [`head ${named(l, k)} ${CUT_NAMES[CUTS.indexOf(what)]}`])));
    const without = cut.length ? ` Cut: ${cut.join(", ")}.` : "";
    const rows = [[1, place], [0, there]].flatMap(([l, from]) => layers[l].weights.map((w, k) => [`head ${named(l, k)}, from place ${from + 1}`, w[from]]));
    return [
      { caption: `Where the heads look, asked at ${at(place)}. Layer 1 is shown from where layer 2 looks most.${without}`,
        columns: ids.map((id, t) => `${t + 1} ${letters[id]}`), rows, full: 1 },
      { caption: `The likeliest letters after ${at(place)}, and their probability.${without}`, columns: ["probability"],
        rows: best().map((i) => [letters[i], [chances[i]]]) },
    ];
  }

  /** What is seen, in words. */
  function summary() {
    const { layers, chances, there } = /** @type {NonNullable<typeof seen>} */ (seen);
    const looks = (l, from) => layers[l].weights.map((w, k) => {
      const to = largest(w[from]);
      return `head ${named(l, k)} looks most at ${at(to)} (${number(w[from][to])})`;
    }).join(", ");
    const guess = largest(chances);
    return `Asked at ${at(place)}: ${looks(1, place)}. From ${at(there)}: ${looks(0, there)}. `
      + `Guess: ${letters[guess]} (${number(chances[guess])}).`;
  }
  const say = (/** @type {string} */ news) => live.say(news + summary());

  function followText() {
    if (get("text") === ids.map((i) => letters[i]).join("")) return;
    field.set(get("text"));
    read(get("text"));
  }
  function followCuts() {
    cuts = get("cuts").map((own) => [...own]);
    switches.forEach((group, l) => group.forEach((one, k) => one.set(CUTS.indexOf(cuts[l][k]))));
    show();
  }
  model.on("change:text", followText);
  model.on("change:cuts", followCuts);
  show();
  say("");
  if (page.recalled.error) read(field.input.value);
  page.remembers(() => ({ place, typed: field.input.value, error: field.wrong.textContent }));
  return () => {
    model.off("change:text", followText);
    model.off("change:cuts", followCuts);
  };
}
