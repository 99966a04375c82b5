// explore() without a kernel: a control for each argument, and the outcome Python computed at that point.

import { choice, h, liveRegion, root, slider } from "./dom.mjs";

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const controls = model.get("controls");
  const texts = model.get("texts");
  // The outcomes are the author's own HTML, already in the page: templates are cloned, nothing is parsed.
  const place = el.closest(".unrolled-widget");
  const outcomes = [...(place?.querySelectorAll(":scope > .unrolled-fallback > template") ?? [])];
  if (outcomes.length !== texts.length) {
    throw new Error(`expected ${texts.length} outcomes in the page, got ${outcomes.length}`);
  }
  const at = controls.map((control) => control.start);
  const outcome = h("div", { class: "u-outcome" });
  const readout = liveRegion();
  readout.el.classList.add("u-hidden");

  function show() {
    const point = controls.reduce((sum, control, k) => sum * control.labels.length + at[k], 0);
    outcome.replaceChildren(document.importNode(outcomes[point].content, true));
    const where = controls.map((control, k) => `${control.name} = ${control.labels[at[k]]}`).join(", ");
    readout.say(texts[point] === null ? `Shown: ${where}.` : `${where}: ${texts[point]}`);
    // An outcome may hold widgets of its own; the host mounts them.
    document.dispatchEvent(new Event("unrolled:added"));
  }

  const fields = controls.map((control, k) => {
    const onInput = (index) => {
      at[k] = index;
      show();
    };
    const { labels, start } = control;
    const label = `${control.name} =`;
    if (!control.ordered) return choice({ label, options: labels, value: start, onInput }).el;
    const format = (index) => labels[index];
    return slider({ label, min: 0, max: labels.length - 1, step: 1, value: start, format, onInput }).el;
  });
  root(el, model.get("title"), h("div", { class: "u-controls" }, fields), outcome, readout.el);
  show();
}
