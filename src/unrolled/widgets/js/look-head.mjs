// One head of `look`: the tokens that look, one below the other, and beside them a map, or lines to those looked at.

import { h, number, svg } from "./dom.mjs";
import { largest } from "./look-data.mjs";

/** As many bars as show where a token looks; and as many lines as stay apart. */
const BARS = 8;
const LINES = 600;

/**
 * @typedef {{ tokens: string[], keys: string[], cells: ArrayLike<number>, steps: number, digits: number, full: number,
 *   least: number, token: number, column: number, drawing: string }} Shown the last five in the reader's hands; weights,
 *   full and least in whole steps
 */

/** "love 0.620, i 0.200": the largest weights of one token. @param {Shown} shown @param {number} i */
export function saysWhere({ keys, cells, steps, digits, least }, i, most = 5) {
  const { places } = largest(cells, keys.length, { row: i, least, most });
  return places.map((k) => `${keys[k % keys.length]} ${number(cells[k] / steps, digits)}`).join(", ") || "nothing";
}

/**
 * @param {Shown} shown
 * @param {{ paint: (canvas: HTMLCanvasElement, shown: Shown) => void, onToken: (i: number) => void,
 *           onCell: (i: number, j: number) => void }} hands
 */
export function headView(shown, { paint, onToken, onCell }) {
  const { tokens, keys } = shown;
  const all = h("button", { type: "button", role: "radio", class: "u-gaze-token u-gaze-all" }, "all tokens");
  const names = tokens.map((token) => h("button", { type: "button", role: "radio", class: "u-gaze-token", title: token },
    h("bdi", {}, token)));
  const buttons = [all, ...names];
  const looks = h("div", { class: "u-gaze-tokens", role: "radiogroup", "aria-label": "The token that looks" }, buttons);
  const bars = h("div", { class: "u-bars u-gaze-bars" });
  const picture = h("div", { class: "u-gaze-picture" });
  const canvas = h("canvas", { class: "u-gaze-map", "aria-hidden": true });
  const mark = h("div", { class: "u-gaze-mark", hidden: true });

  buttons.forEach((button, k) => button.addEventListener("click", () => choose(k - 1)));
  looks.addEventListener("keydown", (event) => {
    if (event.altKey || event.metaKey || event.ctrlKey) return;
    const { key } = event;
    const last = tokens.length - 1;
    const rows = { ArrowUp: shown.token - 1, ArrowDown: shown.token + 1, Home: -1, End: last,
      PageUp: shown.token - 10, PageDown: shown.token + 10 };
    if (Object.hasOwn(rows, key)) {
      choose(Math.min(last, Math.max(-1, rows[key])), true);
    } else if ((key === "ArrowLeft" || key === "ArrowRight") && shown.token >= 0) {
      const j = shown.column + (key === "ArrowRight" ? 1 : -1);
      point(shown.token, Math.min(keys.length - 1, Math.max(0, j)));
    } else return;
    event.preventDefault();
  });
  const under = (/** @type {PointerEvent} */ event) => {
    const box = canvas.getBoundingClientRect();
    const [i, j] = [(event.clientY - box.top) / box.height * tokens.length, (event.clientX - box.left) / box.width * keys.length];
    return [Math.min(tokens.length - 1, Math.max(0, Math.floor(i))), Math.min(keys.length - 1, Math.max(0, Math.floor(j)))];
  };
  canvas.addEventListener("click", (event) => {
    const [i, j] = under(/** @type {PointerEvent} */ (event));
    point(i, j);
  });

  /** Choose a token, or with -1 all of them. */
  function choose(i, focus = false) {
    shown.token = i;
    shown.column = -1;
    draw();
    if (focus) buttons[i + 1].focus();
    onToken(i);
  }

  function point(i, j) {
    shown.token = i;
    shown.column = j;
    draw();
    onCell(i, j);
  }

  function draw() {
    buttons.forEach((button, k) => {
      const chosen = k === shown.token + 1;
      button.setAttribute("aria-checked", String(chosen));
      button.tabIndex = chosen ? 0 : -1;
    });
    picture.replaceChildren(...(shown.drawing === "lines" ? lines() : map()));
    el.classList.toggle("is-lines", shown.drawing === "lines");
    drawBars();
  }

  /** The map, the names of its columns, and a frame round what was chosen. */
  function map() {
    paint(canvas, shown);
    const heads = keys.map((key, j) => h("span", { class: j === shown.column ? "is-chosen" : "", title: key }, h("bdi", {}, key)));
    mark.hidden = shown.token < 0;
    const one = shown.column >= 0;
    mark.style.cssText = `top: ${100 * shown.token / tokens.length}%; height: ${100 / tokens.length}%; ` +
      `left: ${one ? 100 * shown.column / keys.length : 0}%; width: ${one ? 100 / keys.length : 100}%`;
    const grid = `--columns: ${keys.length}; --rows: ${tokens.length}`;
    return [h("div", { class: `u-gaze-keys${keys.length > 30 ? " is-narrow" : ""}`, "aria-hidden": true, style: grid }, heads),
      h("div", { class: `u-gaze-cells${keys.length > 30 ? " is-narrow" : ""}`, style: grid }, canvas, mark)];
  }

  /** A line for each weight, the stronger the larger. Rows are 24 pixels high, as the buttons are. */
  function lines() {
    const { places, left } = largest(shown.cells, keys.length, { row: shown.token, least: shown.least, most: LINES });
    const y = (/** @type {number} */ i) => 24 * i + 12;
    const drawn = svg("svg", { class: "u-gaze-lines", width: 150, height: 24 * Math.max(tokens.length, keys.length),
      "aria-hidden": true },
    [...places].reverse().map((k) => {
      const share = shown.cells[k] / shown.steps;
      return svg("line", { x1: 0, x2: 150, y1: y(Math.floor(k / keys.length)), y2: y(k % keys.length),
        "stroke-width": (0.4 + 3.6 * share).toFixed(2), "stroke-opacity": (0.15 + 0.85 * share).toFixed(3) });
    }));
    return [h("div", { class: "u-gaze-ends" }, drawn, h("div", { class: "u-gaze-keys-down", "aria-hidden": true },
      keys.map((key, j) => h("span", { title: key, class: j === shown.column ? "is-chosen" : "" }, h("bdi", {}, key))))),
    left > 0 && h("p", { class: "u-muted" }, `The ${LINES} largest; ${left} smaller weights have no line.`)].filter(Boolean);
  }

  /** Where the chosen token looks, in numbers. */
  function drawBars() {
    const i = shown.token;
    if (i < 0) {
      bars.replaceChildren(h("p", { class: "u-muted" }, "Choose a token to see its weights."));
      return;
    }
    const { places, left } = largest(shown.cells, keys.length, { row: i, least: shown.least, most: BARS });
    const share = (/** @type {number} */ k) => shown.cells[k] / shown.steps;
    const bar = (/** @type {number} */ k) => h("li", {}, h("bdi", { class: "u-bar-name", title: keys[k % keys.length] }, keys[k % keys.length]),
      h("span", { class: "u-bar" }, h("span", { style: `width: ${(100 * share(k)).toFixed(2)}%` })),
      h("span", { class: "u-value" }, number(share(k), shown.digits)));
    bars.replaceChildren(
      h("p", { class: "u-bars-title" }, h("bdi", {}, tokens[i]), places.length ? " attends to" : " attends to nothing"),
      h("ul", {}, places.map(bar)),
      ...(left ? [h("p", { class: "u-muted" }, `and ${left} more, each smaller`)] : []),
    );
  }

  const el = h("div", { class: "u-gaze-head" },
    h("div", { class: "u-scroll u-gaze-scroll" }, h("div", { class: "u-gaze-inner" }, looks, picture)), bars);
  draw();
  return el;
}
