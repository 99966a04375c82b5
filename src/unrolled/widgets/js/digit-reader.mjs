// The digit reader: draw a digit, and a whole vision transformer reads it in the page. What its class token attends
// to lies over the strokes; a patch can be wiped, or its token taken out.

import { softmax } from "./core.mjs";
import { button, choice, h, isPressed, liveRegion, number, root, shade, svg, toggle } from "./dom.mjs";
import { pageOf } from "./page.mjs";
import { vit } from "./transformer.mjs";
import { unpack } from "./unpack.mjs";

const LEVELS = 16; // of ink in a cell: as many dots of a finer grid, 4 x 4, are written on
const FINE = 4; // dots along the side of a cell
const PEN = 2.1; // half the width of a stroke, in dots

/**
 * How many dots of each cell a stroke covers, as scikit-learn's digits were counted.
 * @param {[number, number][]} path places in cells, from the upper left @param {number} side cells along a side
 * @returns {number[]} [side · side], from 0 to 16
 */
export function covered(path, side) {
  const far = (x, y) => Math.min(...path.map(([x2, y2], k) => {
    const [x1, y1] = path[Math.max(0, k - 1)];
    const [dx, dy] = [x2 - x1, y2 - y1], length = dx * dx + dy * dy;
    const t = length ? Math.min(1, Math.max(0, ((x - x1) * dx + (y - y1) * dy) / length)) : 0;
    return Math.hypot(x - x1 - t * dx, y - y1 - t * dy);
  }));
  const counts = Array.from({ length: side * side }, () => 0);
  for (let i = 0; i < side * FINE; i++) {
    for (let j = 0; j < side * FINE; j++) {
      const cell = Math.floor(i / FINE) * side + Math.floor(j / FINE);
      if (far((j + 0.5) / FINE, (i + 0.5) / FINE) <= PEN / FINE) counts[cell] += 1;
    }
  }
  return counts;
}

/**
 * Attention through all blocks: the mean over heads, half of what goes past it, multiplied. The class token's row.
 * @param {number[][][][]} layers weights of each block, [layers, heads, T, T] @returns {number[]} [T]
 */
export function rolledOut(layers) {
  const first = layers[0][0].length;
  /** @type {number[]} */
  let row = Array.from({ length: first }, (_, j) => (j === 0 ? 1 : 0));
  for (const heads of [...layers].reverse()) {
    row = row.map((own, j) => own / 2 + row.reduce((sum, r, i) =>
      sum + (r / 2) * (heads.reduce((all, head) => all + head[i][j], 0) / heads.length), 0));
  }
  return row;
}

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const get = (/** @type {string} */ name) => model.get(name);
  const [side, patch, nHeads, nLayers, title, examples] = ["side", "patch", "n_heads", "n_layers", "title", "examples"].map(get);
  const weights = unpack(get("packed"));
  const across = side / patch, nPatches = across * across;
  const page = pageOf(model);
  const live = liveRegion();
  let ink = [...get("ink")];
  let [wiped, gone] = [[...get("wiped")], [...get("gone")]];
  let [look, how, here] = page.recalled.look ?? [nLayers * (nHeads + 1) - 1, 0, 0];
  const patchOf = (/** @type {number} */ cell) =>
    Math.floor(Math.floor(cell / side) / patch) * across + Math.floor((cell % side) / patch);
  const named = (p) => `${Math.floor(p / across) + 1},${(p % across) + 1}`;

  // What can be looked at: each head of each block, their mean, and all blocks together.
  const views = [...Array.from({ length: nLayers }, (_, l) => [
    ...Array.from({ length: nHeads }, (_, k) => `block ${l + 1}, head ${k + 1}`), `block ${l + 1}, mean of the heads`]).flat(), "rollout through all blocks"];

  const cells = ink.map((_, i) => h("div", { role: "gridcell", class: "u-ink", tabindex: i === here ? 0 : -1 }));
  const over = svg("svg", { class: "u-looked", viewBox: `0 0 ${side} ${side}`, "aria-hidden": "true" });
  const grid = h("div", { class: "u-drawing", role: "grid", "aria-label": "Drawing: arrows move, Space puts ink or takes it away",
    style: `--side: ${side}` },
    Array.from({ length: side }, (_, y) => h("div", { role: "row", class: "u-drawing-row" }, cells.slice(y * side, (y + 1) * side))), over);

  const taken = choice({ label: "Picture", options: [...examples.map(({ name }) => name), "your own, on empty paper"], value: shownExample(),
    onInput: (i) => draw(i < examples.length ? [...examples[i].ink] : ink.map(() => 0), true) });
  const rubber = toggle({ label: "Rubber", pressed: page.recalled.rubber ?? false, onToggle: () => say("") });
  const clear = button("Clear", () => draw(ink.map(() => 0), true));
  const attended = choice({ label: "Attention of the class token", options: views, value: look, onInput: (i) => {
    look = i;
    show();
    say("");
  } });
  const erasing = choice({ label: "To erase a patch", value: how, options: ["wipe off its ink", "take its token out"],
    onInput: (i) => { how = i; show(); } });
  const most = button("Erase what it attends to most", () => {
    const row = seen.rows[look];
    const left = [...row.keys()].slice(1).filter((j) => !wiped.includes(j - 1) && !gone.includes(j - 1));
    if (left.length) erase(left.reduce((best, j) => (row[j] > row[best] ? j : best)) - 1);
  });
  const back = button("Put all back", () => {
    [wiped, gone] = [[], []];
    keep();
    show();
    say("All patches are back. ");
  });
  const board = Array.from({ length: nPatches }, (_, p) => h("button", { type: "button", class: "u-patch", onclick: () => erase(p) }));
  const bars = h("ul", { class: "u-shares u-digits" });
  const verdict = h("p", { class: "u-read" });
  const itself = h("p", { class: "u-help" });
  const box = root(el, title || "The digit reader", title && h("p", { class: "u-title" }, title),
    h("div", { class: "u-digit-reader" },
      h("div", { class: "u-paper" }, h("div", { class: "u-controls" }, taken.el, rubber, clear), grid,
        h("p", { class: "u-help" }, "Draw with a finger, a pen or a mouse. By keyboard: arrows, Space, or 0 to 9 for the amount of ink.")),
      h("div", {}, h("div", { class: "u-controls" }, attended.el),
        h("div", { class: "u-board", role: "group", "aria-label": "Patches: press one to erase it", style: `--across: ${across}` }, board), itself,
        h("div", { class: "u-controls u-erasing" }, erasing.el, most, back)),
      h("div", { class: "u-answer" }, verdict, bars)), live.el);

  function shownExample() {
    const at = examples.findIndex((one) => one.ink.every((v, i) => v === ink[i]));
    return at < 0 ? examples.length : at;
  }
  let keeping = false;
  function keep() {
    keeping = true; // what is set here needs no answer
    for (const [name, value] of Object.entries({ ink, wiped, gone })) model.set(name, [...value]);
    keeping = false;
    model.save_changes();
  }
  /** Another picture; with `fresh` all patches are back. */
  function draw(next, fresh = false) {
    ink = next;
    if (fresh) [wiped, gone] = [[], []];
    keep();
    show();
    say("");
  }
  function erase(/** @type {number} */ p) {
    const was = wiped.includes(p) || gone.includes(p);
    [wiped, gone] = [wiped, gone].map((one) => one.filter((q) => q !== p));
    if (!was) (how ? gone : wiped).push(p);
    keep();
    show();
    say(`Patch ${named(p)} ${was ? "is back" : how ? "is out" : "is wiped"}. `);
  }

  // Drawing by pointer and by touch.
  /** @type {{ before: number[], path: [number, number][] } | null} */
  let stroke = null;
  const placeOf = (/** @type {PointerEvent} */ event) => {
    const at = grid.getBoundingClientRect();
    return /** @type {[number, number]} */ ([(event.clientX - at.left) / at.width * side, (event.clientY - at.top) / at.height * side]);
  };
  function extend(/** @type {PointerEvent} */ event) {
    if (!stroke) return;
    stroke.path.push(placeOf(event));
    const dots = covered(stroke.path, side);
    ink = stroke.before.map((was, i) => (isPressed(rubber) ? Math.min(was, LEVELS - dots[i]) : Math.max(was, dots[i])));
    show();
  }
  grid.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    stroke = { before: [...ink], path: [] };
    grid.setPointerCapture(event.pointerId);
    extend(event);
  });
  grid.addEventListener("pointermove", extend);
  for (const name of ["pointerup", "pointercancel"]) {
    grid.addEventListener(name, () => {
      if (!stroke) return;
      stroke = null;
      draw([...ink]);
    });
  }
  grid.addEventListener("keydown", (event) => {
    const [y, x] = [Math.floor(here / side), here % side];
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], Home: [0, -x], End: [0, side - 1 - x] };
    const step = steps[event.key];
    const amount = event.key === " " || event.key === "Enter" ? (ink[here] ? 0 : LEVELS)
      : /^[0-9]$/.test(event.key) ? Math.round((Number(event.key) / 9) * LEVELS) : null;
    if (event.ctrlKey || event.metaKey || event.altKey || (!step && amount === null)) return;
    event.preventDefault();
    if (step) {
      const [ny, nx] = [y + step[0], x + step[1]].map((v) => Math.min(side - 1, Math.max(0, v)));
      cells[here].tabIndex = -1;
      here = ny * side + nx;
      cells[here].tabIndex = 0;
      cells[here].focus();
    } else draw(ink.map((was, i) => (i === here ? amount : was)));
  });
  grid.addEventListener("focusin", (event) => {
    const at = cells.indexOf(/** @type {any} */ (event.target));
    if (at >= 0) here = at;
  });

  /** @type {{ chances: number[], rows: number[][], best: number }} */
  let seen;
  function show() {
    taken.set(shownExample());
    const pixels = ink.map((v, i) => (wiped.includes(patchOf(i)) ? 0 : v / LEVELS));
    const { blocks, logits } = vit(pixels, weights, { nHeads, nLayers, side, patch, gone, activation: get("activation"), eps: get("eps") });
    const chances = softmax(logits);
    const layers = blocks.map(({ attention }) => attention.heads.map((head) => head.weights));
    const mean = (rows) => rows[0].map((_, j) => rows.reduce((sum, row) => sum + row[j], 0) / rows.length);
    const ofClass = layers.map((heads) => heads.map((head) => head[0]));
    const rows = [...ofClass.flatMap((heads) => [...heads, mean(heads)]), rolledOut(layers)];
    seen = { chances, rows, best: chances.indexOf(Math.max(...chances)) };
    const row = rows[look], top = Math.max(...row.slice(1), 1e-9);
    cells.forEach((cell, i) => {
      const amount = wiped.includes(patchOf(i)) ? 0 : ink[i];
      cell.style.setProperty("--w", String(amount / LEVELS));
      cell.setAttribute("aria-label", `row ${Math.floor(i / side) + 1}, column ${(i % side) + 1}: ink ${amount} of ${LEVELS}`);
    });
    over.replaceChildren(...Array.from({ length: nPatches }, (_, p) => {
      const [x, y] = [(p % across) * patch, Math.floor(p / across) * patch];
      const out = gone.includes(p) || wiped.includes(p);
      return svg("g", {},
        svg("rect", { class: "u-glow", x, y, width: patch, height: patch, style: `--w: ${(out ? 0 : row[p + 1] / top).toFixed(3)}` }),
        out && svg("path", { class: "u-cross", d: `M${x + 0.3} ${y + 0.3}l${patch - 0.6} ${patch - 0.6}m0 ${0.6 - patch}l${0.6 - patch} ${patch - 0.6}` }));
    }));
    board.forEach((one, p) => {
      const out = gone.includes(p) ? "out" : wiped.includes(p) ? "wiped" : "";
      one.setAttribute("aria-pressed", String(out !== ""));
      one.replaceChildren(out || number(row[p + 1]), h("span", { class: "u-hidden" }, ` patch ${named(p)}`));
      shade(one, row[p + 1]);
    });
    itself.textContent = `To itself: ${number(row[0])}. Press a patch to erase it, or to put it back.`;
    verdict.replaceChildren("Read as ", h("strong", {}, String(seen.best)), ` (${number(chances[seen.best])})`);
    bars.replaceChildren(...chances.map((share, digit) => h("li", {},
      h("span", { class: `u-share-word${digit === seen.best ? " u-target" : ""}` }, String(digit)),
      h("span", { class: "u-share-bar", style: `--w: ${(100 * share).toFixed(2)}%` }),
      h("span", { class: "u-share-number" }, number(share)))));
    Object.assign(box.dataset, { logits: JSON.stringify(logits), chances: JSON.stringify(chances), attention: JSON.stringify(ofClass),
      rollout: JSON.stringify(rows[rows.length - 1]) });
    page.tables(tables);
  }

  /** As in ../digit_reader.py. */
  function tables() {
    const told = (/** @type {number[]} */ of, /** @type {string} */ what) =>
      (of.length ? ` Patches ${what}: ${of.map(named).join("; ")}.` : "");
    const without = told(wiped, "wiped") + told(gone, "out");
    return [
      { caption: `How probable each digit is.${without}`, columns: seen.chances.map((_, digit) => String(digit)), rows: [["probability", seen.chances]] },
      { caption: `What the class token attends to: itself, and each patch by its row and column.${without}`,
        columns: ["itself", ...board.map((_, p) => named(p))], full: 1,
        rows: seen.rows.flatMap((row, i) => (views[i].includes("head ") ? [[views[i], row]] : [])) },
    ];
  }
  function say(before = "") {
    live.say(`${before}Read as ${seen.best}, probability ${number(seen.chances[seen.best])}.`);
  }

  const follow = () => {
    if (keeping) return;
    [ink, wiped, gone] = [get("ink"), get("wiped"), get("gone")].map((one) => [...one]);
    show();
  };
  const heard = ["ink", "wiped", "gone"];
  heard.forEach((name) => model.on(`change:${name}`, follow));
  show();
  page.remembers(() => ({ look: [look, how, here], rubber: isPressed(rubber) }));
  return () => heard.forEach((name) => model.off(`change:${name}`, follow));
}
