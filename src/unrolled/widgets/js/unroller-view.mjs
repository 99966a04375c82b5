// What the unroller draws: the film of all steps, and one step with the arithmetic behind each number.

import { h, number, uid } from "./dom.mjs";

/** The rows of one step: a letter, a name, and whether its numbers are shares from 0 to 1. */
const LSTM_ROWS = [
  { part: "f", name: "forget gate f", share: true },
  { part: "i", name: "input gate i", share: true },
  { part: "g", name: "candidate g" },
  { part: "c", name: "cell state c" },
  { part: "o", name: "output gate o", share: true },
  { part: "h", name: "hidden state h" },
];
const RNN_ROWS = [
  { part: "word", name: "from the word" },
  { part: "memory", name: "from the last state" },
  { part: "h", name: "hidden state h" },
];

/** A number as a factor or summand: negative ones in brackets. @param {number} x */
const term = (x) => (number(x).startsWith("\u2212") ? `(${number(x)})` : number(x));

/** A bar: from the left for shares, from the middle for signed numbers. */
function bar() {
  const fill = h("span", {});
  const el = h("span", { class: "u-signed", "aria-hidden": true }, fill);
  return { el, set(/** @type {number} */ x, limit = 1, share = false) {
    const part = Math.min(1, Math.abs(x) / limit);
    const [left, width] = share ? [0, part] : [x < 0 ? 0.5 - part / 2 : 0.5, part / 2];
    el.classList.toggle("is-share", share);
    fill.classList.toggle("is-minus", x < 0);
    fill.style.left = `${(100 * left).toFixed(2)}%`;
    fill.style.width = `${(100 * width).toFixed(2)}%`;
  } };
}

/** The largest absolute value, at least 1, rounded up to a half. @param {number[][]} rows */
const limitOf = (rows) => Math.ceil(2 * Math.max(1, ...rows.flat().map(Math.abs))) / 2;

/**
 * The unrolled network: one column for each word, one row for each number of a state. A column's head is a
 * button that goes there.
 * @param {string[]} units @param {(t: number) => void} onGo
 */
export function filmView(units, onGo) {
  const table = h("table", {});
  const note = h("p", { class: "u-help" });
  const scroller = h("div", { class: "u-scroll", tabindex: 0, role: "region",
    "aria-label": "The states after every word" }, table);
  const el = h("div", { class: "u-film" }, scroller, note);
  let drawn = "";
  let /** @type {any[]} */ heads = [];
  let /** @type {any[]} */ lines = [];

  /** Lay the table out for another sentence or another cell. */
  function draw(kind, words) {
    const names = ["start", ...words];
    heads = names.map((word, t) => h("button", { type: "button", class: "u-film-word", onclick: () => onGo(t) },
      h("bdi", {}, word)));
    // Columns of one width, so that bars can be compared; a long word stands upright.
    el.classList.toggle("is-slanted", names.some((word) => word.length > 6));
    const line = (part, k, label, share = false) => {
      const cells = names.map(() => ({ bar: bar(), text: h("span", { class: "u-film-number" }) }));
      const row = h("tr", {}, h("th", { scope: "row" }, label),
        cells.map((cell) => h("td", {}, cell.bar.el, cell.text)));
      return { part, k, share, cells, row };
    };
    const group = (name) => h("tr", { class: "u-film-group" }, h("th", { scope: "rowgroup", colspan: names.length + 1 },
      h("span", {}, name)));
    const hidden = units.map((unit, k) => line("h", k, h("bdi", {}, unit)));
    const memory = kind === "lstm" ? units.map((unit, k) => line("c", k, h("bdi", {}, unit))) : [];
    const trace = line("trace", 0, h("bdi", {}, words[0]), true);
    lines = [...memory, ...hidden, trace];
    table.replaceChildren(
      h("thead", {}, h("tr", {}, h("td", {}), heads.map((head) => h("th", { scope: "col" }, head)))),
      ...(memory.length ? [h("tbody", {}, group("Cell state c"), memory.map((one) => one.row))] : []),
      h("tbody", {}, group("Hidden state h"), hidden.map((one) => one.row)),
      h("tbody", {}, group("Trace of the first word"), trace.row));
  }

  function show({ kind, words, steps, trace, at }) {
    const key = JSON.stringify([kind, words]);
    if (key !== drawn) draw(kind, words);
    drawn = key;
    const limits = { h: 1, c: limitOf(steps.map((one) => one.c)), trace: limitOf([trace]) };
    lines.forEach(({ part, k, share, cells }) => cells.forEach((cell, t) => {
      const x = part === "trace" ? trace[t] : steps[t][part][k];
      cell.bar.set(x, limits[part], share);
      cell.text.textContent = number(x);
    }));
    heads.forEach((head, t) => {
      if (t === at) head.setAttribute("aria-current", "step");
      else head.removeAttribute("aria-current");
    });
    [...table.rows].forEach((row) => [...row.cells].forEach((cell, t) => {
      cell.classList.toggle("is-now", t === at + 1 && row.cells.length > 1);
      cell.classList.toggle("is-later", t > at + 1);
    }));
    // Sideways only: the page itself stays where it is.
    const [head, left] = [heads[at].parentElement, scroller.scrollLeft];
    const [start, end] = [head.offsetLeft - lines[0].row.cells[0].offsetWidth, head.offsetLeft + head.offsetWidth];
    if (start < left) scroller.scrollLeft = start;
    else if (end > left + scroller.clientWidth) scroller.scrollLeft = end - scroller.clientWidth;
    const wide = limits.c > 1 && kind === "lstm" ? `, of the cell state from \u2212${limits.c} to ${limits.c}` : "";
    note.textContent = `Bars run from \u22121 to 1, to the right above zero and to the left below${wide}. The trace `
      + `says how far h is from what it would be without “${words[0]}”; its bar is full at ${limits.trace}.`;
  }
  return { el, show };
}

/**
 * The arithmetic behind one number, in words and figures.
 * @param {string} part @param {number} k which number of the state @param {any} now @param {any} last the steps
 * @param {Record<string, number>} forced
 */
export function arithmetic(part, k, now, last, forced) {
  const squash = (letter, name) => {
    const { word, memory } = now.from[letter];
    return `${letter} = ${name}(word ${number(word[k])} + state ${term(memory[k])}) = ${number(now[letter][k])}`;
  };
  if (part in forced) return `${part} = ${number(now[part][k])}, forced by you`;
  if (part === "word") return `W\u2093 x + b\u2093 = ${number(now.from.h.word[k])}`;
  if (part === "memory") return `W\u2095 h + b\u2095 = ${number(now.from.h.memory[k])}`;
  if (part === "c") {
    return `c = f · last c + i · g = ${number(now.f[k])} · ${term(last.c[k])} + `
      + `${number(now.i[k])} · ${term(now.g[k])} = ${number(now.c[k])}`;
  }
  if (part === "h" && now.c.length) {
    return `h = o · tanh(c) = ${number(now.o[k])} · tanh(${number(now.c[k])}) = ${number(now.h[k])}`;
  }
  return squash(part, part === "g" || part === "h" ? "tanh" : "\u03c3");
}

/** One step: a row for each part of the cell, a column for each number of the state. @param {string[]} units */
export function stepView(units) {
  const id = uid("step");
  const caption = h("caption", { id });
  const body = h("tbody", {});
  const table = h("table", { role: "grid", "aria-readonly": true, "aria-labelledby": id }, caption,
    h("thead", {}, h("tr", {}, h("td", {}), units.map((unit) => h("th", { scope: "col" }, h("bdi", {}, unit))))), body);
  const sum = h("p", { class: "u-one-sum" });
  const el = h("div", { class: "u-one-step" }, h("div", { class: "u-scroll" }, table), sum);
  let /** @type {any[][]} */ cells = [];
  let drawn = "";
  let at = { n: 0, k: 0 };
  let /** @type {any} */ shown = null;

  const rows = () => (drawn === "lstm" ? LSTM_ROWS : RNN_ROWS);

  function draw(kind) {
    drawn = kind;
    cells = rows().map(() => units.map(() => {
      const one = { bar: bar(), text: h("span", { class: "u-film-number" }) };
      return { ...one, el: h("td", { tabindex: -1 }, one.bar.el, one.text) };
    }));
    body.replaceChildren(...rows().map(({ name }, n) =>
      h("tr", {}, h("th", { scope: "row" }, name), cells[n].map((cell) => cell.el))));
    choose(rows().length - 1, Math.min(at.k, units.length - 1));
  }

  /** Make one cell the grid's only tab stop, and write down how its number came about. */
  function choose(n, k, focus = false) {
    at = { n: Math.min(rows().length - 1, Math.max(0, n)), k: Math.min(units.length - 1, Math.max(0, k)) };
    cells.flat().forEach((cell) => {
      const chosen = cell === cells[at.n][at.k];
      cell.el.tabIndex = chosen ? 0 : -1;
      cell.el.classList.toggle("is-chosen", chosen);
    });
    if (focus) cells[at.n][at.k].el.focus();
    explain();
  }

  function explain() {
    if (!shown) return;
    const { steps, at: t, forced } = shown;
    const say = (n, k) => {
      const { part } = rows()[n];
      if (t > 0) return arithmetic(part, k, steps[t], steps[t - 1], forced);
      return part === "h" || part === "c" ? `${part} = 0.00, where every reading starts` : "nothing yet";
    };
    cells.forEach((row, n) => row.forEach((cell, k) => cell.el.setAttribute("aria-label", say(n, k))));
    sum.replaceChildren(h("bdi", {}, units[at.k]), `: ${say(at.n, at.k)}`);
  }

  body.addEventListener("click", (event) => {
    const cell = /** @type {HTMLElement} */ (event.target).closest("td");
    const n = cells.findIndex((row) => row.some((one) => one.el === cell));
    if (n >= 0) choose(n, cells[n].findIndex((one) => one.el === cell), true);
  });
  body.addEventListener("keydown", (event) => {
    const { n, k } = at;
    const moves = { ArrowUp: [n - 1, k], ArrowDown: [n + 1, k], ArrowLeft: [n, k - 1], ArrowRight: [n, k + 1],
      Home: [n, 0], End: [n, units.length - 1] };
    if (!Object.hasOwn(moves, event.key) || event.altKey || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    choose(moves[event.key][0], moves[event.key][1], true);
  });

  function show(given) {
    shown = given;
    const { kind, steps, at: t, word, x, forced } = given;
    if (kind !== drawn) draw(kind);
    const now = steps[t];
    const brief = (value) => number(value).replace(/\.?0+$/, "");
    const vector = x && x.length <= 4 ? `, x = (${x.map(brief).join(", ")})` : "";
    caption.textContent = t === 0 ? "Before the first word" : `Step ${t}: “${word}”${vector}`;
    const values = rows().map(({ part }) => (t === 0 ? { h: now.h, c: now.c }[part] : now[part] ?? now.from.h[part]));
    rows().forEach(({ part, share }, n) => cells[n].forEach((cell, k) => {
      const value = values[n]?.[k];
      const whole = share || part === "g" || part === "h";
      const limit = whole ? 1 : limitOf(steps.map((one) => (part === "c" ? one.c : one.from.h?.[part] ?? [])));
      cell.bar.set(value ?? 0, limit, share);
      cell.text.textContent = value === undefined ? "–" : number(value);
      cell.el.classList.toggle("is-forced", part in forced);
    }));
    explain();
  }
  return {
    el, show,
    chosen: () => at,
    /** Go back to the cell a reader left. @param {{ n: number, k: number } | undefined} left */
    recall: (left) => left && choose(left.n, left.k),
  };
}
