// The training timeline: what each worker computes, sends and waits for in one step.

import { button, choice, h, isPressed, liveRegion, number, onResize, root, slider, svg, toggle } from "./dom.mjs";
import { pageOf, startOf } from "./page.mjs";
import { timeline } from "./timeline.mjs";

const NAMES = ["workers", "megabytes", "gigabytes_per_s", "compute_ms", "buckets", "overlap", "strategy", "latency_us"];
const STRATEGIES = ["ddp", "fsdp"];
const SAID = { ddp: "DDP", fsdp: "FSDP" };
// Places of the sliders whose numbers span orders of magnitude.
const STEPS = [1, 2, 5];
const magnitudes = (low, high) => {
  const all = [];
  for (let power = low; power <= high; power += 1) all.push(...STEPS.map((x) => Number((x * 10 ** power).toPrecision(1))));
  return all;
};
const SCALES = {
  megabytes: magnitudes(0, 4), gigabytes_per_s: magnitudes(-2, 2), compute_ms: magnitudes(0, 3), latency_us: [0, ...magnitudes(0, 3)],
};
const [LEFT, RIGHT, LANE, GAP, TOP] = [70, 8, 15, 7, 22];
const LETTERS = { forward: "F", backward: "B", gather: "G", reduce: "R" };

/** A number as short as it can be: 0.05, 12.5, 1,200. @param {number} x */
const short = (x) => (x >= 1000 ? Math.round(x).toLocaleString("en-US") : String(Number(x.toPrecision(3))));

/** Steps of an axis that ends at `top`: 1, 2 or 5 times a power of ten, four to nine of them. @param {number} top */
function ticks(top) {
  const power = 10 ** Math.floor(Math.log10(top / 4));
  const step = [1, 2, 5, 10].map((x) => x * power).find((x) => top / x <= 6) ?? 10 * power;
  return Array.from({ length: Math.floor(top / step + 1e-9) + 1 }, (_, i) => i * step);
}

/** What is told of a setting, as in ../training_timeline.py. @param {import("./timeline.mjs").Setting} s */
const told = (s) => `${SAID[s.strategy]}, a model of ${short(s.megabytes)} MB, ${short(s.gigabytes_per_s)} GB/s, `
  + `${short(s.latency_us)} µs a message, ${short(s.compute_ms)} ms of computing, `
  + `${s.buckets} ${s.buckets === 1 ? "piece" : "pieces"}, ${s.overlap ? "with" : "without"} overlap`;

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  /** @type {any} */
  let s = Object.fromEntries(NAMES.map((name) => [name, model.get(name)]));
  const title = model.get("title");
  const start = Object.fromEntries(NAMES.map((name) => [name, startOf(model, name)]));
  const page = pageOf(model);
  let keeping = false;

  let width = 600;
  const live = liveRegion();
  live.el.classList.add("u-hidden"); // the figures show the same to the eye
  const change = (/** @type {any} */ part) => {
    s = { ...s, ...part };
    keep();
  };
  const along = (name, label, unit) => {
    // What Python gave may lie between the places of the scale.
    const places = [...new Set([...SCALES[name], start[name], s[name]])].sort((a, b) => a - b);
    return { name, places, ...slider({ label, min: 0, max: places.length - 1, step: 1, value: places.indexOf(s[name]),
      format: (i) => `${short(places[i])} ${unit}`, onInput: (i) => change({ [name]: places[i] }) }) };
  };
  const whole = (name, label, min, max) => slider({ label, min, max, step: 1, value: s[name], format: String,
    onInput: (x) => change({ [name]: x }) });
  const workers = whole("workers", "Workers", 1, 8);
  const buckets = whole("buckets", "Pieces that the model is sent in", 1, 12);
  const scaled = [
    along("megabytes", "Model: bytes of its gradients", "MB"), along("gigabytes_per_s", "Bandwidth of each worker", "GB/s"),
    along("compute_ms", "Computing per step", "ms"), along("latency_us", "Latency of a message", "µs"),
  ];
  const strategy = choice({ label: "Strategy", options: ["DDP: all have the whole model", "FSDP: each keeps a share"],
    value: STRATEGIES.indexOf(s.strategy), onInput: (i) => change({ strategy: STRATEGIES[i] }) });
  const overlapping = () => toggle({ label: "Overlap", pressed: s.overlap, onToggle: (overlap) => change({ overlap }) });
  let laps = overlapping();
  const overlap = h("div", { class: "u-buttons" }, laps, button("Reset", () => change(start)));

  const picture = svg("svg", { class: "u-timeline", role: "img" });
  const facts = h("dl", { class: "u-facts" });
  const key = h("ul", { class: "u-timeline-key" });
  const box = root(el, title || "Training timeline", title && h("p", { class: "u-title" }, title),
    h("div", { class: "u-timeline-controls" }, strategy.el, workers.el, scaled[0].el, scaled[1].el, scaled[2].el, buckets.el,
      scaled[3].el, overlap),
    h("div", { class: "u-timeline-place" }, picture), key, facts, live.el,
    h("p", { class: "u-help" }, "All workers do the same at the same time. The optimizer's step is left out, and the wire "
      + "carries one message after another."));

  /** Rectangles of one worker. @param {any} step @param {(ms: number) => number} x @param {number} y @param {number} i */
  function lanes(step, x, y, i) {
    const draw = (/** @type {any} */ span, top) => {
      const [from, to] = [x(span.start), x(span.end)];
      return [
        svg("rect", { class: `u-span is-${span.kind}`, x: from, y: top, width: Math.max(0.6, to - from), height: LANE }),
        to - from > 12 && svg("text", { class: "u-span-text", x: (from + to) / 2, y: top + LANE - 3.5, "text-anchor": "middle" },
          LETTERS[span.kind])];
    };
    return [
      svg("text", { class: "u-text", x: 0, y: y + LANE - 1 }, `worker ${i + 1}`),
      svg("rect", { class: "u-waiting", x: x(0), y, width: x(step.step) - x(0), height: LANE }),
      step.compute.map((span) => draw(span, y)),
      svg("line", { class: "u-line", x1: x(0), x2: x(step.step), y1: y + 1.5 * LANE + 1, y2: y + 1.5 * LANE + 1 }),
      step.wire.map((span) => draw(span, y + LANE + 1)),
    ].flat(3);
  }

  function show(aloud = false) {
    const step = timeline(s);
    const high = TOP + s.workers * (2 * LANE + 1 + GAP);
    const x = (ms) => LEFT + (ms / step.step) * (width - LEFT - RIGHT);
    picture.setAttribute("viewBox", `0 0 ${width} ${high}`);
    picture.setAttribute("width", String(width));
    picture.setAttribute("height", String(high));
    const marks = ticks(step.step);
    picture.replaceChildren(...[
      marks.map((ms, i) => [
        svg("line", { class: "u-line", x1: x(ms), x2: x(ms), y1: TOP - 4, y2: high }),
        svg("text", { class: "u-text", x: Math.min(x(ms), width - 22), y: 12, "text-anchor": i ? "middle" : "start" },
          i ? short(ms) : "0 ms")]),
      Array.from({ length: s.workers }, (_, i) => lanes(step, x, TOP + i * (2 * LANE + 1 + GAP), i)),
    ].flat(4).filter(Boolean));
    const waits = step.step - s.compute_ms;
    const kinds = s.strategy === "ddp"
      ? [["forward", "F forward"], ["backward", "B backward"], ["reduce", "R all-reduce of a piece"]]
      : [["forward", "F forward"], ["backward", "B backward"], ["gather", "G all-gather of parameters"],
        ["reduce", "R reduce-scatter of gradients"]];
    key.replaceChildren(...kinds.map(([kind, text]) => h("li", {}, h("i", { class: `is-${kind}`, "aria-hidden": "true" }), text)),
      h("li", {}, h("i", { class: "is-waiting", "aria-hidden": "true" }), "waiting"));
    facts.replaceChildren(...[
      ["One step", `${short(step.step)} ms`], ["of it waiting", `${short(Math.max(0, waits))} ms`],
      ["Efficiency", `${number(100 * step.efficiency, 1)} %`], ["Speed, one worker is 1", number(step.speedup)],
      ["Each worker sends", `${short(step.sent)} MB`], ["and keeps, with AdamW", `${short(step.held)} MB`],
    ].map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
    const said = `${s.workers} ${s.workers === 1 ? "worker" : "workers"}: a step takes ${short(step.step)} ms, efficiency `
      + `${number(100 * step.efficiency, 1)} %, ${number(step.speedup)} times the tokens of one worker, ${short(step.sent)} MB sent by each.`;
    picture.setAttribute("aria-label", `${told(s)}. ${said}`);
    if (aloud) live.say(said);
    workers.set(s.workers);
    buckets.set(s.buckets);
    for (const one of scaled) one.set(one.places.indexOf(s[one.name]));
    strategy.set(STRATEGIES.indexOf(s.strategy));
    if (isPressed(laps) !== s.overlap) {
      const anew = overlapping();
      laps.replaceWith(anew);
      laps = anew;
    }
    Object.assign(box.dataset, { setting: JSON.stringify(s), step: JSON.stringify(step) });
    // As in ../training_timeline.py.
    page.tables(() => [{
      caption: `One step: ${told(s)}`, digits: 1,
      columns: ["step, ms", "efficiency, %", "tokens, of one worker's", "sent by each, MB", "kept by each, MB"],
      rows: Array.from({ length: 8 }, (_, i) => {
        const one = timeline({ ...s, workers: i + 1 });
        return [`${i + 1} ${i ? "workers" : "worker"}`, [one.step, 100 * one.efficiency, one.speedup, one.sent, one.held]];
      }),
    }]);
  }

  function keep() {
    show(true);
    keeping = true;
    for (const name of NAMES) model.set(name, s[name]);
    model.save_changes();
    keeping = false;
  }

  const follow = () => {
    if (keeping) return;
    s = Object.fromEntries(NAMES.map((name) => [name, model.get(name)]));
    show();
  };
  for (const name of NAMES) model.on(`change:${name}`, follow);
  const watcher = onResize(picture.parentElement, (wide) => {
    const now = Math.max(240, Math.min(740, Math.floor(wide)));
    if (now === width) return;
    width = now;
    show();
  });
  show();
  return () => {
    watcher.disconnect();
    for (const name of NAMES) model.off(`change:${name}`, follow);
  };
}
