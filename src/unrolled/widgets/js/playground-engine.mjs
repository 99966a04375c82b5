// A GPT as chapter 10 has it, quick enough to answer while a reader types: numbers in 32 bits, rows in groups, keys and
// values kept. What a reader switches off, hides or sets by hand is part of the computation. tests/widgets hold it to torch.

import { nothingDone } from "./playground-state.mjs";
import { ACTIVATIONS } from "./transformer.mjs";

/** @typedef {import("./safetensors.mjs").Tensor} Tensor */
/** @typedef {import("./playground-state.mjs").Done} Done */
/** @typedef {{ tokens: number[], done: Done, stream: Float32Array[], keys: Float32Array[], values: Float32Array[] }} Run */

const TOGETHER = 4; // rows for which a weight is read once

/** y = x Wᵀ + b for every row of x. @param {Float32Array[]} rows @param {Tensor} weight @param {Tensor} [bias] */
export function linear(rows, weight, bias) {
  const { data, columns, rows: wide } = weight;
  const made = rows.map(() => new Float32Array(wide));
  for (let at = 0; at < rows.length; at += TOGETHER) {
    const group = rows.slice(at, at + TOGETHER);
    while (group.length < TOGETHER && group.length > 1) group.push(group[0]);
    const [a, b, c, d] = group;
    const [p, q, r, s] = made.slice(at, at + TOGETHER);
    for (let e = 0, w = 0; e < wide; e++) {
      const start = bias ? bias.data[e] : 0;
      if (!b) {
        let sum = start;
        for (let k = 0; k < columns; k++) sum += data[w++] * a[k];
        p[e] = sum;
        continue;
      }
      let [one, two, three, four] = [start, start, start, start];
      for (let k = 0; k < columns; k++) {
        const v = data[w++];
        one += v * a[k];
        two += v * b[k];
        three += v * c[k];
        four += v * d[k];
      }
      p[e] = one;
      q[e] = two;
      if (r) r[e] = three;
      if (s) s[e] = four;
    }
  }
  return made;
}

/** What the norm of a row does: subtract, divide, scale, shift. @param {Float32Array} x @param {Tensor} weight @param {Tensor} bias */
export function layerNorm(x, weight, bias, eps) {
  let mean = 0, variance = 0;
  for (const v of x) mean += v / x.length;
  for (const v of x) variance += (v - mean) ** 2 / x.length;
  const scale = 1 / Math.sqrt(variance + eps);
  return { mean, variance, out: x.map((v, k) => (v - mean) * scale * weight.data[k] + bias.data[k]) };
}

/** A part of a row that shares its memory. @param {Float32Array} all @param {number} row @param {number} width */
const rowOf = (all, row, width) => all.subarray(row * width, (row + 1) * width);
const sum = (/** @type {Float32Array} */ a, /** @type {Float32Array} */ b) => a.map((v, k) => v + b[k]);

export class Engine {
  /** @param {Record<string, Tensor>} tensors @param {{ nHeads: number, eps: number }} options */
  constructor(tensors, { nHeads, eps }) {
    this.tensors = tensors;
    this.eps = eps;
    this.embedding = this.tensor("token_embedding.weight");
    this.places = this.tensor("positions.table.weight");
    this.width = this.embedding.columns;
    this.heads = nHeads;
    this.size = this.width / nHeads;
    this.longest = this.places.rows;
    this.layers = 0;
    while (`layers.${this.layers}.attention.qkv_proj.weight` in tensors) this.layers += 1;
  }

  tensor(/** @type {string} */ name) {
    if (!this.tensors[name]) throw new Error(`${name}: expected among the weights`);
    return this.tensors[name];
  }

  /** The weights of a layer. @param {number} layer @param {string} name @returns {[Tensor, Tensor]} */
  both(layer, name) {
    return [this.tensor(`layers.${layer}.${name}.weight`), this.tensor(`layers.${layer}.${name}.bias`)];
  }

  /** An empty run: no token read. @returns {Run} */
  begin() {
    const room = () => new Float32Array(this.longest * this.width);
    const each = (/** @type {number} */ count) => Array.from({ length: count }, room);
    return { tokens: [], done: nothingDone(), stream: each(this.layers + 1), keys: each(this.layers), values: each(this.layers) };
  }

  /**
   * The first token whose numbers change when a run goes on with these.
   * @param {Run} run @param {number[]} tokens @param {Done} done
   */
  firstChanged(run, tokens, done) {
    let same = 0;
    while (same < tokens.length && same < run.tokens.length && tokens[same] === run.tokens[same]) same += 1;
    const told = (/** @type {Done} */ one, /** @type {keyof Done} */ what) => JSON.stringify(one[what]);
    if (told(run.done, "heads") !== told(done, "heads") || told(run.done, "blocks") !== told(done, "blocks")) return 0;
    const differ = (/** @type {any[]} */ one, /** @type {any[]} */ other, /** @type {(x: any) => number} */ from) => {
      const [left, right] = [one, other].map((list) => new Map(list.map((x) => [JSON.stringify(x), from(x)])));
      return [...left, ...right].filter(([x]) => !(left.has(x) && right.has(x))).map(([, at]) => at);
    };
    return Math.min(same, ...differ(run.done.hidden, done.hidden, (j) => j + 1), ...differ(run.done.set, done.set, (x) => x[2]));
  }

  /**
   * Read these tokens, a few at a time: between two groups others may be heard.
   * @param {Run} run @param {number[]} tokens @param {Done} done
   */
  *read(run, tokens, done) {
    if (tokens.length > this.longest) throw new Error(`expected at most ${this.longest} tokens, got ${tokens.length}`);
    let from = this.firstChanged(run, tokens, done);
    run.tokens = tokens.slice(0, from);
    run.done = structuredClone(done);
    while (from < tokens.length) {
      const to = Math.min(tokens.length, from + 2 * TOGETHER);
      const places = Array.from({ length: to - from }, (_, k) => from + k);
      /** @type {Float32Array[]} */
      let rows = places.map((t) => sum(rowOf(this.embedding.data, tokens[t], this.width), rowOf(this.places.data, t, this.width)));
      for (let layer = 0; layer < this.layers; layer++) {
        rows.forEach((row, k) => rowOf(run.stream[layer], places[k], this.width).set(row));
        rows = this.block(run, layer, places, rows).map((one) => one.output);
      }
      rows.forEach((row, k) => rowOf(run.stream[this.layers], places[k], this.width).set(row));
      run.tokens = tokens.slice(0, to);
      from = to;
      yield from / tokens.length;
    }
  }

  /** One block, for some tokens; those before them have their keys and values. @param {Run} run @param {number[]} places @param {Float32Array[]} rows */
  block(run, layer, places, rows) {
    const norm = (/** @type {Float32Array[]} */ of, name) => of.map((x) => layerNorm(x, ...this.both(layer, name), this.eps));
    const first = norm(rows, "attention_norm");
    const packed = linear(first.map(({ out }) => out), ...this.both(layer, "attention.qkv_proj"));
    packed.forEach((row, k) => {
      rowOf(run.keys[layer], places[k], this.width).set(row.subarray(this.width, 2 * this.width));
      rowOf(run.values[layer], places[k], this.width).set(row.subarray(2 * this.width));
    });
    const off = run.done.blocks.includes(layer);
    const attended = places.map((t, k) => Array.from({ length: this.heads }, (_, head) =>
      this.attend(run, layer, head, t, packed[k].subarray(head * this.size, (head + 1) * this.size))));
    const joined = attended.map((heads) => Float32Array.from(heads.flatMap(({ silent, context }) =>
      (silent ? [...context].fill(0) : [...context]))));
    const projected = linear(joined, ...this.both(layer, "attention.out_proj"));
    const middle = rows.map((row, k) => (off ? row : sum(row, projected[k])));
    const second = norm(middle, "feedforward_norm");
    const up = linear(second.map(({ out }) => out), ...this.both(layer, "feedforward.up_proj"));
    const hidden = up.map((row) => row.map(ACTIVATIONS.gelu_tanh));
    const down = linear(hidden, ...this.both(layer, "feedforward.down_proj"));
    return rows.map((input, k) => ({ off, input, norm: first[k], query: packed[k].subarray(0, this.width),
      key: packed[k].subarray(this.width, 2 * this.width), value: packed[k].subarray(2 * this.width), heads: attended[k],
      joined: joined[k], projected: projected[k], middle: middle[k], secondNorm: second[k], up: up[k], hidden: hidden[k],
      down: down[k], output: off ? input : sum(middle[k], down[k]) }));
  }

  /** What one head gathers for one token. @param {Run} run @param {Float32Array} query */
  attend(run, layer, head, t, query) {
    const { width, size } = this;
    const { hidden, set, heads } = run.done;
    const from = head * size, scale = 1 / Math.sqrt(size);
    const scores = new Float32Array(t + 1), weights = new Float32Array(t + 1);
    const seen = (/** @type {number} */ j) => j === t || !hidden.includes(j);
    let top = -Infinity, total = 0;
    for (let j = 0; j <= t; j++) {
      let product = 0;
      for (let k = 0; k < size; k++) product += query[k] * run.keys[layer][j * width + from + k];
      scores[j] = product * scale;
      if (seen(j)) top = Math.max(top, scores[j]);
    }
    for (let j = 0; j <= t; j++) total += weights[j] = seen(j) ? Math.exp(scores[j] - top) : 0;
    for (let j = 0; j <= t; j++) weights[j] /= total;
    byHand(weights, set.filter(([l, h, i, j]) => l === layer && h === head && i === t && j <= t));
    const context = new Float32Array(size);
    for (let j = 0; j <= t; j++) {
      for (let k = 0; k < size; k++) context[k] += weights[j] * run.values[layer][j * width + from + k];
    }
    return { silent: heads.some(([l, h]) => l === layer && h === head), scores, weights, context, max: top, total };
  }

  /** A score for every token as the next, from a vector of the stream. @param {Float32Array} x */
  logits(x) {
    const norm = layerNorm(x, this.tensor("final_norm.weight"), this.tensor("final_norm.bias"), this.eps);
    return { norm, logits: linear([norm.out], this.tensors["lm_head.weight"] ?? this.embedding)[0] };
  }

  /** Everything that is computed on the way of one token. @param {Run} run @param {number} t */
  trace(run, t) {
    const word = rowOf(this.embedding.data, run.tokens[t], this.width), place = rowOf(this.places.data, t, this.width);
    const blocks = run.keys.map((_, layer) => this.block(run, layer, [t], [rowOf(run.stream[layer], t, this.width).slice()])[0]);
    const { norm, logits } = this.logits(blocks.length ? blocks[blocks.length - 1].output : sum(word, place));
    // What the model would say, did it end here.
    const lens = blocks.map(({ output }) => this.logits(output).logits);
    return { t, word: word.slice(), place: place.slice(), embedded: sum(word, place), blocks, norm, logits, lens };
  }
}

/**
 * Give some weights the values a reader set, and the others what is left, in their own proportions.
 * @param {Float32Array} weights of one row, adding up to one @param {[number, number, number, number, number][]} set
 */
export function byHand(weights, set) {
  if (!set.length) return;
  const wanted = new Map(set.map(([, , , j, w]) => [j, w]));
  const asked = [...wanted.values()].reduce((a, b) => a + b, 0);
  let others = 0, alone = weights.length === wanted.size;
  weights.forEach((w, j) => { if (!wanted.has(j)) others += w; });
  if (others === 0) alone = true;
  // More than all, or nobody to give the rest to: in proportion.
  const scale = asked > 1 || (alone && asked > 0) ? 1 / asked : 1;
  weights.forEach((w, j) => {
    weights[j] = wanted.has(j) ? wanted.get(j) * scale : alone ? 0 : (w / others) * Math.max(0, 1 - asked);
  });
}
