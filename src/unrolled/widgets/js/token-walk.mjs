// One token's vector through the blocks of a transformer: every station, with switches for what stands on the way.

import { choice, h, liveRegion, number, root, toggle } from "./dom.mjs";
import { pageOf } from "./page.mjs";
import { block } from "./transformer.mjs";
import { unpack } from "./unpack.mjs";

const length = (/** @type {number[]} */ v) => Math.hypot(...v);

/**
 * All blocks, one after another, with the same switches.
 * @param {number[][]} x [T, D] @param {import("./transformer.mjs").Weights[]} layers
 * @param {import("./transformer.mjs").Options} options
 */
export function walk(x, layers, options) {
  const blocks = [];
  for (const weights of layers) {
    blocks.push(block(x, weights, options));
    x = blocks[blocks.length - 1].output;
  }
  return blocks;
}

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const get = (/** @type {string} */ name) => model.get(name);
  const [sentences, inputs, title] = ["sentences", "inputs", "title"].map(get);
  const weights = unpack(get("packed"));
  const nLayers = get("n_layers");
  const layers = Array.from({ length: nLayers }, (_, l) => Object.fromEntries(Object.entries(weights)
    .filter(([name]) => name.startsWith(`${l}.`)).map(([name, tensor]) => [name.slice(`${l}.`.length), tensor])));
  const start = { sentence: 0, token: get("token"), layer: 0, norm: get("norm"), residual: true, without: [] };
  const page = pageOf(model);
  let at = { ...start, ...page.recalled.at };

  const live = liveRegion();
  const tokensBox = h("div", { class: "u-tokens", role: "group", "aria-label": "Token to follow" });
  const path = h("ol", { class: "u-path" });
  const heard = h("ul", { class: "u-shares" });
  const heardTitle = h("p", { class: "u-small-title" });
  const depth = h("ol", { class: "u-depth" });
  const scale = h("p", { class: "u-help" });

  const change = (part, said) => {
    at = { ...at, ...part };
    show();
    if (said) live.say(`${said} ${summary()}`);
  };
  const passBy = (name, on) =>
    ({ without: on ? at.without.filter((one) => one !== name) : [...at.without, name] });
  const NORMS = ["pre", "post", "none"];
  const controls = {
    sentence: sentences.length > 1 && choice({ label: "Sentence", value: at.sentence, options: sentences.map((words) => words.join(" ")),
      onInput: (i) => change({ sentence: i, token: Math.min(at.token, sentences[i].length - 1) }, "Another sentence.") }),
    layer: nLayers > 1 && choice({ label: "Block", value: at.layer, options: layers.map((_, l) => String(l + 1)),
      onInput: (i) => change({ layer: i }, `Block ${i + 1}.`) }),
    norm: choice({ label: "Norms", options: ["before each sublayer (pre)", "after each sum (post)", "none"],
      value: NORMS.indexOf(at.norm), onInput: (i) => change({ norm: NORMS[i] }, `Norms: ${NORMS[i]}.`) }),
  };
  /** @type {[string, (on: boolean) => object, boolean][]} */
  const parts = [
    ["Residual connection", (on) => ({ residual: on }), at.residual],
    ["Attention", (on) => passBy("attention", on), !at.without.includes("attention")],
    ["Feed-forward", (on) => passBy("feedforward", on), !at.without.includes("feedforward")],
  ];
  const switches = parts.map(([label, part, pressed]) => toggle({ label, pressed,
    onToggle: (on) => change(part(on), `${label} ${on ? "on" : "off"}.`) }));
  const reset = h("button", { type: "button", onclick: () => {
    at = { ...start };
    if (controls.sentence) controls.sentence.set(0);
    if (controls.layer) controls.layer.set(0);
    controls.norm.set(NORMS.indexOf(at.norm));
    switches.forEach((button) => button.getAttribute("aria-pressed") === "false" && button.click());
    change({}, "As at the start.");
  } }, "Reset");

  const box = root(el, title || "A token through the block", title && h("p", { class: "u-title" }, title),
    h("div", { class: "u-controls" }, Object.values(controls).map((c) => c && c.el)),
    h("div", { class: "u-controls" }, switches, reset),
    tokensBox,
    h("div", { class: "u-walk" }, h("div", { class: "u-walk-way" }, path, scale),
      h("div", { class: "u-walk-side" }, heardTitle, heard,
        h("p", { class: "u-small-title" }, "Length of the vector after each block"), depth)),
    live.el);

  /** One station: a name, and the vector's numbers as cells around zero. */
  function station(name, vector, full, note = "", off = false) {
    const cells = vector.map((v, k) => h("span", { class: `u-cell${v < 0 ? " is-negative" : ""}`,
      style: `--w: ${Math.min(1, Math.abs(v) / full).toFixed(3)}`, title: `number ${k + 1}: ${number(v)}` },
      h("i", {}), vector.length <= 16 && h("span", {}, number(v, 1))));
    return h("li", { class: off ? "is-off" : "" },
      h("span", { class: "u-station" }, name, off && h("span", { class: "u-muted" }, " (off)")),
      h("span", { class: "u-length" }, `length ${number(length(vector))}`),
      h("span", { class: "u-cells", role: "img", "aria-label": `${name}: ${vector.map((v) => number(v, 1)).join(", ")}` }, cells),
      note && h("span", { class: "u-note" }, note));
  }

  /** What is shown, in words: norms and switches where they are not as at the start. */
  function without() {
    const off = [!at.residual && "the residual connection", ...at.without].filter(Boolean);
    return (at.norm === start.norm ? "" : `, norms: ${at.norm}`) + (off.length ? `, without ${off.join(" and ")}` : "");
  }

  /** The lengths, as in ../token_walk.py, and what is seen beside them. */
  function tables(rows, lengths, shares) {
    const words = sentences[at.sentence];
    return [
      { caption: `How long the vector of “${words[at.token]}” is after each block${without()}.`, columns: ["length"],
        rows: lengths.map((l, i) => [i === 0 ? "in" : `block ${i}`, [l]]) },
      { caption: `Block ${at.layer + 1}: how long the vector is at each station${without()}.`, columns: ["length"],
        rows: rows.map(([name, vector]) => [name, [length(vector)]]) },
      { caption: heardTitle.textContent, columns: words, rows: [["attention weight", shares]] },
    ];
  }

  let blocks = [];
  function show() {
    const words = sentences[at.sentence];
    const focused = tokensBox.contains(document.activeElement) ? at.token : null;
    tokensBox.replaceChildren(...words.map((word, t) => h("button", { type: "button", "data-place": t,
      "aria-pressed": t === at.token, onclick: () => change({ token: t }, `Token ${word}.`) }, word)));
    if (focused !== null) tokensBox.querySelectorAll("button")[focused].focus();
    const options = { nHeads: get("n_heads"), activation: get("activation"), eps: get("eps"),
      norm: at.norm, residual: at.residual, without: at.without };
    blocks = walk(inputs[at.sentence], layers, options);
    const b = blocks[at.layer], t = at.token;
    const heads = b.attention.heads;
    const talks = !at.without.includes("attention"), thinks = !at.without.includes("feedforward");
    const hidden = b.feedforward.hidden[t];
    const awake = hidden.filter((v) => v > 0.05).length;
    const plus = at.residual ? "the stream + " : "only ";
    const rows = [
      ["into the block", b.input[t], "the stream: what all blocks before have written"],
      at.norm === "pre" && ["normed", b.attentionInput[t], "mean 0, spread 1, then scaled and shifted", !talks],
      [talks ? "attention adds" : "attention would add", b.attention.out[t],
        talks ? "a weighted sum of the tokens\u2019 values" : "passed by: it is not added to the stream", !talks],
      ["after attention", b.attentionSum[t], talks ? `${plus}what attention adds` : "attention is passed by"],
      at.norm === "post" && ["normed", b.afterAttention[t], ""],
      at.norm === "pre" && ["normed", b.feedforwardInput[t], "", !thinks],
      ["hidden, wide", hidden, `${awake} of ${hidden.length} components above 0.05`
        + (thinks ? `: what this token makes of ${talks ? "itself and what attention added" : "itself"}` : ""), !thinks],
      [thinks ? "feed-forward adds" : "feed-forward would add", b.feedforward.out[t],
        thinks ? "each token by itself" : "passed by: it is not added to the stream", !thinks],
      ["out of the block", b.feedforwardSum[t], thinks ? `${plus}what the feed-forward adds` : "the feed-forward is passed by"],
      at.norm === "post" && ["normed", b.output[t], ""],
    ].filter(Boolean);
    const full = Math.max(...rows.flatMap(([, vector]) => vector.map(Math.abs)), 1e-9);
    path.replaceChildren(...rows.map(([name, vector, note, off]) => station(name, vector, full, note, off)));
    heardTitle.textContent = `What “${words[t]}” ${talks ? "attends" : "would attend"} to in block ${at.layer + 1}, `
      + `mean of ${heads.length} heads${talks ? "" : "; attention is off"}`;
    scale.textContent = `A bar is full at \u2212${number(full)} or ${number(full)}.`;
    const shares = words.map((_, j) => heads.reduce((sum, head) => sum + head.weights[t][j], 0) / heads.length);
    heard.replaceChildren(...words.map((word, j) => {
      const share = shares[j];
      return h("li", {}, h("span", { class: j === t ? "u-share-word u-target" : "u-share-word" }, word),
        h("span", { class: "u-share-bar", style: `--w: ${(100 * share).toFixed(2)}%` }),
        h("span", { class: "u-share-number" }, number(share)));
    }));
    const lengths = [length(inputs[at.sentence][t]), ...blocks.map((one) => length(one.output[t]))];
    depth.replaceChildren(...lengths.map((l, i) => h("li", {}, h("span", {}, i === 0 ? "in" : `block ${i}`),
      h("span", { class: "u-share-bar", style: `--w: ${((100 * l) / Math.max(...lengths, 1e-9)).toFixed(1)}%` }),
      h("span", { class: "u-share-number" }, number(l)))));
    Object.assign(box.dataset, { output: JSON.stringify(b.output[t]), lengths: JSON.stringify(lengths) });
    page.tables(() => tables(rows, lengths, shares));
  }

  function summary() {
    const b = blocks[at.layer], t = at.token;
    const adds = (name, what, out) => (at.without.includes(name) ? `${what} is off`
      : `${what} adds ${number(length(out))}`);
    return `“${sentences[at.sentence][t]}” goes into block ${at.layer + 1} with length ${number(length(b.input[t]))}, `
      + `${adds("attention", "attention", b.attention.out[t])}, `
      + `${adds("feedforward", "the feed-forward", b.feedforward.out[t])}, and it comes out with length `
      + `${number(length(b.output[t]))}.`;
  }

  show();
  live.say(summary());
  page.remembers(() => ({ at }));
  return () => {};
}
