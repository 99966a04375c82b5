// A matrix as a small sheet: cells that are asked, or cells that are written, moved through by arrow keys.

import { h, uid } from "./dom.mjs";
import { short } from "./qkv.mjs";
import { came, plainText, readNumber } from "./typed.mjs";

const LIMIT = 20; // as in qkv_settings.py
const STEP = 0.5;

/** "W_q" with its letter below the line. @param {string} formula */
const typeset = (formula) => formula.split(/(_\w)/).map((part) =>
  (part.startsWith("_") ? h("sub", {}, part.slice(1)) : part));

/**
 * The table around cells [rows, columns], and how to move among them.
 * @param {{ formula: string, words: string, rows: string[], columns: string[], corner?: string, cells: HTMLElement[][],
 *   tail?: HTMLElement[], tailHead?: string, label: string }} options
 */
function sheet({ formula, words, rows, columns, cells, tail, tailHead, label }) {
  const head = (text, scope) => h("th", { scope, title: text }, h("bdi", {}, text));
  const table = h("table", { class: "u-sheet", role: "grid", "aria-label": label },
    h("thead", {}, h("tr", {}, h("td"), columns.map((text) => head(text, "col")),
      tail && h("th", { scope: "col" }, tailHead))),
    h("tbody", {}, rows.map((text, i) => h("tr", {}, head(text, "row"), cells[i].map((cell) =>
      (cell.tagName === "TD" ? cell : h("td", {}, cell))), tail && h("td", {}, tail[i])))));
  let at = [0, 0];
  /** Make one cell the sheet's only tab stop. */
  const stop = (i, j) => {
    cells[at[0]][at[1]].tabIndex = -1;
    at = [i, j];
    cells[i][j].tabIndex = 0;
  };
  cells.flat().forEach((cell) => {
    cell.tabIndex = -1;
  });
  stop(0, 0);
  const place = (target) => {
    for (let i = 0; i < cells.length; i++) {
      const j = cells[i].indexOf(target);
      if (j >= 0) return [i, j];
    }
    return null;
  };
  const move = (i, j) => {
    const [row, col] = [Math.min(cells.length - 1, Math.max(0, i)), Math.min(cells[0].length - 1, Math.max(0, j))];
    stop(row, col);
    cells[row][col].focus();
  };
  table.addEventListener("focusin", (event) => {
    const found = place(event.target);
    if (found) stop(found[0], found[1]);
  });
  // The heading is no caption: that would make the table as wide as its words.
  const el = h("div", { class: "u-sheet-box" }, h("p", { class: "u-sheet-title", "aria-hidden": true },
    h("span", { class: "u-formula" }, typeset(formula)), " ", h("span", { class: "u-muted" }, words)),
  h("div", { class: "u-sheet-scroll" }, table));
  return { el, cells, place, move };
}

/** @param {KeyboardEvent} event @param {number} i @param {number} j @returns {number[] | null} */
function arrow({ key, ctrlKey, altKey, metaKey }, i, j) {
  if (ctrlKey || altKey || metaKey) return null;
  return { ArrowUp: [i - 1, j], ArrowDown: [i + 1, j], ArrowLeft: [i, j - 1], ArrowRight: [i, j + 1] }[key] ?? null;
}

/**
 * A result: its cells are asked by click, touch or focus. show() writes them.
 * @param {{ name: string, formula: string, words: string, rows: string[], columns: string[],
 *   onAsk: (i: number, j: number) => void }} options
 */
export function resultSheet({ name, formula, words, rows, columns, onAsk }) {
  const cells = rows.map(() => columns.map(() => h("td", { class: "u-ask-cell" })));
  const made = sheet({ formula, words, rows, columns, cells, label: `${name}: ${words}` });
  made.el.addEventListener("click", (event) => {
    const found = made.place(/** @type {Element} */ (event.target).closest("td"));
    if (found) made.move(found[0], found[1]);
  });
  made.el.addEventListener("focusin", (event) => {
    const found = made.place(event.target);
    if (found) onAsk(found[0], found[1]);
  });
  made.el.addEventListener("keydown", (event) => {
    const found = made.place(event.target);
    const next = found && (arrow(event, found[0], found[1]) ?? { Home: [found[0], 0], End: [found[0], columns.length] }[event.key]);
    if (!next) return;
    event.preventDefault();
    made.move(next[0], next[1]);
  });
  return made;
}

/**
 * Numbers to write: each valid one is handed on at once, anything else is refused with a message.
 * @param {{ name: string, formula: string, words: string, rows: string[], columns: string[], values: () => number[][],
 *   onNumber: (i: number, j: number, value: number) => void, tail?: HTMLElement[], tailHead?: string }} options
 */
export function numberSheet({ name, formula, words, rows, columns, values, onNumber, tail, tailHead }) {
  const id = uid("sheet");
  const wrong = h("p", { id, class: "u-error", role: "status", "aria-live": "polite" });
  const cells = rows.map((row, i) => columns.map((col, j) => h("input", {
    type: "text", class: "u-number", spellcheck: "false", "aria-label": `${name}, ${row}, ${col}`,
    "aria-describedby": id, oninput: () => hear(i, j), onchange: () => judge(i, j),
    onfocus: () => {
      if (!cells[i][j].hasAttribute("aria-invalid")) cells[i][j].value = full(values()[i][j]);
      cells[i][j].select();
    },
    onblur: () => {
      if (!cells[i][j].hasAttribute("aria-invalid")) cells[i][j].value = short(values()[i][j]);
    },
  })));
  const full = (x) => String(x).replaceAll("-", "\u2212");
  function accept(i, j, value) {
    cells[i][j].removeAttribute("aria-invalid");
    wrong.textContent = "";
    onNumber(i, j, value);
  }
  function hear(i, j) {
    const value = readNumber(cells[i][j].value, LIMIT);
    if (!Number.isNaN(value)) accept(i, j, value);
  }
  function judge(i, j) {
    const text = plainText(cells[i][j].value);
    if (!Number.isNaN(readNumber(text, LIMIT))) return;
    cells[i][j].setAttribute("aria-invalid", "true");
    wrong.textContent = `${rows[i]}, ${columns[j]}: expected a number from \u2212${LIMIT} to ${LIMIT}, got ${came(text, 20)}. `
      + `It stays ${short(values()[i][j])}.`;
  }
  const made = sheet({ formula, words, rows, columns, cells, tail, tailHead, label: `${name}: ${words}` });
  made.el.addEventListener("keydown", (event) => {
    const found = made.place(event.target);
    if (!found) return;
    const [i, j] = found;
    const input = cells[i][j];
    const step = { PageUp: STEP, PageDown: -STEP }[event.key];
    if (step !== undefined) {
      event.preventDefault();
      const value = Math.min(LIMIT, Math.max(-LIMIT, values()[i][j] + step));
      accept(i, j, value);
      input.value = full(value);
      return;
    }
    const next = event.key === "Enter" ? [i + 1, j] : arrow(event, i, j);
    if (!next) return;
    // Left and right move the caret first, where there is a text to move in.
    const whole = input.selectionStart === 0 && input.selectionEnd === input.value.length;
    const caret = input.selectionStart === input.selectionEnd ? input.selectionStart : -1;
    const free = whole || (event.key === "ArrowLeft" && caret === 0)
      || (event.key === "ArrowRight" && caret === input.value.length);
    if (event.key.match(/Left|Right/) && !free) return;
    event.preventDefault();
    if (event.key === "Enter") judge(i, j);
    made.move(next[0], next[1]);
  });
  made.el.append(wrong);
  return { ...made,
    show() {
      // A column is as wide as its longest number, so that none is cut off.
      columns.forEach((_, j) => {
        const longest = Math.max(3, ...values().map((row) => short(row[j]).length));
        cells.forEach((row) => row[j].style.setProperty("--digits", String(longest)));
      });
      values().forEach((row, i) => row.forEach((x, j) => {
        const input = cells[i][j];
        if (input.hasAttribute("aria-invalid") || input === /** @type {any} */ (input.getRootNode()).activeElement) return;
        input.value = short(x);
      }));
    } };
}
