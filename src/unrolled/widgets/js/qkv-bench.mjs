// The QKV bench: tokens, three matrices, and the arithmetic of every number that comes out.

import { button, choice, h, number, root, shade, toggle } from "./dom.mjs";
import { pageOf } from "./page.mjs";
import { arithmetic, attentionOf, short } from "./qkv.mjs";
import { numberSheet, resultSheet } from "./qkv-sheet.mjs";

const LANES = [["Q", "W_q", "query", "looks for"], ["K", "W_k", "key", "is"], ["V", "W_v", "value", "hands over"]];
const copy = (bench) => JSON.parse(JSON.stringify(bench));
const numbered = (matrix) => matrix[0].map((_, k) => String(k + 1));
const written = (x) => (Math.abs(x) < 1000 ? number(x, 2) : short(x));

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const settings = model.get("settings");
  const title = model.get("title");
  const page = pageOf(model);
  let bench = copy(model.get("bench"));
  let chosen = { table: "weights", i: 0, j: 0 };
  /** @type {Record<string, any>} the sheets on the bench, by name */
  let sheets = {};

  const now = () => settings[model.get("setting")];
  const tokens = () => now().tokens;
  const keys = () => (bench.cross ? now().source_tokens : now().tokens);

  const start = choice({ label: "Start from", options: settings.map((one) => one.name), value: model.get("setting"),
    onInput: (index) => begin(index) });
  const note = h("p", { class: "u-help" });
  const switches = h("div", { class: "u-controls u-switches" });
  const sheetBox = h("div", { class: "u-qkv-sheets" });
  const silence = h("p", { class: "u-silence" });
  const asked = h("div", { class: "u-arithmetic", role: "status", "aria-live": "polite", "aria-label": "Arithmetic" });

  const box = root(el, title || "The QKV bench", title && h("p", { class: "u-title" }, title),
    h("div", { class: "u-qkv" },
      h("div", { class: "u-controls" }, settings.length > 1 && start.el, button("Reset", () => begin(model.get("setting")))),
      switches, note, sheetBox, asked,
      h("p", { class: "u-help" }, "Choose any cell of a result to see its arithmetic; what it was made of is framed. "
        + "Arrow keys go from cell to cell; Page Up and Page Down change a number by a half. Numbers are shown with two "
        + "digits and computed with all of them.")));

  /** Put a setting on the bench, as it was at the start. */
  function begin(index) {
    bench = copy(settings[index].bench);
    model.set("setting", index);
    build();
    keep();
  }

  /** Show what changed, and let the kernel know, where there is one. */
  function keep() {
    show();
    model.set("bench", copy(bench));
    model.save_changes();
  }

  function write(table, i, j, value) {
    bench[table][i][j] = value;
    keep();
  }

  /** A check box for every token that can be looked at. */
  function reality(names, which) {
    return names.map((name, i) => {
      const input = h("input", { type: "checkbox", "aria-label": `${name} is a real token, not padding`, onchange: () => {
        bench[which][i] = input.checked;
        keep();
      } });
      input.checked = bench[which][i];
      return input;
    });
  }

  /** Lay the bench anew: other tokens, other shapes, or another source. */
  function build() {
    const { features } = now();
    const own = !bench.cross;
    const input = (name, formula, words, rows, columns, tail) => numberSheet({ name, formula, words, rows, columns,
      values: () => bench[name], onNumber: (i, j, value) => write(name, i, j, value), tail, tailHead: "real" });
    const result = (name, formula, words, rows, columns) => resultSheet({ name, formula, words, rows, columns,
      onAsk: (i, j) => ask({ table: name, i, j }) });
    const source = own ? "X" : "Z";
    sheets = { X: input("X", "X", own ? "the tokens" : "the tokens that look", tokens(), features,
      own ? reality(tokens(), "realX") : undefined) };
    if (!own) {
      sheets.Z = input("Z", "Z", "the source: the tokens looked at", keys(), features, reality(keys(), "realZ"));
    }
    LANES.forEach(([name, matrix, what, does]) => {
      sheets[matrix] = input(matrix, matrix, `makes each ${what}`, features, numbered(bench[matrix]));
      sheets[name] = result(name, `${name} = ${name === "Q" ? "X" : source}\u202f${matrix}`, `it ${does}`,
        name === "Q" ? tokens() : keys(), numbered(bench[matrix]));
    });
    const divisor = `\u221a${bench.W_q[0].length}`;
    sheets.scores = result("scores", `Q\u202fK\u1d40${bench.scale ? ` / ${divisor}` : ""}`, "scores", tokens(), keys());
    sheets.weights = result("weights", "softmax", "weights", tokens(), keys());
    sheets.context = result("context", "weights \u00b7 V", "context vectors", tokens(), numbered(bench.W_v));
    sheetBox.replaceChildren(
      h("div", { class: "u-lane" }, sheets.X.el, sheets.Z && sheets.Z.el),
      h("div", { class: "u-lanes" }, LANES.map(([name, matrix]) =>
        h("div", { class: "u-lane" }, sheets[matrix].el, sheets[name].el))),
      h("div", { class: "u-lanes" }, sheets.scores.el, sheets.weights.el, sheets.context.el, silence));

    const press = (label, key, again) => toggle({ label, pressed: bench[key], onToggle: (on) => {
      bench[key] = on;
      if (again) build();
      keep();
    } });
    const had = [...switches.children].indexOf(/** @type {any} */ (switches.getRootNode()).activeElement);
    switches.replaceChildren(...[press(`Divide by ${divisor}`, "scale", true),
      now().bench.Z.length > 0 && press("Cross-attention", "cross", true),
      own && press("Causal mask", "causal", false)].filter((one) => one instanceof Node));
    if (had >= 0) /** @type {any} */ (switches.children[had]).focus();
    note.textContent = now().note;
    // At the start the chosen cell is one worth asking for: the last token's weight on the one before it.
    const [T, S] = [tokens().length, keys().length];
    chosen = { table: "weights", i: T - 1, j: Math.max(0, Math.min(S, T) - 2) };
  }

  function ask(cell) {
    chosen = cell;
    show();
  }

  function show() {
    const made = attentionOf(bench);
    ["X", "Z", "W_q", "W_k", "W_v"].forEach((name) => sheets[name]?.show());
    ["Q", "K", "V", "scores", "weights", "context"].forEach((name) => fill(name, made));
    frame(made);
    const blind = tokens().filter((_, i) => made.mask[i].every((may) => !may));
    silence.textContent = blind.length === 0 ? "" : `${blind.join(", ")} may attend to nothing: zeros, not NaN.`;
    Object.assign(box.dataset, { bench: JSON.stringify(bench), chosen: JSON.stringify(chosen),
      ...Object.fromEntries(["Q", "K", "V", "scores", "weights", "context"].map((name) =>
        [`made${name.charAt(0).toUpperCase()}${name.slice(1)}`, JSON.stringify(made[name])])) });
    page.tables(() => tables(made));
  }

  /** Every matrix of the bench, as in ../qkv_bench.py. */
  function tables(made) {
    const { features } = now();
    const names = (matrix) => matrix[0].map((_, k) => String(k + 1));
    const table = (caption, rows, columns, matrix, full) =>
      ({ caption, columns, rows: matrix.map((row, i) => [rows[i], row]), full });
    const silent = tokens().map((token, i) => (made.mask[i].some(Boolean) ? token : `${token} (may attend to nothing)`));
    const divided = bench.scale ? `, divided by the root of ${bench.W_q[0].length}` : "";
    return [
      table("X, the tokens", tokens(), features, bench.X),
      ...(bench.cross ? [table("Z, the source", keys(), features, bench.Z)] : []),
      ...[["W_q", "for queries"], ["W_k", "for keys"], ["W_v", "for values"]].map(([name, what]) =>
        table(`${name}, ${what}`, features, names(bench[name]), bench[name])),
      table("Q, what each token looks for", tokens(), names(made.Q), made.Q),
      table("K, what each token is", keys(), names(made.K), made.K),
      table("V, what each token hands over", keys(), names(made.V), made.V),
      table(`Scores${divided}. Each row looks, each column is looked at`, tokens(), keys(), made.scores),
      table("Weights", silent, keys(), made.weights, 1),
      table("Context vectors", tokens(), names(made.context), made.context),
    ];
  }

  /** Write one result, and say of its cells what they are. */
  function fill(name, made) {
    made[name].forEach((row, i) => row.forEach((x, j) => {
      const cell = sheets[name].cells[i][j];
      const masked = (name === "scores" || name === "weights") && !made.mask[i][j];
      cell.textContent = written(x);
      cell.classList.toggle("is-masked", masked);
      if (name === "weights") shade(cell, x);
      const across = { scores: keys()[j], weights: keys()[j] }[name];
      const row_ = (name === "K" || name === "V" ? keys() : tokens())[i];
      cell.setAttribute("aria-label", across === undefined ? `${name}, ${row_}, ${j + 1}: ${written(x)}`
        : `${name}, ${row_} looks at ${across}: ${written(x)}${masked ? ", masked" : ""}`);
    }));
  }

  /** Spell out the chosen cell, and frame it and what it was made of. */
  function frame(made) {
    const told = arithmetic(bench, made, chosen, { tokens: tokens(), keys: keys(), source: bench.cross ? "Z" : "X" });
    const text = [told.title, ...told.lines].join("\n");
    if (asked.dataset.text !== text) {
      asked.dataset.text = text;
      asked.replaceChildren(h("p", { class: "u-asked" }, told.title), ...told.lines.map((line) => h("p", {}, line)));
    }
    Object.entries(sheets).forEach(([name, { cells }]) => cells.forEach((row, i) => row.forEach((cell, j) => {
      const from = told.from.some((place) => place.table === name
        && (place.i === null || place.i === i) && (place.j === null || place.j === j));
      cell.classList.toggle("is-from", from);
      const here = name === chosen.table && i === chosen.i && j === chosen.j;
      cell.classList.toggle("is-chosen", here);
      if (cell.tagName === "TD") cell.setAttribute("aria-selected", String(here));
    })));
  }

  function follow() {
    const given = model.get("bench");
    if (JSON.stringify(given) === JSON.stringify(bench)) return;
    const cross = bench.cross;
    bench = copy(given);
    start.set(model.get("setting"));
    if (cross !== bench.cross || sheets.X.cells.length !== bench.X.length) build();
    show();
  }
  function followSetting() {
    start.set(model.get("setting"));
    bench = copy(now().bench);
    build();
    show();
  }
  model.on("change:bench", follow);
  model.on("change:setting", followSetting);
  build();
  chosen = page.recalled.chosen ?? chosen;
  show();
  page.remembers(() => ({ chosen }));
  return () => {
    model.off("change:bench", follow);
    model.off("change:setting", followSetting);
  };
}
