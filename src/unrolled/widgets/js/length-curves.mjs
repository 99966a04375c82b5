// Length curves: how well each model does against how long the sentence is, seed by seed.

import { axisTop, nearestIndex, scales, summary } from "./curves.mjs";
import { choice, h, liveRegion, number, onResize, root, slider, svg, toggle, uid } from "./dom.mjs";
import { pageOf } from "./page.mjs";

const HEIGHT = 300;
const MARGIN = { left: 44, right: 16, top: 30, bottom: 50 };

const written = ([low, high]) => (low === high ? String(low) : `${low}\u2013${high}`);

/** The sign of a model: never colour alone. @param {number} k @param {number} x @param {number} y */
function sign(k, x, y) {
  const r = 5;
  const points = [
    null, [[-r, -r], [r, -r], [r, r], [-r, r]], [[0, -r - 1], [r + 1, r], [-r - 1, r]], [[0, -r - 2], [r + 2, 0], [0, r + 2], [-r - 2, 0]],
    [[0, r + 1], [r + 1, -r], [-r - 1, -r]], [[-r, -2], [-2, -2], [-2, -r], [2, -r], [2, -2], [r, -2], [r, 2], [2, 2], [2, r], [-2, r], [-2, 2], [-r, 2]],
  ][k];
  return points === null
    ? svg("circle", { class: "u-sign", cx: x, cy: y, r })
    : svg("polygon", { class: "u-sign", points: points.map(([dx, dy]) => `${x + dx},${y + dy}`).join(" ") });
}

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const [lengths, figures, trainedTo] = [model.get("lengths"), model.get("figures"), model.get("trained_to")];
  const [unit, title] = [model.get("unit"), model.get("title")];
  const names = Object.keys(figures);
  const models = Object.keys(figures[names[0]]);
  const places = lengths.map(([low, high]) => (low + high) / 2);
  const beyond = lengths.map(([low, high]) => {
    if (trainedTo === null || high <= trainedTo) return "";
    return low > trainedTo ? ", never trained on" : `, never trained on above ${trainedTo}`;
  });
  const page = pageOf(model);
  const on = new Set(page.recalled.on ?? models);
  let [figure, at, width] = [model.get("figure"), page.recalled.at ?? 0, 600];

  const live = liveRegion();
  live.el.classList.add("u-hidden"); // the table shows the same to the eye
  const pick = choice({ label: "Figure", options: names, value: names.indexOf(figure), onInput: (k) => {
    figure = names[k];
    show(true);
    model.set("figure", figure);
    model.save_changes();
  } });
  const move = slider({ label: `Length, ${unit}`, min: 0, max: lengths.length - 1, step: 1, value: at,
    format: (k) => `${written(lengths[k])}${beyond[k]}`, onInput: (k) => {
      at = k;
      show(true);
    } });
  const toggles = models.map((name, k) => {
    const one = toggle({ label: name, pressed: on.has(name), onToggle: (pressed) => {
      if (pressed) on.add(name);
      else on.delete(name);
      show(true);
    } });
    one.prepend(svg("svg", { class: `u-sample u-s${k}`, viewBox: "0 0 34 14", width: 34, height: 14, "aria-hidden": "true" },
      svg("line", { class: "u-curve", x1: 1, x2: 33, y1: 7, y2: 7 }), sign(k, 17, 7)));
    return one;
  });
  const plot = svg("svg", { class: "u-curves", height: HEIGHT, role: "img" });
  const id = uid("curves");
  const heading = h("caption", { id });
  const body = h("tbody");
  const table = h("div", { class: "u-roles", tabindex: 0, role: "region", "aria-labelledby": id },
    h("table", {}, heading, h("thead", {}, h("tr", {}, ["model", "mean", "least", "greatest"].map((text) =>
      h("th", { scope: "col" }, text)))), body));
  const box = root(el, title || "Curves by length", title && h("p", { class: "u-title" }, title),
    h("div", { class: "u-lengths" },
      h("div", { class: "u-controls" }, names.length > 1 && pick.el, h("div", { class: "u-buttons u-models", role: "group",
        "aria-label": "Models shown" }, toggles)),
      h("div", { class: "u-plot" }, plot), move.el, table),
    live.el);

  plot.addEventListener("pointermove", point);
  plot.addEventListener("pointerdown", (event) => {
    before = at;
    point(event);
  });
  // A finger that only passed over, and scrolls.
  plot.addEventListener("pointercancel", () => {
    at = before;
    show(true);
  });
  let toLength = (/** @type {number} */ px) => px;
  let before = at;

  /** Choose the length under the pointer. @param {PointerEvent} event */
  function point(event) {
    const { left } = plot.getBoundingClientRect();
    const k = nearestIndex(places, toLength(event.clientX - left));
    if (k === at) return;
    at = k;
    show(true);
  }

  function draw() {
    const curves = models.map((name) => figures[figure][name]);
    const max = axisTop(curves);
    const from = Math.min(lengths[0][0], places[0]);
    const to = lengths.at(-1)[1];
    const { x, y, length } = scales({ width, height: HEIGHT, ...MARGIN, from, to: to === from ? from + 1 : to, max });
    toLength = length;
    plot.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    plot.setAttribute("width", String(width));
    const [right, floor] = [width - MARGIN.right, HEIGHT - MARGIN.bottom];
    const path = (row) => row.map((value, k) => `${k ? "L" : "M"}${x(places[k]).toFixed(1)} ${y(value).toFixed(1)}`).join("");
    const edge = trainedTo === null || trainedTo >= to ? null : x(Math.max(from, trainedTo + 0.5));
    // A label that would touch the one before it is left out; the slider and the table name every length.
    let last = -Infinity;
    const ticks = places.map((place, k) => {
      const text = written(lengths[k]);
      if (x(place) - last < 7 * text.length + 8) return null;
      last = x(place);
      return svg("text", { class: "u-tick", x: x(place), y: floor + 18, "text-anchor": "middle" }, text);
    });
    plot.replaceChildren(...[
      edge !== null && svg("rect", { class: "u-untrained", x: edge, y: MARGIN.top, width: Math.max(0, right - edge), height: floor - MARGIN.top }),
      edge !== null && svg("text", { class: "u-tick", x: right - 4, y: MARGIN.top - 8, "text-anchor": "end" }, "never trained on"),
      [0, 0.25, 0.5, 0.75, 1].map((part) => [
        svg("line", { class: "u-line", x1: MARGIN.left, x2: right, y1: y(part * max), y2: y(part * max) }),
        svg("text", { class: "u-tick", x: MARGIN.left - 6, y: y(part * max) + 4, "text-anchor": "end" },
          max === 1 ? number(part) : number(part * max, 0))]),
      ticks,
      svg("text", { class: "u-tick", x: 2, y: MARGIN.top - 8 }, figure),
      svg("text", { class: "u-tick", x: (MARGIN.left + right) / 2, y: HEIGHT - 8, "text-anchor": "middle" }, `length in ${unit}`),
      svg("line", { class: "u-here", x1: x(places[at]), x2: x(places[at]), y1: MARGIN.top, y2: floor }),
      models.map((name, k) => on.has(name) && svg("g", { class: `u-model u-s${k}`, "data-model": name },
        curves[k].length > 1 && curves[k].map((row) => svg("path", { class: "u-seed", d: path(row) })),
        svg("path", { class: "u-curve", d: path(places.map((_, l) => summary(curves[k], l).mean)) }),
        places.map((place, l) => sign(k, x(place), y(summary(curves[k], l).mean))))),
    ].flat(3).filter(Boolean));
  }

  function show(aloud = false) {
    draw();
    move.set(at);
    const shown = models.filter((name) => on.has(name));
    const all = Object.fromEntries(shown.map((name) => [name, summary(figures[figure][name], at)]));
    const digits = axisTop(Object.values(figures[figure])) === 1 ? 2 : 1;
    const where = `${written(lengths[at])} ${unit}${beyond[at]}`;
    const seeds = Math.max(...Object.values(figures[figure]).map((rows) => rows.length));
    heading.textContent = `${figure} at ${where}${seeds > 1 ? `, over ${seeds} seeds` : ""}`;
    body.replaceChildren(...shown.map((name) => h("tr", {}, h("th", { scope: "row" }, name),
      ["mean", "least", "greatest"].map((part) => h("td", {}, number(all[name][part], digits))))));
    const said = shown.map((name) => `${name} ${number(all[name].mean, digits)}`).join(", ") || "no model is shown";
    plot.setAttribute("aria-label", `${figure} against length. At ${where}: ${said}.`);
    if (aloud) live.say(`${figure} at ${where}: ${said}.`);
    Object.assign(box.dataset, { figure, at: String(at), numbers: JSON.stringify(all) });
    page.tables(() => [numbersOf(shown)]);
  }

  /** The figure of the models shown at every length, as in ../length_curves.py. @param {string[]} shown */
  function numbersOf(shown) {
    const columns = lengths.map((length, k) => written(length) + (beyond[k] && ` (${beyond[k].slice(", ".length)})`));
    const parts = (seeds) => [["mean", ""], ["least", `, least of ${seeds} seeds`], ["greatest", ", greatest"]];
    const rows = shown.flatMap((name) => {
      const given = figures[figure][name];
      const all = lengths.map((_, k) => summary(given, k));
      return parts(given.length).slice(0, given.length > 1 ? 3 : 1)
        .map(([part, text]) => [`${name}${text}`, all.map((one) => one[part])]);
    });
    return { caption: `${figure} by length in ${unit}`, columns, rows };
  }

  const follow = () => {
    figure = model.get("figure");
    pick.set(names.indexOf(figure));
    show();
  };
  model.on("change:figure", follow);
  const watcher = onResize(plot.parentElement, (wide) => {
    const now = Math.max(240, Math.floor(wide));
    if (now === width) return;
    width = now;
    draw();
  });
  show();
  page.remembers(() => ({ on: [...on], at }));
  return () => {
    watcher.disconnect();
    model.off("change:figure", follow);
  };
}
