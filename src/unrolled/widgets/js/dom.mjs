// The few controls every widget is built from. Text goes in as text nodes and attributes, never as HTML,
// so whatever a reader types is shown and never run.

/** @typedef {string | number | Node | null | undefined | false} Child */

/** An id no other element of the page has, also when several widgets were loaded as separate scripts. */
export function uid(prefix = "u") {
  const key = Symbol.for("unrolled.uid");
  globalThis[key] = (globalThis[key] ?? 0) + 1;
  return `${prefix}-${globalThis[key]}`;
}

/**
 * Set properties and append children. A function under onX is a listener; null, undefined and false are
 * left out, except that aria-* says "false".
 * @template {Element} E @param {E} el @param {Record<string, any>} props @param {(Child | Child[])[]} children
 * @returns {E}
 */
function fill(el, props, children) {
  for (const [name, value] of Object.entries(props)) {
    if (name.startsWith("on")) el.addEventListener(name.slice(2).toLowerCase(), value);
    else if (name.startsWith("aria-") && typeof value === "boolean") el.setAttribute(name, String(value));
    else if (value === true) el.setAttribute(name, "");
    else if (value !== null && value !== undefined && value !== false) el.setAttribute(name, String(value));
  }
  for (const child of children.flat()) {
    if (child === null || child === undefined || child === false) continue;
    el.append(child instanceof Node ? child : String(child));
  }
  return el;
}

// A browser that comes back to a page fills in what stood in its controls and tells nobody: the picture would show
// something else. What is to come back, the host brings back.
const CONTROLS = new Set(["input", "select", "textarea"]);

/**
 * An HTML element: h("button", { class: "u-button", onclick: go }, "Go").
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag @param {Record<string, any>} props @param {...(Child | Child[])} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, props = {}, ...children) {
  const el = document.createElement(tag);
  if (CONTROLS.has(tag)) el.setAttribute("autocomplete", "off");
  return fill(el, props, children);
}

/**
 * The same for SVG. Colours come from the style sheet: class "u-line", "u-text", or var(--u-…).
 * @template {keyof SVGElementTagNameMap} Tag
 * @param {Tag} tag @param {Record<string, any>} props @param {...(Child | Child[])} children
 * @returns {SVGElementTagNameMap[Tag]}
 */
export function svg(tag, props = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

/**
 * A number a reader can compare: fixed digits, a real minus sign, and no "−0.00". What lies exactly in the
 * middle goes to the even digit, as in Python: 1/8 is 0.12 in the text of a page and in its widgets.
 */
export function number(x, digits = 2) {
  if (!Number.isFinite(x)) return String(x);
  let text = Math.abs(x).toFixed(digits);
  const tail = Math.abs(x).toFixed(60).split(".")[1]?.slice(digits) ?? "";
  const last = Number(text.at(-1));
  // toFixed went up to an odd digit; the even one stands right below it.
  if (/^50+$/.test(tail) && last % 2 === 1) text = text.slice(0, -1) + (last - 1);
  return x < 0 && Number(text) !== 0 ? `\u2212${text}` : text;
}

/** The numbers behind what cells of tables show, where these have more digits. @type {WeakMap<Element, number>} */
export const exact = new WeakMap();

/**
 * The table that stands beneath a widget, cell by cell as table_html in ../base.py writes it.
 * @param {import("./page.mjs").Table} table
 */
export function numberTable({ caption, columns, rows, digits = 2, full }) {
  const cell = (x) => {
    const shown = number(x, digits);
    const el = h("td", {}, shown);
    if (Number(shown.replace("\u2212", "-")) !== x) exact.set(el, x);
    if (full !== undefined) shade(el, x / full);
    return el;
  };
  return h("table", {}, h("caption", {}, caption),
    h("thead", {}, h("tr", {}, h("td"), columns.map((text) => h("th", { scope: "col" }, text)))),
    h("tbody", {}, rows.map(([label, values]) => h("tr", {}, h("th", { scope: "row" }, label), values.map(cell)))));
}

/** The root of a widget, which carries theme, typeface and the style sheet's scope. */
export function root(el, label, ...children) {
  const box = h("div", { class: "unrolled", role: "group", "aria-label": label }, ...children);
  el.append(box);
  return box;
}

/** Hear of an element's size as long as it stands in a page. @param {Element} el @param {(width: number) => void} heard */
export function onResize(el, heard) {
  const watch = new ResizeObserver(([entry]) => el.isConnected && heard(entry.contentRect.width));
  watch.observe(el);
  return watch;
}

/** Where a widget says what just changed: seen by everybody, read out by a screen reader. */
export function liveRegion() {
  const el = h("p", { class: "u-live", role: "status", "aria-live": "polite" });
  return {
    el,
    say(/** @type {string} */ text) {
      if (el.textContent !== text) el.textContent = text;
    },
  };
}

/** What sliders and lists were told to show last; they may not have it. @type {WeakMap<Element, number>} */
const asked = new WeakMap();

/** Whether every slider and list of a widget shows what it was told. @param {Element} el */
export const isAsAsked = (el) => [...el.querySelectorAll("input, select")].every((one) =>
  !(one instanceof HTMLSelectElement && one.selectedIndex < 0 && one.length > 0)
  && !(Math.abs(Number(/** @type {HTMLInputElement} */ (one).value) - asked.get(one)) > 0.51 * (Number(one.getAttribute("step")) || 1)));

/**
 * A labelled slider with its value beside it. onInput hears the number; set() moves it without a call.
 * @param {{ label: string, min: number, max: number, step?: number, value: number,
 *           format?: (x: number) => string, onInput: (x: number) => void }} options
 */
export function slider({ label, min, max, step = 0.01, value, format = number, onInput }) {
  const id = uid("slider");
  const input = h("input", { id, type: "range", min, max, step });
  // Not live: aria-valuetext says the same, and a screen reader should hear it once.
  const output = h("output", { for: id, class: "u-value", "aria-live": "off" });
  const show = () => {
    const text = format(input.valueAsNumber);
    output.textContent = text;
    input.setAttribute("aria-valuetext", text);
  };
  const set = (/** @type {number} */ x) => {
    asked.set(input, x);
    input.value = String(x);
    show();
  };
  input.addEventListener("input", () => {
    asked.delete(input);
    show();
    onInput(input.valueAsNumber);
  });
  // A finger that only passes over on its way up or down has moved the thumb when the browser begins to scroll.
  let before = value;
  input.addEventListener("pointerdown", () => {
    before = input.valueAsNumber;
  });
  input.addEventListener("pointercancel", () => {
    if (input.valueAsNumber === before) return;
    set(before);
    onInput(before);
  });
  set(value);
  return { el: h("div", { class: "u-field u-slider" }, h("label", { for: id }, label), input, output), input, set };
}

/**
 * A labelled line of text. error(message) marks it wrong and says why; error(null) clears that.
 * @param {{ label: string, value?: string, help?: string, maxLength?: number,
 *           onInput: (text: string) => void }} options
 */
export function textField({ label, value = "", help = "", maxLength, onInput }) {
  const id = uid("text");
  const input = h("input", {
    id, type: "text", maxlength: maxLength, spellcheck: "false",
    "aria-describedby": `${id}-help ${id}-error`,
  });
  input.value = value;
  input.addEventListener("input", () => onInput(input.value));
  const wrong = h("p", { id: `${id}-error`, class: "u-error", role: "status", "aria-live": "polite" });
  const error = (/** @type {string | null} */ message) => {
    wrong.textContent = message ?? "";
    if (message) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  };
  const el = h("div", { class: "u-field u-text-field" }, h("label", { for: id }, label), input,
    h("p", { id: `${id}-help`, class: "u-help" }, help), wrong);
  return { el, input, error, wrong, set: (/** @type {string} */ text) => void (input.value = text) };
}

/**
 * A labelled choice among names. onInput hears the index.
 * @param {{ label: string, options: string[], value?: number, onInput: (index: number) => void }} options
 */
export function choice({ label, options, value = 0, onInput }) {
  const id = uid("choice");
  const select = h("select", { id }, options.map((text, i) => h("option", { value: i }, text)));
  const set = (/** @type {number} */ index) => {
    asked.set(select, index);
    select.value = String(index);
  };
  set(value);
  select.addEventListener("input", () => {
    asked.delete(select);
    onInput(select.selectedIndex);
  });
  return { el: h("div", { class: "u-field" }, h("label", { for: id }, label), select), select, set };
}

/** A button. @param {string} label @param {() => void} onClick */
export function button(label, onClick) {
  return h("button", { type: "button", class: "u-button", onclick: onClick }, label);
}

/**
 * A button that stays pressed. onToggle hears whether it is.
 * @param {{ label: string, pressed?: boolean, onToggle: (pressed: boolean) => void }} options
 */
export function toggle({ label, pressed = false, onToggle }) {
  const el = h("button", { type: "button", class: "u-button", "aria-pressed": pressed }, label);
  el.addEventListener("click", () => {
    // What it shows, also where something else has set it since.
    const on = !isPressed(el);
    el.setAttribute("aria-pressed", String(on));
    onToggle(on);
  });
  return el;
}

/** Whether a button that stays pressed is. @param {HTMLElement} el */
export const isPressed = (el) => el.getAttribute("aria-pressed") === "true";

/**
 * Give a cell the colour of a share between 0 and 1 on the attention scale, and an ink that reads on it.
 * @param {HTMLElement | SVGElement} el @param {number} share
 */
export function shade(el, share) {
  const w = Math.min(1, Math.max(0, share));
  el.classList.add("u-shade");
  el.style.setProperty("--w", w.toFixed(4));
}
