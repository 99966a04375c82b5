// The block builder: parts are chosen; the drawing, the numbers and the measured curves follow.

import { CHOICES, FIRST, LENGTHS, figures, kvHeads, possible } from "./block-parts.mjs";
import { button, choice, h, liveRegion, number, root, svg, toggle } from "./dom.mjs";
import { pageOf, startOf } from "./page.mjs";

const OWN = "a block of your own";
/** What those choices are called that a list offers. */
const SELECTS = { norm: "Norm", order: "The norm stands", feedforward: "Feed-forward", positions: "Positions", heads: "Attention" };
const ROWS = [
  ["parameters", "parameters"],
  ["parameters a token goes through", "active"],
  ["bytes in the cache for each token", "token"],
  ["bytes in the cache", "cache"],
  ["operations for one more token", "operations"],
];
const [WIDE, HIGH, LEFT, BOTTOM, TOP, RIGHT] = [340, 230, 40, 40, 12, 12];

const grouped = (/** @type {number} */ x) => x.toLocaleString("en-US");
const mean = (/** @type {number[]} */ xs) => xs.reduce((sum, x) => sum + x, 0) / xs.length;

/** The choices in words, as in ../block_builder.py. @param {any} c */
function described(c) {
  const extras = { qk_norm: "query and key norm", window: "a window", sink: "a learned sink", experts: "experts" };
  const told = [`${c.norm} ${c.order} each sublayer`, `${c.feedforward} feed-forward`, `${c.positions} positions`,
    c.biases ? "biases" : "no biases", `${c.heads} attention`, ...Object.keys(extras).filter((key) => c[key]).map((key) => extras[key])];
  return `${told.join(", ")}.`;
}

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const [sizes, steps, measured, title] = ["sizes", "steps", "measured", "title"].map((name) => model.get(name));
  const names = Object.keys(measured);
  const page = pageOf(model);
  const live = liveRegion();
  live.el.classList.add("u-hidden"); // table and plot show the same to the eye
  let now = model.get("settings");
  let keeping = false;

  const trained = names.length > 0 && choice({ label: "Take a block that was trained", options: [...names, OWN],
    onInput: (i) => (i < names.length ? keep({ ...FIRST, ...measured[names[i]].choices, length: now.length }) : show(true)) });
  const selects = Object.fromEntries(Object.entries(SELECTS).map(([name, label]) =>
    [name, choice({ label, options: CHOICES[name], onInput: (i) => change({ [name]: CHOICES[name][i] }) })]));
  const lengths = choice({ label: "Tokens so far", options: LENGTHS.map(grouped), onInput: (i) => change({ length: LENGTHS[i] }) });
  const called = { biases: "Biases", qk_norm: "Query and key norm", window: `Window of ${sizes.window}`, sink: "Learned sink",
    experts: `${sizes.n_experts} experts, ${sizes.top_k} asked` };
  const switches = h("div", { class: "u-buttons", role: "group", "aria-label": "With or without" });
  /** @type {Record<string, HTMLButtonElement>} */
  const toggles = Object.fromEntries(Object.entries(called).map(([name, label]) =>
    [name, toggle({ label, onToggle: () => change({ [name]: !now[name] }) })]));
  switches.append(...Object.values(toggles));
  const note = h("p", { class: "u-help" });
  const drawing = svg("svg", { class: "u-block", role: "img" });
  const first = h("th", { scope: "col" }, "this block"), body = h("tbody");
  const numbers = h("div", { class: "u-roles", tabindex: 0, role: "region", "aria-label": "What the block weighs" },
    h("table", {}, h("caption", {}, "A model of ", String(sizes.n_layers), " such blocks"),
      h("thead", {}, h("tr", {}, h("td"), first, h("th", { scope: "col" }, "GPT-2\u2019s block"))), body));
  const plot = svg("svg", { class: "u-learned", role: "img", viewBox: `0 0 ${WIDE} ${HIGH}` });
  const outcome = h("p", { class: "u-outcome-said" });
  const box = root(el, title || "Block builder", title && h("p", { class: "u-title" }, title),
    h("div", { class: "u-builder" },
      h("div", { class: "u-builder-choices" }, trained && trained.el, Object.values(selects).map((one) => one.el), lengths.el),
      h("div", { class: "u-builder-switches" }, switches, button("Reset", () => keep(startOf(model, "settings")))), note,
      h("div", { class: "u-builder-sides" }, drawing,
        h("div", { class: "u-builder-side" }, numbers,
          names.length > 0 && [h("p", { class: "u-small-title" }, "How it learned, beside the others"), plot, outcome])),
      live.el));

  /** @param {any} part */
  function change(part) {
    const next = { ...now, ...part };
    // Latent attention turns keys of its own; and where it is, nothing else of the heads can be chosen.
    keep(next.heads === "latent" ? { ...next, positions: "rotary", qk_norm: false, window: false, sink: false } : next);
  }

  /** @param {any} next */
  function keep(next) {
    now = next;
    show(true);
    keeping = true;
    model.set("settings", now);
    keeping = false;
    model.save_changes();
  }

  const parts = () => Object.fromEntries(Object.keys(CHOICES).map((name) => [name, now[name]]));
  const same = (/** @type {any} */ choices) => Object.keys(CHOICES).every((part) => ({ ...FIRST, ...choices })[part] === now[part]);

  function show(aloud = false) {
    if (!possible(now)) throw new Error(`expected a block, got ${JSON.stringify(now)}`);
    const name = names.find((one) => same(measured[one].choices)) ?? "";
    const got = figures(sizes, now), base = figures(sizes, { ...FIRST, length: now.length });
    const latent = now.heads === "latent";
    if (trained) trained.set(name ? names.indexOf(name) : names.length);
    Object.entries(selects).forEach(([part, select]) => select.set(CHOICES[part].indexOf(now[part])));
    lengths.set(LENGTHS.indexOf(now.length));
    Object.entries(toggles).forEach(([part, one]) => one.setAttribute("aria-pressed", String(now[part])));
    for (const one of [selects.positions.select, toggles.qk_norm, toggles.window, toggles.sink]) one.disabled = latent;
    note.textContent = latent ? "Latent attention turns a key of its own, so positions are rotary; the other parts of heads are not offered with it."
      : now.positions === "learned" && now.length > sizes.context ? `Learned positions end at ${grouped(sizes.context)}: this model cannot read ${grouped(now.length)} tokens.` : "";
    draw(got);
    body.replaceChildren(...ROWS.map(([label, key]) => h("tr", {}, h("th", { scope: "row" }, label), h("td", {}, grouped(got[key])), h("td", {}, grouped(base[key])))));
    const said = name ? `${name}: ${bits(name)} bits per byte` : "This combination was not trained";
    if (names.length) curves(name, said);
    const weighs = `${grouped(got.parameters)} parameters, ${grouped(got.token)} bytes in the cache for each token.`;
    if (aloud) live.say(names.length ? `${weighs} ${said}.` : weighs);
    Object.assign(box.dataset, { figures: JSON.stringify(got), trained: name });
    page.tables(() => tables(got, base, name));
  }

  const bits = (/** @type {string} */ name) => {
    const runs = measured[name].bits;
    const spread = runs.length > 1 ? ` (${number(Math.min(...runs), 3)} to ${number(Math.max(...runs), 3)})` : "";
    return `${number(mean(runs), 3)}${spread}`;
  };

  /** The block from below upwards: what the residual connection carries, and what is added. @param {ReturnType<typeof figures>} got */
  function draw(got) {
    const heads = now.heads === "latent" ? [`${sizes.n_heads} heads, one latent vector of ${sizes.d_latent}`, `rotary key of ${sizes.d_rotary} for all`]
      : [`${sizes.n_heads} heads, keys and values: ${kvHeads(sizes, now)}`, now.positions === "rotary" && "rotary positions", now.qk_norm && "query and key norm",
        now.window && `sees ${sizes.window} tokens`, now.sink && "a learned sink"];
    const network = now.experts ? [`router: ${sizes.top_k} of ${sizes.n_experts} experts`, `each ${now.feedforward}, ${grouped(got.width)} wide`]
      : [`${now.feedforward}, ${grouped(got.width)} wide`];
    const norm = { title: now.norm, lines: [], kind: "norm" };
    const sublayer = (name, lines) => ({ title: name, lines: [...lines.filter(Boolean), !now.biases && name === "attention" && "no biases"].filter(Boolean), kind: "layer" });
    const branches = [sublayer("attention", heads), sublayer("feed-forward", network)].map((layer) =>
      (now.order === "before" ? [norm, layer] : [layer, norm]));
    const [middle, lane, gap] = [185, 30, 16];
    /** @type {any[]} */
    const drawn = [];
    /** What is drawn, measured from below. @type {any[]} */
    const up = [];
    let y = 22;
    up.push({ text: now.positions === "learned" ? "token + learned position" : "token", y: 8 });
    for (const branch of branches) {
      const from = y + 8;
      up.push({ line: [middle, y, middle, y + gap] });
      y += gap;
      for (const part of branch) {
        const tall = 26 + 18 * part.lines.length;
        up.push({ box: part, y, tall });
        up.push({ line: [middle, y + tall, middle, y + tall + gap] });
        y += tall + gap;
      }
      up.push({ plus: y + 9 }, { path: [[middle, from], [lane, from], [lane, y + 9], [middle - 9, y + 9]] });
      y += 18;
    }
    up.push({ line: [middle, y, middle, y + gap] });
    const height = y + gap + 6;
    const at = (/** @type {number} */ v) => height - v;
    for (const one of up) {
      if (one.line) drawn.push(svg("line", { class: "u-flow", x1: one.line[0], y1: at(one.line[1]), x2: one.line[2], y2: at(one.line[3]) }));
      if (one.path) drawn.push(svg("polyline", { class: "u-flow", points: one.path.map(([x, v]) => `${x},${at(v)}`).join(" ") }));
      if (one.text) drawn.push(svg("text", { class: "u-text", x: middle, y: at(one.y), "text-anchor": "middle" }, one.text));
      if (one.plus) {
        drawn.push(svg("circle", { class: "u-sum", cx: middle, cy: at(one.plus), r: 9 }),
          svg("path", { class: "u-flow", d: `M${middle - 5} ${at(one.plus)}h10M${middle} ${at(one.plus) - 5}v10` }));
      }
      if (one.box) {
        const wide = one.box.kind === "norm" ? 110 : 256;
        drawn.push(svg("rect", { class: `u-part u-part-${one.box.kind}`, x: middle - wide / 2, y: at(one.y + one.tall), width: wide, height: one.tall, rx: 6 }),
          svg("text", { class: "u-text u-part-name", x: middle, y: at(one.y + one.tall) + 18, "text-anchor": "middle" }, one.box.title),
          one.box.lines.map((text, i) => svg("text", { class: "u-text", x: middle, y: at(one.y + one.tall) + 36 + 18 * i, "text-anchor": "middle" }, text)));
      }
    }
    drawing.setAttribute("viewBox", `0 0 320 ${height}`);
    const told = branches.map((branch) => branch.map((part) => [part.title, ...part.lines].join(", ")).join("; then "));
    const added = "; added to what the residual connection carries.";
    drawing.setAttribute("aria-label", ["The block, from below: ", told.join(added + " "), added].join(""));
    drawing.replaceChildren(...drawn.flat());
  }

  /** All curves pale, GPT-2's dashed, the chosen one bold. @param {string} name @param {string} said */
  function curves(name, said) {
    const from = steps.findIndex((step) => step >= steps[steps.length - 1] / 4);
    const lines = Object.fromEntries(names.map((one) => [one, steps.map((_, k) => mean(measured[one].curves.map((run) => run[k]))).slice(from)]));
    const all = Object.values(lines).flat();
    const [low, high] = [Math.min(...all), Math.max(...all)];
    const span = high - low || 1;
    const x = (/** @type {number} */ k) => LEFT + ((WIDE - LEFT - RIGHT) * (steps[from + k] - steps[from])) / (steps[steps.length - 1] - steps[from] || 1);
    const y = (/** @type {number} */ v) => HIGH - BOTTOM - ((HIGH - BOTTOM - TOP) * (v - low)) / span;
    const path = (/** @type {number[]} */ line) => line.map((v, k) => `${k ? "L" : "M"}${x(k).toFixed(1)} ${y(v).toFixed(1)}`).join("");
    const base = names[0];
    plot.replaceChildren(
      svg("line", { class: "u-line", x1: LEFT, x2: WIDE - RIGHT, y1: HIGH - BOTTOM, y2: HIGH - BOTTOM }),
      ...[0, 0.5, 1].map((part) => svg("text", { class: "u-text", x: LEFT - 5, y: y(low + part * span) + 5, "text-anchor": "end" }, number(low + part * span, 1))),
      ...[0, lines[base].length - 1].map((k, i) => svg("text", { class: "u-text", x: x(k), y: HIGH - BOTTOM + 17, "text-anchor": i ? "end" : "start" }, grouped(steps[from + k]))),
      svg("text", { class: "u-text", x: (LEFT + WIDE) / 2, y: HIGH - 5, "text-anchor": "middle" }, "steps; training loss in nats"),
      ...names.filter((one) => one !== name && one !== base).map((one) => svg("path", { class: "u-pale", d: path(lines[one]) })),
      svg("path", { class: "u-base", d: path(lines[base]) }),
      ...(name && name !== base ? [svg("path", { class: "u-chosen", d: path(lines[name]) })] : []));
    const beside = name && name !== base ? ` ${base} (dashed): ${bits(base)}.` : "";
    outcome.textContent = name ? `Held out, ${said}.${beside}` : `${said}. ${base} (dashed): ${bits(base)} bits per byte held out.`;
    plot.setAttribute("aria-label", `Training loss against steps, ${names.length} blocks, between ${number(low, 2)} and ${number(high, 2)}. `
      + (name ? `${name} ends at ${number(lines[name].at(-1), 2)}, ${base} at ${number(lines[base].at(-1), 2)}.` : `The chosen block was not trained.`));
  }

  /** As in ../block_builder.py. */
  function tables(got, base, name) {
    const found = [{ caption: `${name ? name[0].toUpperCase() + name.slice(1) : "A block that was not trained"}, at ${grouped(now.length)} tokens. ${described(parts())}`,
      columns: ["this block", "GPT-2\u2019s block"], rows: ROWS.map(([label, key]) => [label, [got[key], base[key]]]), digits: 0 }];
    const ends = { caption: "Held-out bits per byte", columns: ["mean", "least", "greatest"],
      rows: names.map((one) => [one, [mean(measured[one].bits), Math.min(...measured[one].bits), Math.max(...measured[one].bits)]]), digits: 3 };
    return names.length ? [...found, ends] : found;
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
