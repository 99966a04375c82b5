// One token's vector through the blocks of a transformer: every station, with switches for what stands on the way.

import { choice, h, liveRegion, number, root, toggle } from "./dom.mjs";
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
  let at = { ...start };

  const live = liveRegion();
  const tokensBox = h("div", { class: "u-tokens", role: "group", "aria-label": "Token to follow" });
  const path = h("ol", { class: "u-path" });
  const heard = h("ul", { class: "u-shares" });
  const heardTitle = h("p", { class: "u-small-title" });
  const depth = h("ol", { class: "u-depth" });

  const change = (part, said) => {
    at = { ...at, ...part };
    show();
    if (said) live.say(`${said} ${summary()}`);
  };
  const passBy = (name, on) =>
    ({ without: on ? at.without.filter((one) => one !== name) : [...at.without, name] });
  const NORMS = ["pre", "post", "none"];
  const controls = {
    sentence: sentences.length > 1 && choice({ label: "Sentence", options: sentences.map((words) => words.join(" ")),
      onInput: (i) => change({ sentence: i, token: Math.min(at.token, sentences[i].length - 1) }, "Another sentence.") }),
    layer: nLayers > 1 && choice({ label: "Block", options: layers.map((_, l) => String(l + 1)),
      onInput: (i) => change({ layer: i }, `Block ${i + 1}.`) }),
    norm: choice({ label: "Norms", options: ["before each sublayer (pre)", "after each sum (post)", "none"],
      value: NORMS.indexOf(at.norm), onInput: (i) => change({ norm: NORMS[i] }, `Norms: ${NORMS[i]}.`) }),
  };
  const switches = [
    ["Way around", (on) => ({ residual: on })],
    ["Attention", (on) => passBy("attention", on)],
    ["Feed-forward", (on) => passBy("feedforward", on)],
  ].map(([label, part]) => toggle({ label, pressed: true,
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
    h("div", { class: "u-walk" }, path,
      h("div", { class: "u-walk-side" }, heardTitle, heard,
        h("p", { class: "u-small-title" }, "Length of the vector after each block"), depth)),
    live.el);

  /** One station: a name, and the vector's numbers as cells around zero. */
  function station(name, vector, full, note = "", off = false) {
    const cells = vector.map((v, k) => h("span", { class: `u-cell${v < 0 ? " is-negative" : ""}`,
      style: `--w: ${Math.min(1, Math.abs(v) / full).toFixed(3)}`, title: `number ${k + 1}: ${number(v)}` },
      h("i", {}), vector.length <= 16 && h("span", {}, number(v, 1))));
    return h("li", { class: off ? "is-off" : "" },
      h("span", { class: "u-station" }, name),
      h("span", { class: "u-length" }, `length ${number(length(vector))}`),
      h("span", { class: "u-cells", role: "img", "aria-label": `${name}: ${vector.map((v) => number(v, 1)).join(", ")}` }, cells),
      note && h("span", { class: "u-note" }, note));
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
      ["attention brings", b.attention.out[t], "a mixture of what the others hand over", !talks],
      ["after attention", b.attentionSum[t], talks ? `${plus}what attention brings` : "attention is passed by"],
      at.norm === "post" && ["normed", b.afterAttention[t], ""],
      at.norm === "pre" && ["normed", b.feedforwardInput[t], "", !thinks],
      ["hidden, wide", hidden, `${awake} of ${hidden.length} numbers above 0.05: what this token makes of what it heard`, !thinks],
      ["feed-forward brings", b.feedforward.out[t], "each token by itself", !thinks],
      ["out of the block", b.feedforwardSum[t], thinks ? `${plus}what the feed-forward brings` : "the feed-forward is passed by"],
      at.norm === "post" && ["normed", b.output[t], ""],
    ].filter(Boolean);
    const full = Math.max(...rows.flatMap(([, vector]) => vector.map(Math.abs)), 1e-9);
    path.replaceChildren(...rows.map(([name, vector, note, off]) => station(name, vector, full, note, off)));
    heardTitle.textContent = `What “${words[t]}” attends to in block ${at.layer + 1}, mean of ${heads.length} heads`;
    heard.replaceChildren(...words.map((word, j) => {
      const share = heads.reduce((sum, head) => sum + head.weights[t][j], 0) / heads.length;
      return h("li", {}, h("span", { class: j === t ? "u-share-word u-target" : "u-share-word" }, word),
        h("span", { class: "u-share-bar", style: `--w: ${(100 * share).toFixed(2)}%` }),
        h("span", { class: "u-share-number" }, number(share)));
    }));
    const lengths = [length(inputs[at.sentence][t]), ...blocks.map((one) => length(one.output[t]))];
    depth.replaceChildren(...lengths.map((l, i) => h("li", {}, h("span", {}, i === 0 ? "in" : `block ${i}`),
      h("span", { class: "u-share-bar", style: `--w: ${((100 * l) / Math.max(...lengths, 1e-9)).toFixed(1)}%` }),
      h("span", { class: "u-share-number" }, number(l)))));
    Object.assign(box.dataset, { output: JSON.stringify(b.output[t]), lengths: JSON.stringify(lengths) });
  }

  function summary() {
    const b = blocks[at.layer], t = at.token;
    return `“${sentences[at.sentence][t]}” goes into block ${at.layer + 1} with length ${number(length(b.input[t]))}, `
      + `attention brings ${number(length(b.attention.out[t]))}, the feed-forward ${number(length(b.feedforward.out[t]))}, `
      + `and it comes out with ${number(length(b.output[t]))}.`;
  }

  show();
  live.say(summary());
  return () => {};
}
