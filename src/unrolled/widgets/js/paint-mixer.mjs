// The paint mixer: scores compete, softmax makes amounts of them, and the amounts mix real colours.

import { keyOf, linear, mix, nearestName } from "./colour.mjs";
import { dot, softmax } from "./core.mjs";
import { button, h, liveRegion, number, root, slider, svg, uid } from "./dom.mjs";
import { pageOf, startOf } from "./page.mjs";

const TOP = 5; // scores from -5 to 5, sharpness from 0 to 5

const vector = (v) => `(${v.map((c) => number(c, 1)).join(", ")})`;
const swatch = (colour) => h("span", { class: "u-swatch", style: `background: ${colour}`, "aria-hidden": "true" });

/** A can that shows its paint through the wall. */
function can() {
  const paint = svg("path", { d: "M12 52 Q60 62 108 52 L108 118 Q60 132 12 118 Z" });
  const top = svg("ellipse", { cx: 60, cy: 52, rx: 48, ry: 9 });
  const el = svg("svg", { viewBox: "0 0 120 134", class: "u-can", "aria-hidden": "true" },
    svg("path", { d: "M12 24 C12 -6 108 -6 108 24", class: "u-can-line" }), paint, top,
    svg("ellipse", { cx: 60, cy: 24, rx: 48, ry: 9, class: "u-can-line" }),
    svg("path", { d: "M12 24 L12 118 Q60 132 108 118 L108 24", class: "u-can-line" }));
  return { el, fill: (colour) => [paint, top].forEach((part) => part.style.setProperty("fill", colour)) };
}

/** Two tabs; arrow keys go from one to the other. @param {{ label: string, panel: Node }[]} pages */
function tabs(pages, first, onPick) {
  const id = uid("tab");
  const heads = pages.map(({ label }, i) => h("button", { type: "button", role: "tab", id: `${id}-${i}`,
    "aria-controls": `${id}-panel-${i}`, onclick: () => pick(i) }, label));
  const panels = pages.map(({ panel }, i) => h("div", { role: "tabpanel", id: `${id}-panel-${i}`,
    "aria-labelledby": `${id}-${i}` }, panel));
  const list = h("div", { class: "u-tabs", role: "tablist", "aria-label": "Who sets the scores" }, heads);
  list.addEventListener("keydown", (event) => {
    const now = heads.indexOf(/** @type {any} */ (event.target));
    const next = { ArrowRight: now + 1, ArrowLeft: now - 1, Home: 0, End: heads.length - 1 }[event.key];
    if (next === undefined) return;
    event.preventDefault();
    const i = (next + heads.length) % heads.length;
    pick(i);
    heads[i].focus();
  });
  function pick(chosen, quiet = false) {
    heads.forEach((head, i) => {
      head.setAttribute("aria-selected", String(i === chosen));
      head.setAttribute("tabindex", i === chosen ? "0" : "-1");
      panels[i].hidden = i !== chosen;
    });
    if (!quiet) onPick(chosen);
  }
  pick(first, true);
  return { el: h("div", {}, list, panels), pick };
}

/** A table whose cells are set row by row. @param {string} caption @param {string[]} columns */
function table(caption, columns) {
  const body = h("tbody");
  const el = h("div", { class: "u-roles", tabindex: 0, role: "region", "aria-label": caption },
    h("table", {}, h("caption", {}, caption),
      h("thead", {}, h("tr", {}, columns.map((column) => h("th", { scope: "col" }, column)))), body));
  return { el, rows: (/** @type {any[][]} */ rows) => body.replaceChildren(...rows.map(([first, ...rest]) =>
    h("tr", {}, h("th", { scope: "row" }, first), rest.map((cell) => h("td", {}, cell))))) };
}

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const [names, colours, wishes] = [model.get("names"), model.get("colours"), model.get("wishes")];
  const [title, plainNames] = [model.get("title"), model.get("plain_names")];
  const start = { scores: startOf(model, "scores"), sharpness: startOf(model, "sharpness") };
  const page = pageOf(model);
  let [scores, sharpness, asking] = [model.get("scores"), model.get("sharpness"), page.recalled.asking ?? false];
  let wish = page.recalled.wish ?? Object.keys(wishes)[0];

  const live = liveRegion();
  const tin = can();
  const caption = h("p", { "aria-hidden": "true" });
  const bar = h("div", { class: "u-stack", "aria-hidden": "true" },
    colours.map((colour) => h("span", { style: `background: ${colour}` })));
  const amounts = names.map(() => h("output"));
  const sliders = names.map((name, j) => slider({ label: `Score of ${name}`, min: -TOP, max: TOP, step: 0.1,
    value: scores[j], format: (x) => number(x, 1), onInput: (x) => {
      scores = scores.map((s, i) => (i === j ? x : s));
      keep();
    } }));
  const reset = button("Reset", () => {
    [scores, sharpness, wish] = [start.scores, start.sharpness, Object.keys(wishes)[0]];
    keep();
  });
  const set = h("div", { class: "u-paints" },
    names.map((_, j) => h("div", { class: "u-paint" }, swatch(colours[j]), sliders[j].el,
      h("div", { class: "u-amount" }, h("span", {}, "Amount"), amounts[j]))));

  const group = uid("wish");
  const radios = Object.entries(wishes).map(([name, colour]) => {
    const input = h("input", { type: "radio", name: group, value: name, onchange: () => {
      wish = name;
      show();
    } });
    return { name, input, el: h("label", { class: "u-wish" }, input, swatch(colour), h("span", {}, name)) };
  });
  const sharp = slider({ label: "Sharpness: multiply every score by", min: 0, max: TOP, step: 0.1, value: sharpness,
    format: (x) => number(x, 1), onInput: (x) => {
      sharpness = x;
      keep();
    } });
  const query = h("p", { class: "u-query" });
  const roles = table("Each paint: its key and value, its score and its amount",
    ["paint, key k, value v", "score", "amount"]);
  const ask = h("div", { class: "u-ask" },
    h("fieldset", { class: "u-brochure" }, h("legend", {}, "Pick a colour from the brochure: the query"),
      radios.map((radio) => radio.el)),
    h("p", {}, "Each paint is judged on its own, so you will rarely get exactly what you asked for."),
    sharp.el, query, roles.el,
    h("p", { class: "u-help" }, "Query and keys are red, green and blue from \u22121 (none) to 1 (full); a score is "
      + "sharpness times their dot product. A value is light, from 0 to 1."));

  const pages = tabs([{ label: "Set the amounts", panel: set }, { label: "Ask for a colour", panel: ask }], asking ? 1 : 0, (i) => {
    asking = i === 1;
    show();
  });
  const box = root(el, title || "Paint mixer", title && h("p", { class: "u-title" }, title),
    h("div", { class: "u-mixer" }, h("div", { class: "u-mixer-top" },
      h("div", { class: "u-mixer-controls" }, pages.el, h("div", { class: "u-buttons" }, reset)),
      h("div", { class: "u-result" }, tin.el, caption, bar)),
    live.el,
    h("p", { class: "u-help" }, "The can holds the average of the paints' light, weighted by the amounts (linear sRGB): "
      + "the sum attention takes. Real pigments swallow light and would come out darker.")));

  function keep() {
    show();
    model.set("scores", scores);
    model.set("sharpness", sharpness);
    model.save_changes();
  }

  function show() {
    const q = keyOf(wishes[wish]);
    const current = asking ? colours.map((colour) => sharpness * dot(q, keyOf(colour))) : scores;
    const shares = softmax(current);
    const mixed = mix(shares, colours);
    const close = nearestName(mixed, plainNames);
    sliders.forEach((one, j) => one.set(scores[j]));
    sharp.set(sharpness);
    radios.forEach((radio) => {
      radio.input.checked = radio.name === wish;
    });
    amounts.forEach((amount, j) => {
      amount.textContent = number(shares[j]);
    });
    bar.querySelectorAll("span").forEach((part, j) => part.style.setProperty("flex-grow", String(shares[j])));
    tin.fill(mixed);
    caption.textContent = `${mixed}, ${close}`;
    query.replaceChildren(swatch(wishes[wish]), `query q = ${vector(q)}, ${wish}`);
    // The vectors stand under the name: a column of their own would be too wide for a phone.
    roles.rows(names.map((name, j) => [h("div", { class: "u-named" }, swatch(colours[j]), h("div", {},
      h("div", { class: "u-paint-name" }, name),
      h("div", {}, `k ${vector(keyOf(colours[j]))}`), h("div", {}, `v ${vector(linear(colours[j]))}`))),
    number(current[j]), number(shares[j])]));
    live.say(`${asking ? `Asked for ${wish}; amounts` : "Amounts"}: `
      + `${names.map((name, j) => `${name} ${number(shares[j])}`).join(", ")}; mixed colour ${mixed}, close to ${close}.`);
    Object.assign(box.dataset, { weights: JSON.stringify(shares), scores: JSON.stringify(current), mixed });
    // As in ../paint_mixer.py.
    page.tables(() => [{ caption: `Paint in the can${asking ? `, asked for ${wish} with sharpness ${number(sharpness, 1)}` : ""}. `
      + `Mixed: ${mixed}, close to ${close}.`, columns: ["score", "amount"],
    rows: names.map((name, j) => [`${name} ${colours[j]}`, [current[j], shares[j]]]) }]);
  }

  function followScores() {
    scores = model.get("scores");
    show();
  }

  function followSharpness() {
    sharpness = model.get("sharpness");
    show();
  }
  model.on("change:scores", followScores);
  model.on("change:sharpness", followSharpness);
  show();
  page.remembers(() => ({ asking, wish }));
  return () => {
    model.off("change:scores", followScores);
    model.off("change:sharpness", followSharpness);
  };
}
