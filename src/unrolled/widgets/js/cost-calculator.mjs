// The cost calculator: a model, a context, a batch and a card; what it keeps, computes and moves, and which of them bounds it.

import { cacheBytes, operations, parameters, phases, total, traffic, weightBytes } from "./costs.mjs";
import { button, choice, h, liveRegion, number, root, svg, textField } from "./dom.mjs";
import { pageOf, startOf } from "./page.mjs";

const OWN = "sizes of your own";
const BITS = [32, 16, 8, 4];
const FORMATS = ["4 bytes (float32)", "2 bytes (bf16)", "1 byte (8 bit)", "half a byte (4 bit)"];
const KINDS = [
  { name: "biases, learned positions", is: { bias: true, learned: true, encoder: false } },
  { name: "no biases, rotary", is: { bias: false, learned: false, encoder: false } },
  { name: "an encoder, as BERT", is: { bias: true, learned: true, encoder: true } },
];
const FEEDS = ["two matrices", "three, with a gate"];
const TIES = ["the embedding's weights", "weights of its own"];
const PARTS = { embedding: "embeddings", attention: "attention", feedforward: "feed-forward", norms: "norms", head: "output layer" };
const NAMES = { training: "training step", prefill: "prefill", decode: "decoding step" };
const [WIDE, HIGH, LEFT, BOTTOM] = [440, 230, 62, 40];
const RAISED = Object.fromEntries([..."-0123456789"].map((c, i) => [c, "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079"[i]]));

/** "13.02 billion" @param {bigint | number} x @param {string} unit */
export function amount(x, unit) {
  const steps = unit === "B" ? ["B", "kB", "MB", "GB", "TB", "PB"] : ["", " thousand", " million", " billion", " trillion", " quadrillion"];
  let [value, k] = [Number(x), 0];
  while (value >= 1000 && k < steps.length - 1) [value, k] = [value / 1000, k + 1];
  return unit === "B" ? `${number(value, k ? 2 : 0)} ${steps[k]}` : `${number(value, k ? 2 : 0)}${steps[k]}`;
}

/** @param {number} seconds */
function time(seconds) {
  if (seconds >= 1) return `${number(seconds, 2)} s`;
  return seconds >= 1e-3 ? `${number(seconds * 1e3, 2)} ms` : `${number(seconds * 1e6, 2)} µs`;
}

/** Ten digits at most, as Python's .10g. */
const ten = (/** @type {number} */ x) => String(Number(x.toPrecision(10)));
const grouped = (/** @type {bigint | number} */ x) => x.toLocaleString("en-US");

/**
 * All that is shown of one choice, as in ../cost_calculator.py.
 * @param {any} chosen
 */
export function figures({ sizes, length, batch, bits, peak, bandwidth }) {
  const [perSecond, bytesPerSecond] = [peak * 1e12, bandwidth * 1e9];
  return {
    parts: parameters(sizes),
    weights: weightBytes(sizes, bits),
    cache: cacheBytes(sizes, length, batch, bits),
    token: cacheBytes(sizes, 1, 1, bits),
    ridge: perSecond / bytesPerSecond,
    phases: phases(sizes).map((phase) => {
      const counted = total(operations(sizes, length, batch, phase));
      const moved = traffic(sizes, length, batch, phase, bits);
      const [arithmetic, memory] = [Number(counted) / perSecond, Number(moved) / bytesPerSecond];
      const tokens = phase === "decode" ? batch : batch * length;
      return { phase, counted, moved, arithmetic, memory, intensity: Number(counted) / Number(moved),
        bound: arithmetic >= memory ? "arithmetic" : "memory", speed: tokens / Math.max(arithmetic, memory) };
    }),
  };
}

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const known = model.get("known");
  const limits = model.get("limits");
  const names = Object.keys(known);
  const page = pageOf(model);
  const live = liveRegion();
  let now = model.get("settings");
  let keeping = false;

  /** Fields by name; each keeps what was typed, right or wrong. */
  const fields = Object.fromEntries(Object.entries(limits).map(([name, { label, help }]) =>
    [name, textField({ label, help, maxLength: 30, onInput: () => typed(name) })]));
  const ofModel = Object.keys(now.sizes).filter((name) => name in fields);
  const ofRun = Object.keys(limits).filter((name) => !(name in now.sizes));
  const models = choice({ label: "Model", options: [...names, OWN], onInput: (i) => {
    if (i === names.length) return keep({ ...now, chosen: "" });
    const sizes = known[names[i]];
    return keep({ ...now, chosen: names[i], sizes, length: sizes.max_len });
  } });
  const change = (/** @type {any} */ part) => keep({ ...now, chosen: "", sizes: { ...now.sizes, ...part } });
  const kinds = choice({ label: "Kind", options: KINDS.map((kind) => kind.name), onInput: (i) => change(KINDS[i].is) });
  const feeds = choice({ label: "Feed-forward layer", options: FEEDS, onInput: (i) => change({ gated: i === 1 }) });
  const ties = choice({ label: "Output layer", options: TIES, onInput: (i) => change({ tied: i === 0 }) });
  const formats = choice({ label: "A number takes", options: FORMATS, onInput: (i) => keep({ ...now, bits: BITS[i] }) });
  const reset = button("Reset", () => keep(startOf(model, "settings")));

  const said = h("div", { class: "u-cost-said" });
  const plot = svg("svg", { viewBox: `0 0 ${WIDE} ${HIGH}`, class: "u-roof", role: "img" });
  const rows = h("tbody"), shares = h("tbody"), heads = h("tr");
  const table = (caption, head, body) => h("div", { class: "u-roles", tabindex: 0, role: "region", "aria-label": caption },
    h("table", {}, h("caption", {}, caption), h("thead", {}, head), body));
  const columns = (/** @type {string[]} */ names) => names.map((name) => h("th", { scope: "col" }, name));
  const shown = h("div", { class: "u-cost-out" }, said,
    table("What a pass takes", heads, rows),
    h("p", { class: "u-small-title" }, "The roof of this card, and where the passes stand under it"), plot,
    table("Where the parameters are", h("tr", {}, columns(["part", "parameters", "share"])), shares));
  const title = model.get("title");
  const box = root(el, title || "Cost calculator", title && h("p", { class: "u-title" }, title),
    h("div", { class: "u-cost" },
      h("div", { class: "u-controls" }, models.el, reset),
      h("fieldset", { class: "u-cost-fields" }, h("legend", {}, "The model"), ofModel.map((name) => fields[name].el), kinds.el, feeds.el, ties.el),
      h("fieldset", { class: "u-cost-fields" }, h("legend", {}, "What it is to do, and on what"), ofRun.map((name) => fields[name].el), formats.el),
      live.el, shown));

  /** A field's number, or why it is none. @param {string} name */
  function read(name) {
    const { label, low, high, whole } = limits[name];
    const text = fields[name].input.value.trim().replace(/[,\s\u2009\u202f]/g, "");
    const value = /^\d+(\.\d*)?$|^\.\d+$/.test(text) ? Number(text) : NaN;
    if (value >= low && value <= high && (!whole || Number.isInteger(value))) return { value, wrong: null };
    const bound = whole ? `a whole number from ${grouped(low)}` : `a number from ${low}`;
    return { value: NaN, wrong: `${label}: expected ${bound} to ${grouped(high)}, got \u201c${fields[name].input.value}\u201d.` };
  }

  function typed(/** @type {string} */ changed) {
    const found = Object.fromEntries(Object.keys(fields).map((name) => [name, read(name)]));
    Object.entries(found).forEach(([name, { wrong }]) => fields[name].error(wrong));
    if (Object.values(found).some(({ wrong }) => wrong)) return stale();
    const value = (/** @type {string} */ name) => found[name].value;
    if (value("d_model") % value("n_heads") !== 0) {
      fields.n_heads.error(`${grouped(value("n_heads"))} heads cannot share out ${grouped(value("d_model"))} components: one must divide the other.`);
      return stale();
    }
    if (value("n_heads") % value("n_kv_heads") !== 0) {
      fields.n_kv_heads.error(`${grouped(value("n_heads"))} heads of queries cannot be put into ${grouped(value("n_kv_heads"))} equal groups.`);
      return stale();
    }
    const own = ofModel.includes(changed);
    return keep({ ...now, chosen: own ? "" : now.chosen,
      sizes: { ...now.sizes, ...Object.fromEntries(ofModel.map((name) => [name, value(name)])) },
      ...Object.fromEntries(ofRun.map((name) => [name, value(name)])) }, true);
  }

  /** What is typed makes no model: nothing is shown for it. */
  function stale() {
    shown.hidden = true;
    delete box.dataset.figures;
    live.say("Nothing is computed until the marked field is right.");
  }

  /** @param {any} next @param {boolean} [typing] whether the fields hold it already */
  function keep(next, typing = false) {
    now = next;
    show(typing);
    keeping = true;
    model.set("settings", now);
    keeping = false;
    model.save_changes();
  }

  function show(typing = false) {
    const { sizes, chosen } = now;
    if (!typing) {
      Object.entries(fields).forEach(([name, field]) => {
        field.set(limits[name].whole ? grouped(sizes[name] ?? now[name]) : String(now[name]));
        field.error(null);
      });
    }
    models.set(chosen ? names.indexOf(chosen) : names.length);
    kinds.set(KINDS.findIndex(({ is }) => Object.entries(is).every(([name, value]) => sizes[name] === value)));
    feeds.set(sizes.gated ? 1 : 0);
    ties.set(sizes.tied ? 0 : 1);
    formats.set(BITS.indexOf(now.bits));
    const got = figures(now);
    const all = total(got.parts);
    const cache = sizes.encoder ? "An encoder keeps no cache."
      : `Cache: ${amount(got.token, "B")} a token, ${amount(got.cache, "B")} for ${grouped(now.batch)} \u00d7 ${grouped(now.length)} tokens.`;
    const beyond = now.length > sizes.max_len ? ` (Longer than the ${grouped(sizes.max_len)} tokens it was made for.)` : "";
    said.replaceChildren(h("p", {}, h("strong", {}, grouped(all)), ` parameters: ${amount(got.weights, "B")}. ${cache}${beyond}`));
    heads.replaceChildren(...columns(["one pass", ...got.phases.map((one) => NAMES[one.phase])]));
    rows.replaceChildren(...Object.entries({
      operations: (one) => amount(one.counted, ""),
      "bytes moved": (one) => amount(one.moved, "B"),
      "time, at least": (one) => time(Math.max(one.arithmetic, one.memory)),
      "bound by": (one) => one.bound,
      "tokens a second": (one) => amount(one.speed, ""),
    }).map(([name, say]) => h("tr", {}, h("th", { scope: "row" }, name), got.phases.map((one) => h("td", {}, say(one))))));
    shares.replaceChildren(...Object.entries(got.parts).map(([part, n]) => h("tr", {}, h("th", { scope: "row" }, PARTS[part]),
      h("td", {}, amount(n, "")), h("td", {}, `${number((100 * Number(n)) / Number(all), 1)} %`))));
    draw(got);
    shown.hidden = false;
    const last = got.phases[got.phases.length - 1];
    live.say(`${chosen || "Your own"}: ${amount(all, "")} parameters; a ${NAMES[last.phase]} takes at least `
      + `${time(Math.max(last.arithmetic, last.memory))}, bound by ${last.bound}.`);
    box.dataset.figures = JSON.stringify(got, (_, x) => (typeof x === "bigint" ? String(x) : x));
    page.tables(() => tables(got));
  }

  /** Both axes count tens: operations per byte across, operations per second upwards. */
  function draw(/** @type {ReturnType<typeof figures>} */ got) {
    const peak = now.peak * 1e12;
    const xs = [got.ridge, ...got.phases.map((one) => one.intensity)].map(Math.log10);
    const [x0, x1] = [Math.floor(Math.min(...xs) - 0.4), Math.ceil(Math.max(...xs) + 0.4)];
    const y1 = Math.log10(peak) + 0.25, y0 = Math.min(x0 - Math.log10(got.ridge), -1) + Math.log10(peak);
    const x = (v) => LEFT + ((v - x0) / (x1 - x0)) * (WIDE - LEFT - 14);
    const y = (v) => HIGH - BOTTOM - ((v - y0) / (y1 - y0)) * (HIGH - BOTTOM - 8);
    const roof = (v) => Math.min(Math.log10(peak), v + Math.log10(peak) - Math.log10(got.ridge));
    const line = [x0, Math.log10(got.ridge), x1].map((v) => `${x(v).toFixed(1)},${y(roof(v)).toFixed(1)}`).join(" ");
    const every = Math.ceil((x1 - x0) / 6);
    const ticks = Array.from({ length: x1 - x0 + 1 }, (_, i) => x0 + i).filter((v) => (v - x0) % every === 0);
    const tens = (v) => (v >= 0 && v < 3 ? String(10 ** v) : `10${[...String(v)].map((c) => RAISED[c]).join("")}`);
    const marks = got.phases.map((one, i) => {
      const [cx, cy] = [x(Math.log10(one.intensity)), y(roof(Math.log10(one.intensity)))];
      return [svg("circle", { cx, cy, r: 6, class: `u-mark u-mark-${i + 1}` }),
        svg("text", { class: "u-text", x: cx, y: cy + 22, "text-anchor": cx > WIDE - 70 ? "end" : cx < LEFT + 50 ? "start" : "middle" },
          one.phase[0].toUpperCase())];
    });
    plot.replaceChildren(svg("line", { class: "u-line", x1: LEFT, x2: WIDE - 14, y1: HIGH - BOTTOM, y2: HIGH - BOTTOM }),
      svg("polyline", { class: "u-roof-line", points: line }),
      ...ticks.map((v) => svg("text", { class: "u-text", x: x(v), y: HIGH - BOTTOM + 17, "text-anchor": "middle" }, tens(v))),
      svg("text", { class: "u-text", x: (LEFT + WIDE) / 2, y: HIGH - 5, "text-anchor": "middle" }, "operations per byte"),
      svg("text", { class: "u-text", x: LEFT - 8, y: y(Math.log10(peak)) + 5, "text-anchor": "end" }, "peak"),
      ...marks.flat());
    plot.setAttribute("aria-label", `The card is bound by memory below ${number(got.ridge, 1)} operations per byte, by arithmetic above. `
      + got.phases.map((one) => `${NAMES[one.phase]} (${one.phase[0].toUpperCase()}): ${number(one.intensity, 1)}`).join(", "));
  }

  /** As in ../cost_calculator.py. */
  function tables(/** @type {ReturnType<typeof figures>} */ got) {
    const all = total(got.parts);
    const cache = now.sizes.encoder ? "no cache" : `cache ${grouped(got.cache)} bytes`;
    return [{ caption: `${now.chosen || "Sizes of your own"}: ${grouped(all)} parameters, ${grouped(got.weights)} bytes; ${cache}. `
      + `Context ${grouped(now.length)}, batch ${grouped(now.batch)}, ${now.bits} bits a number; `
      + `${ten(now.peak)} \u00b7 10\u00b9\u00b2 operations and ${ten(now.bandwidth)} \u00b7 10\u2079 bytes a second.`,
    columns: ["10\u2079 operations", "10\u2079 bytes moved", "operations per byte", "ms by arithmetic", "ms by memory", "tokens/s"],
    rows: got.phases.map((one) => [NAMES[one.phase], [Number(one.counted) / 1e9, Number(one.moved) / 1e9, one.intensity,
      1e3 * one.arithmetic, 1e3 * one.memory, one.speed]]), digits: 3 },
    { caption: "Where the parameters are, in millions.", columns: ["parameters", "percent"],
      rows: Object.entries(got.parts).map(([part, n]) => [PARTS[part], [Number(n) / 1e6, (100 * Number(n)) / Number(all)]]), digits: 3 }];
  }

  function follow() {
    if (keeping) return;
    now = model.get("settings");
    show();
  }
  model.on("change:settings", follow);
  show();
  return () => model.off("change:settings", follow);
}
