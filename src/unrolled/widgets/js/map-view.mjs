// A map one can walk through: tokens x tokens as a grid, and the row in hand as bars. A row is a token that
// looks, a column one that is looked at. Shared by the attention map and the head browser.

import { h, number, shade, toggle, uid } from "./dom.mjs";

/** Up to this many keys the bars stand in the order of the sentence; beyond, the largest come first. */
const ALL_BARS = 12;
const TOP_BARS = 8;

/** The weight that gets the full colour: the largest there is, rounded up. As in attention_map.py. */
export function fullScale(/** @type {number[][][][]} */ weights) {
  let largest = 0;
  for (const w of weights.flat(3)) largest = Math.max(largest, w);
  return [0.05, 0.1, 0.2, 0.5].find((step) => largest <= step) ?? 1;
}

/** A token as a reader can see it: what is only space, or nothing at all, gets a sign. */
export const visible = (/** @type {string} */ token) =>
  token === "" ? "∅" : token.replace(/\n/g, "↵").replace(/^\s+$/, (blank) => "␣".repeat(blank.length));

/** "love 0.62, i 0.20" for the largest weights of a row. @param {number[]} row @param {string[]} keys */
export function inWords(row, keys) {
  const order = row.map((_, j) => j).sort((a, b) => row[b] - row[a]).slice(0, 5);
  const named = order.filter((j) => row[j] > 0).map((j) => `${keys[j]} ${number(row[j])}`);
  return named.length ? named.join(", ") : "nothing";
}

/** A switch that writes the numbers into the cells of maps. @param {{ table: HTMLElement }[]} views */
export function numbersToggle(views, pressed = false, after = () => {}) {
  const turn = (on) => views.forEach((view) => view.table.classList.toggle("has-numbers", on));
  turn(pressed);
  return toggle({ label: "Numbers", pressed, onToggle(on) {
    turn(on);
    after();
  } });
}

/**
 * The grid, its legend and its bars. choose() moves to a cell; fill() shows another map.
 * @param {{ tokens: string[], keys: string[], title: string, full: number,
 *           onChoose?: (i: number, j: number, row: number[]) => void }} options
 */
export function mapView({ tokens, keys, title, full, onChoose = () => {} }) {
  const at = { i: 0, j: 0 };
  /** @type {number[][]} */
  let map = [];
  const bars = h("div", { class: "u-bars" });
  const { table, cells, rowHeads, columnHeads } = grid(tokens, keys, title);

  /** Show row i: its bars, and to whoever listens, its numbers. */
  function show() {
    const row = map[at.i];
    rowHeads.forEach((head, i) => head.classList.toggle("is-chosen", i === at.i));
    columnHeads.forEach((head, j) => head.classList.toggle("is-chosen", j === at.j));
    cells.forEach((line, i) => line[0].parentElement.classList.toggle("is-chosen", i === at.i));
    drawBars(bars, tokens[at.i], row, keys);
    onChoose(at.i, at.j, row);
  }

  /** Make one cell the grid's only tab stop and, by keyboard, put the focus there. */
  function choose(i, j, focus = false) {
    if (!focus && i === at.i && j === at.j) return;
    cells[at.i][at.j].tabIndex = -1;
    Object.assign(at, { i, j });
    cells[i][j].tabIndex = 0;
    if (focus) cells[i][j].focus();
    show();
  }

  /** Write other weights into the cells. @param {number[][]} weights */
  function fill(weights) {
    map = weights;
    map.forEach((row, i) => {
      const silent = row.every((w) => w === 0);
      row.forEach((w, j) => {
        const cell = cells[i][j];
        shade(cell, w / full);
        cell.textContent = number(w);
        cell.classList.toggle("is-silent", silent);
        const share = silent ? "nothing" : `${keys[j]}, ${number(w)}`;
        cell.setAttribute("aria-label", `${tokens[i]} attends to ${share}`);
      });
    });
    show();
  }

  /** The cell or row under a pointer. @param {Event} event */
  const under = (event) => /** @type {any} */ (event.target)?.closest("[data-i]")?.dataset;
  table.addEventListener("pointerover", (event) => {
    const place = under(event);
    if (place) choose(Number(place.i), Number(place.j ?? at.j));
  });
  table.addEventListener("click", (event) => {
    const place = under(event);
    if (place) choose(Number(place.i), Number(place.j ?? at.j), true);
  });
  table.addEventListener("focusin", (event) => {
    const place = under(event);
    if (place) choose(Number(place.i), Number(place.j));
  });
  table.addEventListener("keydown", (event) => {
    const [i, j] = step(event, at, tokens.length - 1, keys.length - 1);
    if (i === null) return;
    event.preventDefault();
    choose(i, j, true);
  });

  const el = h("div", { class: "u-map" },
    h("div", { class: "u-map-left" }, h("div", { class: "u-scroll" }, table), legend(full)),
    h("div", { class: "u-map-right" }, bars));
  /** Go back to the cell a reader left, where there is one. @param {{ i: number, j: number } | undefined} left */
  const recall = (left) => left && choose(left.i, left.j);
  return { el, table, at, choose, fill, recall };
}

/** The table with its headers and empty cells. @param {string[]} tokens @param {string[]} keys */
function grid(tokens, keys, title) {
  const slanted = keys.length > 8 || keys.some((key) => key.length > 7);
  const columnHeads = keys.map((key) => h("th", { scope: "col", title: key }, h("bdi", {}, key)));
  const rowHeads = tokens.map((token, i) => h("th", { scope: "row", title: token, "data-i": i }, h("bdi", {}, token)));
  const cells = tokens.map((_, i) => keys.map((_, j) =>
    h("td", { tabindex: i + j === 0 ? 0 : -1, "data-i": i, "data-j": j })));
  const id = uid("grid");
  const table = h("table", { class: `u-grid${slanted ? " is-slanted" : ""}`, role: "grid", "aria-readonly": true,
    "aria-label": `${title || "Attention weights"}: rows look, columns are looked at`, "aria-describedby": id },
  h("thead", {}, h("tr", {},
    h("td", { class: "u-corner" }, h("span", { id }, h("span", {}, "is looked at →"), h("span", {}, "looks ↓"))),
    columnHeads)),
  h("tbody", {}, tokens.map((_, i) => h("tr", {}, rowHeads[i], cells[i]))));
  return { table, cells, rowHeads, columnHeads };
}

/**
 * Where a key leads from a cell; null where it is not one of the grid's.
 * @param {KeyboardEvent} event @param {{ i: number, j: number }} from
 */
function step({ key, ctrlKey, altKey, metaKey }, { i, j }, lastRow, lastColumn) {
  if (altKey || metaKey) return [null, null];
  const moves = {
    ArrowUp: [i - 1, j], ArrowDown: [i + 1, j], ArrowLeft: [i, j - 1], ArrowRight: [i, j + 1],
    Home: [ctrlKey ? 0 : i, 0], End: [ctrlKey ? lastRow : i, lastColumn],
    PageUp: [i - 10, j], PageDown: [i + 10, j],
  };
  if (!Object.hasOwn(moves, key)) return [null, null];
  const [row, column] = moves[key];
  return [Math.min(lastRow, Math.max(0, row)), Math.min(lastColumn, Math.max(0, column))];
}

/** One row as bars: all keys in their order, or the largest of many. */
function drawBars(box, token, row, keys) {
  const order = row.map((_, j) => j);
  const many = order.length > ALL_BARS;
  if (many) order.sort((a, b) => row[b] - row[a]);
  const shown = many ? order.slice(0, TOP_BARS) : order;
  const rest = order.slice(shown.length).reduce((sum, j) => sum + row[j], 0);
  const silent = row.every((w) => w === 0);
  const bar = (j) => h("li", {}, h("bdi", { class: "u-bar-name", title: keys[j] }, keys[j]),
    h("span", { class: "u-bar" }, h("span", { style: `width: ${(100 * row[j]).toFixed(2)}%` })),
    h("span", { class: "u-value" }, number(row[j])));
  box.replaceChildren(
    h("p", { class: "u-bars-title" }, h("bdi", {}, token), silent ? " attends to nothing" : " attends to"),
    ...(silent ? [] : [h("ul", {}, shown.map(bar))]),
    ...(many && !silent ? [h("p", { class: "u-muted" }, `and ${order.length - shown.length} more, together ${number(rest)}`)] : []),
  );
}

/** What the colours mean. @param {number} full */
function legend(full) {
  const blocks = Array.from({ length: 11 }, (_, k) => {
    const block = h("span", {});
    shade(block, k / 10);
    return block;
  });
  return h("div", { class: "u-legend" }, "weight 0", h("span", { class: "u-legend-bar", "aria-hidden": true }, blocks), String(full));
}
