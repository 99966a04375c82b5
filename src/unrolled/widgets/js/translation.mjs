// A translation, and the three attentions of an encoder and a decoder that made it.

import { choice, h, liveRegion, root, toggle } from "./dom.mjs";
import { fullScale, inWords, mapView, visible } from "./map-view.mjs";
import { pageOf } from "./page.mjs";

const KINDS = ["cross", "encoder", "decoder"];
const NAMES = [
  "across: the translation looks at the source",
  "encoder: the source looks at itself",
  "decoder: the translation looks back at itself",
];

/** The mean of the maps of all heads. @param {number[][][]} heads [H, T, S] @returns {number[][]} [T, S] */
export const meanMap = (heads) => heads[0].map((row, i) => row.map((_, j) =>
  heads.reduce((sum, map) => sum + map[i][j], 0) / heads.length));

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const [examples, title] = ["examples", "title"].map((name) => model.get(name));
  const page = pageOf(model);
  const [heads, layers] = [examples[0].cross[0].length, examples[0].cross.length];
  // Of the last layer, the mean of all heads.
  const at = { example: 0, kind: 0, layer: layers - 1, head: heads, numbered: false, ...page.recalled.at };
  const live = liveRegion();
  live.el.classList.add("u-hidden");
  const pair = h("dl", { class: "u-pair" });
  const place = h("div", {});
  const rows = h("p", { class: "u-help" }, "A row carries the token that the decoder was given. What it writes then is the next row's.");
  const counts = () => examples[at.example][KINDS[at.kind]];

  const pick = (label, trait, options) => choice({ label, options, value: at[trait], onInput: (i) => {
    at[trait] = i;
    show();
  } });
  const controls = [
    pick("Sentence", "example", examples.map(({ source }) => source.map(visible).join(" "))),
    pick("Attention", "kind", NAMES),
    pick("Layer", "layer", Array.from({ length: layers }, (_, l) => String(l + 1))),
    pick("Head", "head", [...Array.from({ length: heads }, (_, k) => String(k + 1)), "mean of all"]),
  ];
  /** @type {ReturnType<typeof mapView> | null} */
  let view = null;
  const numbers = toggle({ label: "Numbers", pressed: at.numbered, onToggle: (on) => {
    at.numbered = on;
    view?.table.classList.toggle("has-numbers", on);
  } });
  const box = root(el, title || "A translation and its attention", title && h("p", { class: "u-title" }, title),
    h("div", { class: "u-controls" }, controls.map((c) => c.el), numbers), pair, place, rows, live.el);

  function show() {
    const { source, target, written, reference } = examples[at.example];
    const maps = counts();
    const queries = (KINDS[at.kind] === "encoder" ? source : target).map(visible);
    const keys = (KINDS[at.kind] === "decoder" ? target : source).map(visible);
    pair.replaceChildren(...[["source", source.map(visible).join(" ")], ["translation", written], ["a person wrote", reference]]
      .filter(([, text]) => text).flatMap(([name, text]) => [h("dt", {}, name), h("dd", {}, text)]));
    view = mapView({ tokens: queries, keys, title: `${title || "Attention"}, ${NAMES[at.kind]}`, full: fullScale(maps),
      onChoose: (i, _, row) => live.say(`${queries[i]} attends to: ${inWords(row, keys)}.`) });
    view.table.classList.toggle("has-numbers", at.numbered);
    place.replaceChildren(view.el);
    rows.hidden = KINDS[at.kind] === "encoder";
    const map = at.head < heads ? maps[at.layer][at.head] : meanMap(maps[at.layer]);
    view.fill(map);
    box.dataset.map = JSON.stringify(map);
    page.tables(() => [table(map)]);
  }

  /** The map that is shown, as in ../translation.py. @param {number[][]} map */
  function table(map) {
    const { source, target, written } = examples[at.example];
    const [whose, what] = {
      cross: [written || target.join(" "), "what each of its tokens attends to in the source"],
      encoder: [source.join(" "), "what each of its tokens attends to in the source itself"],
      decoder: [written || target.join(" "), "what each of its tokens attends to in the translation"],
    }[KINDS[at.kind]];
    const head = at.head < heads ? `head ${at.head + 1}` : "mean of all heads";
    return { caption: `“${whose}”: ${what}. Layer ${at.layer + 1}, ${head}.`,
      columns: KINDS[at.kind] === "decoder" ? target : source,
      rows: map.map((row, i) => [(KINDS[at.kind] === "encoder" ? source : target)[i], row]), full: fullScale([[map]]) };
  }
  show();
  view.recall(page.recalled.view);
  page.remembers(() => ({ at, view: view.at }));
  return () => {};
}
