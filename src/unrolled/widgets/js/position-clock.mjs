// The position clock: a hand for every pair of components, and what two positions have in common.

import { dot } from "./core.mjs";
import { button, choice, h, liveRegion, number, root, slider, svg } from "./dom.mjs";
import { pageOf } from "./page.mjs";
import { rotary, sinusoidal, speeds } from "./positions.mjs";

const FACE = 60; // a clock's face, in its own units
const [WIDE, HIGH, LEFT] = [420, 150, 56]; // the curve, and the room for the numbers at its left
const KINDS = ["added: sinusoidal", "turned: rotary"];

/**
 * What two positions say of each other.
 * @param {number} kind 0: the dot product of two position vectors; 1: the score of a turned query and a turned key
 * @param {{ query: number[], key: number[], d: number, base: number }} given @param {number} t @param {number} s
 */
export function match(kind, { query, key, d, base }, t, s) {
  if (kind === 0) return dot(sinusoidal(t, d, base), sinusoidal(s, d, base));
  return dot(rotary(query, t, base), rotary(key, s, base));
}

/** A hand's end. Angles go as in mathematics: from three o'clock, against the clock. */
const tip = (angle, length) => [FACE / 2 + length * Math.cos(angle), FACE / 2 - length * Math.sin(angle)];

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const get = (/** @type {string} */ name) => model.get(name);
  const [d, base, maxLen, title] = ["d", "base", "max_len", "title"].map(get);
  const given = { query: get("query"), key: get("key"), d, base };
  let [kind, t, s] = [get("kind"), get("t"), get("s")];
  /** While both positions are handed to the model: the first change would bring the old second one back. */
  let keeping = false;
  const live = liveRegion();
  const page = pageOf(model);
  const turns = speeds(d, base).map((speed) => (2 * Math.PI) / speed);

  const hands = turns.map((turn) => {
    const own = svg("line", { class: "u-hand" }), other = svg("line", { class: "u-hand u-other" });
    const face = svg("svg", { viewBox: `0 0 ${FACE} ${FACE}`, "aria-hidden": "true" },
      svg("circle", { cx: FACE / 2, cy: FACE / 2, r: FACE / 2 - 2, class: "u-face" }), other, own);
    const digits = turn < 100 ? 1 : 0;
    return { own, other, el: h("li", {}, face, h("span", {}, number(turn, digits))) };
  });
  const strip = h("div", { class: "u-cells", role: "img" });
  const stripTitle = h("p", { class: "u-small-title" });
  const matchTitle = h("p", { class: "u-match" });
  const line = svg("polyline", { class: "u-curve" }), point = svg("circle", { r: 5, class: "u-point-at" });
  const zero = svg("line", { class: "u-line" }), upright = svg("line", { class: "u-line" });
  const curveTexts = [0, 1, 2].map((k) => svg("text", { class: "u-text", y: HIGH - 4, "text-anchor": ["start", "middle", "end"][k] }));
  const heights = [0, 1, 2].map(() => svg("text", { class: "u-text", x: LEFT - 6, "text-anchor": "end" }));
  const curveTitle = h("p", { class: "u-small-title" });
  const curve = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, class: "u-match-curve", role: "img" }, zero, upright, line, point, curveTexts, heights);
  const reach = Math.min(maxLen - 1, 40);

  const move = (part, said) => {
    ({ t = t, s = s } = { t, s, ...part });
    sliders[0].set(t);
    sliders[1].set(s);
    show();
    live.say(`${said}${summary()}`);
    keeping = true;
    model.set("t", t);
    model.set("s", s);
    keeping = false;
    model.save_changes();
  };
  const sliders = [
    slider({ label: "Position t, solid hands", min: 0, max: maxLen - 1, step: 1, value: t, format: String, onInput: (x) => move({ t: x }, "") }),
    slider({ label: "Position s, dashed hands", min: 0, max: maxLen - 1, step: 1, value: s, format: String, onInput: (x) => move({ s: x }, "") }),
  ];
  const both = (/** @type {number} */ by) => {
    if (Math.min(t, s) + by < 0 || Math.max(t, s) + by >= maxLen) live.say(`Positions go from 0 to ${maxLen - 1}.`);
    else move({ t: t + by, s: s + by }, "Both moved. ");
  };
  const kinds = choice({ label: "How positions come in", options: KINDS, value: kind, onInput: (i) => {
    kind = i;
    show();
    live.say(`${KINDS[i]}. ${summary()}`);
    model.set("kind", kind);
    model.save_changes();
  } });

  const box = root(el, title || "The position clock", title && h("p", { class: "u-title" }, title),
    h("div", { class: "u-controls" }, kinds.el),
    h("div", { class: "u-clock-controls" }, sliders.map((one) => one.el),
      h("div", { class: "u-buttons" }, button("Both back by 5", () => both(-5)), button("Both on by 5", () => both(5)))),
    h("p", { class: "u-small-title" }, "One hand for each pair of components; beneath, how many positions make a full turn"),
    h("ul", { class: "u-clocks" }, hands.map((hand) => hand.el)),
    stripTitle, strip, matchTitle, curveTitle, curve, live.el);

  function show() {
    const place = (el_, angle, length) => {
      const [x2, y2] = tip(angle, length);
      Object.entries({ x1: FACE / 2, y1: FACE / 2, x2, y2 }).forEach(([name, v]) => el_.setAttribute(name, v.toFixed(2)));
    };
    const [q, k] = [rotary(given.query, t, base), rotary(given.key, s, base)];
    const half = d / 2;
    const longest = Math.max(...[q, k].flatMap((v) => v.slice(0, half).map((_, i) => Math.hypot(v[i], v[i + half]))), 1e-9);
    hands.forEach(({ own, other }, i) => {
      if (kind === 0) {
        // Sine up, cosine across: the vector's two components are the hand's end.
        place(own, t * speeds(d, base)[i], FACE / 2 - 6);
        place(other, s * speeds(d, base)[i], FACE / 2 - 6);
      } else {
        const scale = (FACE / 2 - 6) / longest;
        place(own, Math.atan2(q[i + half], q[i]), Math.hypot(q[i], q[i + half]) * scale);
        place(other, Math.atan2(k[i + half], k[i]), Math.hypot(k[i], k[i + half]) * scale);
      }
    });
    const vector = kind === 0 ? sinusoidal(t, d, base) : q;
    const full = Math.max(...vector.map(Math.abs), 1e-9);
    stripTitle.textContent = kind === 0 ? `What is added at position ${t}: sine and cosine of each hand` : `The query, turned by position ${t}`;
    stripTitle.textContent += `. A bar is full at \u2212${number(full)} or ${number(full)}`;
    strip.setAttribute("aria-label", `${stripTitle.textContent}: ${vector.map((v) => number(v, 2)).join(", ")}`);
    strip.replaceChildren(...vector.map((v, i) => h("span", { class: `u-cell${v < 0 ? " is-negative" : ""}`,
      style: `--w: ${(Math.abs(v) / full).toFixed(3)}`, title: `component ${i + 1}: ${number(v)}` }, h("i", {}))));
    const now = match(kind, given, t, s);
    matchTitle.textContent = `${kind === 0 ? "w(t) · w(s)" : "score of q at t with k at s"} = ${number(now)}, at a distance of ${number(s - t, 0)}`;
    // By distance alone: where t stands makes no difference.
    const offsets = Array.from({ length: 2 * reach + 1 }, (_, i) => i - reach);
    const values = offsets.map((o) => match(kind, given, 0, o));
    const [low, high] = [Math.min(...values, 0), Math.max(...values)];
    const x = (o) => LEFT + ((o + reach) / (2 * reach)) * (WIDE - LEFT - 8);
    const y = (v) => HIGH - 24 - ((v - low) / (high - low || 1)) * (HIGH - 36);
    line.setAttribute("points", offsets.map((o, i) => `${x(o).toFixed(1)},${y(values[i]).toFixed(1)}`).join(" "));
    Object.entries({ x1: LEFT, x2: WIDE - 8, y1: y(0), y2: y(0) }).forEach(([name, v]) => zero.setAttribute(name, String(v)));
    Object.entries({ x1: x(0), x2: x(0), y1: 4, y2: HIGH - 22 }).forEach(([name, v]) => upright.setAttribute(name, String(v)));
    const inside = Math.abs(s - t) <= reach;
    point.setAttribute("visibility", inside ? "visible" : "hidden");
    if (inside) {
      point.setAttribute("cx", String(x(s - t)));
      point.setAttribute("cy", String(y(now)));
    }
    [-reach, 0, reach].forEach((o, i) => {
      curveTexts[i].setAttribute("x", String(x(o)));
      curveTexts[i].textContent = number(o, 0);
    });
    curveTitle.textContent = `${kind === 0 ? "w(t) · w(s)" : "The score"} at every distance s \u2212 t`;
    // The top, the bottom, and zero where it is neither.
    const apart = HIGH / 8;
    [high, low, 0].forEach((v, i) => {
      const crowded = i === 2 && (y(0) - y(high) < apart || y(low) - y(0) < apart);
      heights[i].setAttribute("y", String(y(v) + 4));
      heights[i].textContent = crowded ? "" : number(v, Math.max(high, -low) < 10 ? 2 : 0);
    });
    curve.setAttribute("aria-label", `By distance, from ${number(-reach, 0)} to ${reach}: highest ${number(high)}, lowest ${number(Math.min(...values))}`);
    Object.assign(box.dataset, { vector: JSON.stringify(vector), match: JSON.stringify(now) });
    page.tables(tables);
  }

  /** Both positions in numbers, as in ../position_clock.py. */
  function tables() {
    const last = `${matchTitle.textContent}.`;
    const named = (wave, turn) => `${wave}, turn of ${number(turn, 1)}`;
    if (kind === 0) {
      return [{ caption: `What is added at positions t and s. ${last}`,
        columns: turns.flatMap((turn) => [named("sin", turn), named("cos", turn)]),
        rows: [[`t, position ${t}`, sinusoidal(t, d, base)], [`s, position ${s}`, sinusoidal(s, d, base)]] }];
    }
    // Component i and component i + d/2 are a pair.
    return [{ caption: `The query turned by position t and the key turned by position s. ${last}`,
      columns: ["first", "second"].flatMap((which) => turns.map((turn) => named(which, turn))),
      rows: [[`query, position ${t}`, rotary(given.query, t, base)], [`key, position ${s}`, rotary(given.key, s, base)]] }];
  }

  function summary() {
    return `t is ${t}, s is ${s}: ${matchTitle.textContent}.`;
  }

  function follow() {
    if (keeping) return;
    [kind, t, s] = [get("kind"), get("t"), get("s")];
    kinds.set(kind);
    sliders[0].set(t);
    sliders[1].set(s);
    show();
  }
  const heard = ["change:kind", "change:t", "change:s"];
  heard.forEach((name) => model.on(name, follow));
  show();
  return () => heard.forEach((name) => model.off(name, follow));
}
