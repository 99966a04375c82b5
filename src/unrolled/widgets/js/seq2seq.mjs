// An LSTM encoder and an LSTM decoder in float64, with dot attention where there is a combine layer.
// Equal to unrolled.nn.seq2seq.Seq2Seq to 1e-9; tests/widgets hold the two together.

import { attend, attentionScores, dot, softmax } from "./core.mjs";

/** @typedef {import("./core.mjs").Matrix} Matrix */
/** @typedef {{ weight: Matrix, bias: number[] }} Linear */
/** @typedef {{ input: Linear, hidden: Linear }} Cell */
/** @typedef {{ h: number[], c: number[] }} State */

const sigmoid = (/** @type {number} */ x) => 1 / (1 + Math.exp(-x));

/** W x + b @param {Linear} layer @param {number[]} x @returns {number[]} */
export function linear({ weight, bias }, x) {
  return weight.map((row, i) => dot(row, x) + bias[i]);
}

/**
 * The parameters of a Seq2Seq, found by the names of its state_dict.
 * @param {Record<string, any>} weights
 */
export function readModel(weights) {
  const layer = (name) => ({ weight: weights[`${name}.weight`], bias: weights[`${name}.bias`] });
  const cells = (name) => {
    const found = [];
    while (weights[`${name}.cells.${found.length}.input_proj.weight`]) {
      const at = `${name}.cells.${found.length}`;
      found.push({ input: layer(`${at}.input_proj`), hidden: layer(`${at}.hidden_proj`) });
    }
    return found;
  };
  const [encoder, decoder] = [cells("encoder"), cells("decoder")];
  return {
    sourceEmbedding: weights["source_embedding.weight"],
    targetEmbedding: weights["target_embedding.weight"],
    encoder,
    decoder,
    directions: encoder.length / decoder.length,
    combine: weights["combine.weight"] ? layer("combine") : null,
    head: layer("lm_head"),
  };
}

/**
 * One step of an LSTM: c = f c + i g, h = o tanh(c); the gates stand in the order i, f, g, o.
 * @param {Cell} cell @param {number[]} x @param {State} state @returns {State}
 */
export function lstmStep(cell, x, { h, c }) {
  const fromState = linear(cell.hidden, h);
  const sums = linear(cell.input, x).map((value, k) => value + fromState[k]);
  const n = h.length;
  const next = c.map((value, k) => sigmoid(sums[n + k]) * value + sigmoid(sums[k]) * Math.tanh(sums[2 * n + k]));
  return { h: next.map((value, k) => sigmoid(sums[3 * n + k]) * Math.tanh(value)), c: next };
}

/**
 * Read a sentence. The first state is zero; each layer reads the hidden states of the one below, and where
 * there are two directions, the states of both are joined.
 * @param {ReturnType<typeof readModel>} model @param {number[]} ids
 * @returns {{ outputs: Matrix, state: State[] }} a vector for each word, and one state for each layer
 */
export function encode(model, ids) {
  let outputs = ids.map((id) => model.sourceEmbedding[id]);
  const state = model.decoder.map((_, layer) => {
    const read = Array.from({ length: model.directions }, (_unused, direction) => {
      const cell = model.encoder[layer * model.directions + direction];
      const zeros = new Array(cell.hidden.weight[0].length).fill(0);
      const xs = direction === 0 ? outputs : [...outputs].reverse();
      let last = { h: zeros, c: zeros };
      const seen = xs.map((x) => {
        last = lstmStep(cell, x, last);
        return last.h;
      });
      return { seen: direction === 0 ? seen : seen.reverse(), last };
    });
    outputs = ids.map((_, j) => read.flatMap((one) => one.seen[j]));
    return { h: read.flatMap((one) => one.last.h), c: read.flatMap((one) => one.last.c) };
  });
  return { outputs, state };
}

/**
 * One step of the decoder: from the word written last and the state to the shares of all words.
 * @param {ReturnType<typeof readModel>} model @param {number} word @param {State[]} state one for each layer
 * @param {Matrix} outputs the encoder's, which only attention looks at
 * @param {number[] | null} given scores in place of the model's own
 */
export function decodeStep(model, word, state, outputs, given = null) {
  let x = model.targetEmbedding[word];
  const next = model.decoder.map((cell, layer) => {
    const moved = lstmStep(cell, x, state[layer]);
    x = moved.h;
    return moved;
  });
  const answer = { state: next, hidden: x, ownScores: null, scores: null, weights: null, context: null };
  if (model.combine) {
    const ownScores = attentionScores([x], outputs)[0];
    const scores = given ?? ownScores;
    const weights = softmax(scores);
    const context = attend([weights], outputs)[0];
    Object.assign(answer, { ownScores, scores, weights, context });
    x = linear(model.combine, [...context, ...x]).map(Math.tanh);
  }
  const logits = linear(model.head, x);
  return { ...answer, logits, shares: softmax(logits) };
}

/** The likeliest word; of equals the first. @param {number[]} shares */
export function likeliest(shares) {
  return shares.reduce((best, share, k) => (share > shares[best] ? k : best), 0);
}

/**
 * What is left of a context vector: a share of it is another sentence's, then it is pulled towards its own
 * mean, scaled, and numbers are set to zero. @param {State[]} state @param {State[]} other
 * @param {{ mix: number, blur: number, scale: number, off: Set<number> }} damage `off` counts h, then c, layer by layer
 * @returns {State[]}
 */
export function damaged(state, other, { mix, blur, scale, off }) {
  let at = 0;
  const change = (own, from) => {
    const mixed = own.map((value, k) => (1 - mix) * value + mix * from[k]);
    const mean = mixed.reduce((sum, value) => sum + value, 0) / mixed.length;
    return mixed.map((value) => (off.has(at++) ? 0 : scale * ((1 - blur) * value + blur * mean)));
  };
  return state.map(({ h, c }, layer) => {
    const changed = change(h, other[layer].h);
    return { h: changed, c: change(c, other[layer].c) };
  });
}
