// The attention map: a grid of tokens x tokens, of one head at a time.

import { choice, h, isPressed, liveRegion, root } from "./dom.mjs";
import { fullScale, inWords, mapView, numbersToggle, visible } from "./map-view.mjs";
import { mapTable, pageOf } from "./page.mjs";

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const weights = model.get("weights");
  const tokens = model.get("tokens").map(visible);
  const keys = model.get("key_tokens").map(visible);
  const title = model.get("title");
  const at = { layer: model.get("layer"), head: model.get("head") };
  const [layers, heads] = [model.get("layer_names"), model.get("head_names")];
  const page = pageOf(model);
  const full = fullScale(weights);

  const readout = liveRegion();
  readout.el.classList.add("u-hidden"); // the bars show the same to the eye
  const view = mapView({
    tokens, keys, title, full,
    onChoose: (i, _, row) => readout.say(`${tokens[i]} attends to: ${inWords(row, keys)}.`),
  });
  const which = () => [layers, heads].flatMap((names, k) => (names.length > 1 ? [names[k ? at.head : at.layer]] : []));
  const fill = () => {
    const map = weights[at.layer][at.head];
    view.fill(map);
    page.tables(() => [mapTable([title || "Attention weights", ...which()].join(", "),
      { tokens: model.get("tokens"), keys: model.get("key_tokens"), map, full })]);
  };

  const pick = (label, trait, names) => names.length > 1 && choice({
    label, options: names, value: at[trait],
    onInput(index) {
      at[trait] = index;
      model.set(trait, index);
      model.save_changes();
    },
  });
  const picks = [pick("Layer", "layer", layers), pick("Head", "head", heads)];
  const numbers = numbersToggle([view], page.recalled.numbers);
  // Python may choose too: the controls follow the traits.
  const follow = () => {
    Object.assign(at, { layer: model.get("layer"), head: model.get("head") });
    ["layer", "head"].forEach((trait, k) => picks[k] && picks[k].set(at[trait]));
    fill();
  };
  const heard = ["change:layer", "change:head"];
  heard.forEach((name) => model.on(name, follow));

  root(el, title || "Attention map",
    title && h("p", { class: "u-title" }, title),
    h("div", { class: "u-controls" }, picks.map((p) => p && p.el), numbers),
    view.el, readout.el);
  fill();
  view.recall(page.recalled.view);
  page.remembers(() => ({ view: view.at, numbers: isPressed(numbers) }));
  return () => heard.forEach((name) => model.off(name, follow));
}
