// The attention map: a grid of tokens x tokens, of one head at a time.

import { choice, h, liveRegion, root, toggle } from "./dom.mjs";
import { fullScale, inWords, mapView, visible } from "./map-view.mjs";

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const weights = model.get("weights");
  const tokens = model.get("tokens").map(visible);
  const keys = model.get("key_tokens").map(visible);
  const title = model.get("title");
  const at = { layer: model.get("layer"), head: model.get("head") };

  const readout = liveRegion();
  readout.el.classList.add("u-hidden"); // the bars show the same to the eye
  const view = mapView({
    tokens, keys, title, full: fullScale(weights),
    onChoose: (i, _, row) => readout.say(`${tokens[i]} attends to: ${inWords(row, keys)}.`),
  });
  const fill = () => view.fill(weights[at.layer][at.head]);

  const pick = (label, trait, names) => names.length > 1 && choice({
    label, options: names, value: at[trait],
    onInput(index) {
      at[trait] = index;
      model.set(trait, index);
      model.save_changes();
    },
  });
  const picks = [pick("Layer", "layer", model.get("layer_names")), pick("Head", "head", model.get("head_names"))];
  const numbers = toggle({ label: "Numbers", onToggle: (on) => view.table.classList.toggle("has-numbers", on) });
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
  return () => heard.forEach((name) => model.off(name, follow));
}
