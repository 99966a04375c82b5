// The token cutter: type anything, and see it cut into pieces, merge by merge.

import { button, h, liveRegion, number, root, slider, uid } from "./dom.mjs";
import { pageOf, startOf } from "./page.mjs";
import { cutter, visible } from "./tokens.mjs";

const LONGEST = 600;

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const [merges, byteIds, first, title] = ["merges", "byte_ids", "first", "title"].map((name) => model.get(name));
  const by = cutter({ merges, byteIds, first });
  const page = pageOf(model);
  let [text, rules] = [model.get("text"), model.get("rules")];
  let used = by.used(text);

  const live = liveRegion();
  const id = uid("text");
  const field = h("textarea", { id, rows: 2, spellcheck: "false", "aria-describedby": `${id}-help ${id}-error` });
  field.value = page.recalled.typed ?? text;
  const wrong = h("p", { id: `${id}-error`, class: "u-error", role: "status", "aria-live": "polite" });
  field.addEventListener("input", read);
  const known = slider({ label: "Merges learned", min: 0, max: merges.length, step: 1, value: rules,
    format: (n) => `${n} of ${merges.length}`, onInput: (n) => {
      rules = n;
      keep();
    } });
  const back = button("One merge back", () => step(used.filter((n) => n < rules).at(-1)));
  const on = button("Next merge in this text", () => {
    const next = used.find((n) => n >= rules);
    step(next === undefined ? undefined : next + 1);
  });
  const reset = button("Reset", () => {
    [text, rules] = [startOf(model, "text"), startOf(model, "rules")];
    field.value = text;
    read();
  });
  const rule = h("p", { class: "u-rule" });
  const list = h("ol", { class: "u-pieces" });
  const tokens = h("div", { class: "u-scroll", tabindex: 0, role: "region", "aria-label": "The tokens of the text" }, list);
  const box = root(el, title || "Token cutter", title && h("p", { class: "u-title" }, title),
    h("div", { class: "u-cutter" },
      h("div", { class: "u-field u-text-field" }, h("label", { for: id }, "Your text"), field,
        h("p", { id: `${id}-help`, class: "u-help" }, "Any letters, any alphabet, emoji. ␣ is a space, ↵ a line's end; "
          + "a byte that is no whole character is shown in base 16."), wrong),
      known.el, h("div", { class: "u-buttons" }, back, on, reset), rule, tokens, live.el));

  /** Take what was typed, or say why not. */
  function read() {
    const length = [...field.value].length;
    if (length > LONGEST) {
      wrong.textContent = `Expected at most ${LONGEST} characters, got ${length}.`;
      field.setAttribute("aria-invalid", "true");
      return;
    }
    wrong.textContent = "";
    field.removeAttribute("aria-invalid");
    text = field.value.toWellFormed?.() ?? field.value;
    used = by.used(text);
    keep();
  }

  function step(/** @type {number | undefined} */ to) {
    if (to === undefined) return;
    rules = to;
    keep();
  }

  function keep() {
    show();
    model.set("text", text);
    model.set("rules", rules);
    model.save_changes();
  }

  function show() {
    known.set(rules);
    const last = used.filter((n) => n < rules).at(-1);
    const ahead = used.filter((n) => n >= rules).length;
    // A button that is out of use keeps the reader's focus.
    back.setAttribute("aria-disabled", String(last === undefined));
    on.setAttribute("aria-disabled", String(ahead === 0));
    const words = by.cut(text, rules);
    const ids = words.flat();
    const seen = (/** @type {number} */ token) => visible(by.bytes(token));
    list.replaceChildren(...words.flatMap((word) => word.map((token, i) =>
      h("li", { class: `${i ? "" : "is-first"} ${last !== undefined && token === first + last ? "is-new" : ""}`.trim() },
        h("bdi", {}, seen(token)), h("span", { class: "u-hidden" }, ", token "), h("small", {}, String(token))))));
    const made = last === undefined ? "No merge has been applied here: every byte is a token."
      : `Merge ${last + 1}: ${seen(merges[last][0])} + ${seen(merges[last][1])} → ${seen(first + last)}.`;
    rule.textContent = `${made} ${ahead ? `${ahead} more would still change this text.` : "No other would change this text."}`;
    const size = new TextEncoder().encode(text).length;
    live.say(`${ids.length} ${ids.length === 1 ? "token" : "tokens"} for ${[...text].length} characters, ${size} bytes`
      + `${ids.length ? `: ${number(size / ids.length)} bytes per token` : ""}. Vocabulary: ${first + rules}.`);
    Object.assign(box.dataset, { ids: JSON.stringify(ids), used: JSON.stringify(used) });
    // As in ../token_cutter.py.
    page.tables(() => [{ caption: `The text in ${ids.length} tokens by ${rules} of ${merges.length} merges. Each row: a token, its `
      + "id and its bytes.", columns: ["id", "bytes"], digits: 0,
    rows: ids.map((token) => [seen(token), [token, by.bytes(token).length]]) }]);
  }

  /** Python may choose too; what this widget has just saved comes back as a change. */
  function followText() {
    if (model.get("text") === text) return;
    text = field.value = model.get("text");
    used = by.used(text);
    show();
  }
  function followRules() {
    rules = model.get("rules");
    show();
  }
  model.on("change:text", followText);
  model.on("change:rules", followRules);
  show();
  if (page.recalled.typed !== undefined) read();
  page.remembers(() => ({ typed: field.value }));
  return () => {
    model.off("change:text", followText);
    model.off("change:rules", followRules);
  };
}
