// What a model attends to: one head, the heads of a layer, or all of them. Numbers come as ../../looking/widget.py
// packs them; every choice is a trait, by which Python draws its SVG.

import { choice, h, liveRegion, number, root, shade, slider, uid } from "./dom.mjs";
import { unpackWeights } from "./look-data.mjs";
import { headView, saysWhere } from "./look-head.mjs";
import { painter } from "./look-paint.mjs";
import { visible } from "./map-view.mjs";
import { mapTable, pageOf } from "./page.mjs";

const VIEWS = ["head", "layer", "model"];
const NAMES = { head: "One head", layer: "One layer", model: "All layers" };
const CHOICES = ["shown", "view", "layer", "head", "drawing", "token", "least"];

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  /** @type {import("./look-data.mjs").Kind[]} */
  const kinds = model.get("attentions");
  const digits = model.get("digits");
  const steps = 10 ** digits;
  const full = model.get("full") * steps;
  const title = model.get("title");
  const weights = unpackWeights(model.get("data"), kinds, digits);
  const page = pageOf(model);
  /** What the reader chose. @type {Record<string, any>} */
  const at = Object.fromEntries(CHOICES.map((name) => [name, model.get(name)]));
  let column = page.recalled.column ?? -1;

  const kind = () => kinds[at.shown];
  const cells = (layer = at.layer, head = at.head) => weights[at.shown].cells(layer, head);
  const least = () => Math.ceil(at.least * steps - 1e-9);
  const nameOf = (layer, head) => [kind().layers[layer], kind().heads[head]].join(", ");

  const readout = liveRegion();
  const box = h("div", { class: "u-gaze" });
  const panelId = uid("panel");
  const panel = h("div", { id: panelId, class: "u-gaze-panel", role: "tabpanel" });

  /** Take choices over, tell Python, and draw. @param {Record<string, any>} changed */
  function set(changed, focus = false) {
    Object.assign(at, changed);
    for (const [name, value] of Object.entries(changed)) model.set(name, value);
    model.save_changes();
    draw();
    if (focus) /** @type {HTMLElement | null} */ (panel.querySelector("[role='radio'][tabindex='0']"))?.focus();
  }

  // Views, as tabs.
  const tabs = VIEWS.map((view) => h("button", { type: "button", role: "tab", id: `${panelId}-${view}`,
    "aria-controls": panelId, onclick: () => set({ view }) }, NAMES[view]));
  const bar = h("div", { class: "u-tabs", role: "tablist", "aria-label": "What is shown" }, tabs);
  bar.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by) return;
    event.preventDefault();
    const to = (VIEWS.indexOf(at.view) + by + VIEWS.length) % VIEWS.length;
    set({ view: VIEWS[to] });
    tabs[to].focus();
  });

  // Choices among names; a kind may have other layers and heads than the one before.
  const fields = h("div", { class: "u-controls" });
  const kindChoice = choice({ label: "Attention", options: kinds.map((one) => one.name), value: at.shown, onInput(shown) {
    const [l, k] = [kinds[shown].layers.length - 1, kinds[shown].heads.length - 1];
    column = -1;
    set({ shown, layer: Math.min(at.layer, l), head: Math.min(at.head, k), token: -1 });
  } });
  const leastSlider = slider({ label: "Smallest weight shown", min: 0, max: 1, step: 0.01, value: at.least,
    format: (x) => number(x), onInput: (x) => set({ least: x }) });
  const drawingChoice = choice({ label: "Drawn as", options: ["a map", "lines"], value: Number(at.drawing === "lines"),
    onInput: (k) => set({ drawing: ["map", "lines"][k] }) });

  /** Which fields stand there now, and those among them that choose a layer or a head. */
  let fieldsOf = "";
  /** @type {Record<string, ReturnType<typeof choice>>} */
  let picks = {};

  /** Put up the fields that fit, unless they stand there already: one that is moved would lose its focus. */
  function controls() {
    kindChoice.set(at.shown);
    if (fieldsOf !== `${at.shown} ${at.view}`) {
      fieldsOf = `${at.shown} ${at.view}`;
      const focused = /** @type {HTMLElement} */ (document.activeElement);
      const { layers, heads } = kind();
      picks = {};
      const pick = (label, trait, options) => {
        picks[trait] = choice({ label, options, onInput: (index) => set({ [trait]: index }) });
        return picks[trait].el;
      };
      fields.replaceChildren(...[
        kinds.length > 1 && kindChoice.el,
        at.view !== "model" && layers.length > 1 && pick("Layer", "layer", layers),
        at.view === "head" && heads.length > 1 && pick("Head", "head", heads),
        at.view === "head" && drawingChoice.el,
        leastSlider.el,
      ].filter(Boolean));
      if (fields.contains(focused)) focused.focus();
    }
    for (const [trait, one] of Object.entries(picks)) one.set(at[trait]);
  }

  const paint = (canvas, map, columns) => paints.paint(canvas, map, columns, { full, least: least() });

  /** One head. */
  function oneHead() {
    const { tokens, keys } = kind();
    const shown = { tokens: tokens.map(visible), keys: keys.map(visible), cells: cells(), steps, digits, full, least: least(),
      token: at.token, column, drawing: at.drawing };
    const keep = () => {
      Object.assign(at, { token: shown.token });
      column = shown.column;
      model.set("token", at.token);
      model.save_changes();
    };
    return [headView(shown, {
      paint: (canvas, { cells: map }) => paint(canvas, map, keys.length),
      onToken(i) {
        keep();
        readout.say(i < 0 ? `${nameOf(at.layer, at.head)}: all tokens.` : `${shown.tokens[i]} attends to: ${saysWhere(shown, i)}.`);
      },
      onCell(i, j) {
        keep();
        readout.say(`${shown.tokens[i]} attends to ${shown.keys[j]}: ${number(shown.cells[i * keys.length + j] / steps, digits)}.`);
      },
    })];
  }

  /** Small maps: arrows go from one to the next, and a press makes one large. @param {number[]} layers which ones */
  function overview(layers) {
    const { layers: layerNames, heads: headNames, keys } = kind();
    const one = layers.length === 1;
    const maps = layers.map((layer) => headNames.map((_, head) => {
      const chosen = layer === at.layer && head === at.head;
      const canvas = h("canvas", {});
      paint(canvas, cells(layer, head), keys.length);
      return h("button", { type: "button", class: "u-mini", tabindex: chosen ? 0 : -1, "aria-current": chosen ? "true" : null,
        "aria-label": nameOf(layer, head), title: nameOf(layer, head),
        onclick: () => set({ view: "head", layer, head, token: -1 }, true) }, canvas);
    }));
    const grid = h("div", { class: `u-overview${one ? " is-layer" : ""}`, role: "group", "aria-label": "Heads: choose one to see it large",
      style: one ? "" : `grid-template-columns: auto repeat(${headNames.length}, minmax(1.75rem, 6rem))` },
    !one && [h("span", {}), ...headNames.map((name) => h("span", { class: "u-mini-head", "aria-hidden": true }, name))],
    maps.flatMap((row, i) => (one
      ? row.map((button, j) => h("div", { class: "u-gaze-small" }, button, h("span", { "aria-hidden": true }, headNames[j])))
      : [h("span", { class: "u-mini-layer", "aria-hidden": true }, layerNames[layers[i]]), ...row])));
    grid.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (!by || event.altKey || event.metaKey || event.ctrlKey) return;
      event.preventDefault();
      // In one layer all heads stand in a row, however they wrap.
      const to = one ? [0, at.head + by[0] + by[1]] : [at.layer + by[0], at.head + by[1]];
      if (!maps[to[0]]?.[to[1]]) return;
      const before = maps[one ? 0 : at.layer][at.head];
      const layer = one ? at.layer : to[0];
      Object.assign(at, { layer, head: to[1] });
      ["layer", "head"].forEach((name) => model.set(name, at[name]));
      model.save_changes();
      const now = maps[to[0]][to[1]];
      for (const button of [before, now]) {
        if (button === now) button.setAttribute("aria-current", "true");
        else button.removeAttribute("aria-current");
        button.tabIndex = button === now ? 0 : -1;
      }
      now.focus();
      page.tables(tables);
    });
    return [h("div", { class: "u-overview-box" }, grid)];
  }

  /** The head that is chosen, as Python writes it. */
  function tables() {
    const { name, tokens, keys } = kind();
    const map = tokens.map((_, i) => weights[at.shown].row(at.layer, at.head, i));
    const about = [title && `${title}. `, `${name}, ${nameOf(at.layer, at.head)}`].filter(Boolean).join("");
    return [{ ...mapTable(about, { tokens, keys, map, full: model.get("full") }), full: undefined, digits }];
  }

  const legendBar = Array.from({ length: 11 }, (_, k) => {
    const block = h("span", {});
    shade(block, k / 10);
    return block;
  });

  function draw() {
    VIEWS.forEach((view, k) => {
      tabs[k].setAttribute("aria-selected", String(view === at.view));
      tabs[k].tabIndex = view === at.view ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", `${panelId}-${at.view}`);
    controls();
    paints.clear();
    const all = kind().layers.map((_, layer) => layer);
    panel.replaceChildren(...(at.view === "head" ? oneHead() : overview(at.view === "layer" ? [at.layer] : all)));
    page.tables(tables);
  }

  const many = kinds.some((one) => one.layers.length * one.heads.length > 1);
  root(el, title || "Attention", box);
  const paints = painter(box); // it reads the style of what stands in the page
  box.append(...[
    title && h("p", { class: "u-title" }, title),
    many && bar, fields, panel,
    h("div", { class: "u-legend" }, "weight 0", h("span", { class: "u-legend-bar", "aria-hidden": true }, legendBar),
      String(model.get("full"))),
    readout.el,
    h("p", { class: "u-muted u-gaze-notes" }, model.get("notes").join(" ")),
  ].filter(Boolean));
  if (!many) panel.removeAttribute("role");
  draw();
  if (!many) panel.removeAttribute("aria-labelledby");

  // Python may choose too.
  const follow = () => {
    const now = Object.fromEntries(CHOICES.map((name) => [name, model.get(name)]));
    if (CHOICES.every((name) => now[name] === at[name])) return;
    Object.assign(at, now);
    leastSlider.set(at.least);
    drawingChoice.set(Number(at.drawing === "lines"));
    draw();
  };
  CHOICES.forEach((name) => model.on(`change:${name}`, follow));
  page.remembers(() => ({ column }));
  return () => {
    CHOICES.forEach((name) => model.off(`change:${name}`, follow));
    paints.stop();
  };
}
