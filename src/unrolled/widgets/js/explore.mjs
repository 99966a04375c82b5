// explore() without a kernel: a control for each argument, and the outcome Python computed at that point.

import { choice, h, liveRegion, root, slider } from "./dom.mjs";
import { pageOf } from "./page.mjs";

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const controls = model.get("controls");
  const texts = model.get("texts");
  const page = pageOf(model);
  // The outcomes are the author's own HTML, already in the page: templates are cloned, nothing is parsed.
  const outcomes = [...(page.beneath?.querySelectorAll(":scope > template") ?? [])];
  // A table of all outcomes has a row for each, in the same order.
  const rows = [...(page.beneath?.querySelectorAll(":scope > table > tbody > tr") ?? [])];
  if (outcomes.length !== texts.length) {
    throw new Error(`expected ${texts.length} outcomes in the page, got ${outcomes.length}`);
  }
  const at = page.recalled.at ?? controls.map((control) => control.start);
  const outcome = h("div", { class: "u-outcome" });
  const readout = liveRegion();
  readout.el.classList.add("u-hidden");
  const onPaper = h("p", { class: "u-on-paper" }); // where a sheet of paper has no controls

  function show() {
    const point = controls.reduce((sum, control, k) => sum * control.labels.length + at[k], 0);
    outcome.replaceChildren(document.importNode(/** @type {HTMLTemplateElement} */ (outcomes[point]).content, true));
    const where = controls.map((control, k) => `${control.name} = ${control.labels[at[k]]}`).join(", ");
    onPaper.textContent = where;
    rows.forEach((row, k) => (k === point ? row.setAttribute("aria-current", "true") : row.removeAttribute("aria-current")));
    readout.say(texts[point] === null ? `Shown: ${where}.` : `${where}: ${texts[point]}`);
    // An outcome may hold widgets of its own; the host mounts them.
    el.dispatchEvent(new Event("unrolled:added", { bubbles: true }));
  }

  const fields = controls.map((control, k) => {
    const onInput = (index) => {
      at[k] = index;
      show();
    };
    const { labels } = control;
    const label = `${control.name} =`;
    if (!control.ordered) return choice({ label, options: labels, value: at[k], onInput }).el;
    const format = (index) => labels[index];
    return slider({ label, min: 0, max: labels.length - 1, step: 1, value: at[k], format, onInput }).el;
  });
  root(el, model.get("title"), h("div", { class: "u-controls" }, fields), onPaper, outcome, readout.el);
  show();
  page.remembers(() => ({ at }));
}
