// What a block put together from parts weighs, as in ../block_builder.py.

/**
 * @typedef {{ norm: string, order: string, feedforward: string, positions: string, biases: boolean, heads: string, qk_norm: boolean,
 *   window: boolean, sink: boolean, experts: boolean, length: number }} Choices
 * @typedef {Record<string, number>} Sizes
 */

/** What can be chosen: of each part the first is GPT-2's. @type {Record<string, any[]>} */
export const CHOICES = {
  norm: ["LayerNorm", "RMSNorm"],
  order: ["before", "behind"],
  feedforward: ["GELU", "SwiGLU"],
  positions: ["learned", "rotary"],
  biases: [true, false],
  heads: ["multi-head", "grouped", "multi-query", "latent"],
  qk_norm: [false, true],
  window: [false, true],
  sink: [false, true],
  experts: [false, true],
};

/** GPT-2's block. */
export const FIRST = Object.fromEntries(Object.entries(CHOICES).map(([name, options]) => [name, options[0]]));

export const LENGTHS = [32, 128, 1024, 8192, 100000];

/** Whether settings, which a link may have brought, are a block. @param {any} c */
export const possible = (c) => Object.entries(CHOICES).every(([part, options]) => options.includes(c[part])) && LENGTHS.includes(c.length)
  && (c.heads !== "latent" || (c.positions === "rotary" && !c.qk_norm && !c.window && !c.sink));

const BYTES = 4;

/** @param {Sizes} s @param {Choices} c */
export const kvHeads = (s, c) => ({ "multi-head": s.n_heads, grouped: s.n_heads / 2, "multi-query": 1 })[c.heads];

/** Numbers that one layer's cache keeps of a token. @param {Sizes} s @param {Choices} c */
const kept = (s, c) => (c.heads === "latent" ? s.d_latent + s.d_rotary : 2 * kvHeads(s, c) * (s.d_model / s.n_heads));

/** @param {Sizes} s @param {any} c @param {number} f @param {number} experts */
function parameters(s, c, f, experts) {
  const { d_model: d, n_heads: heads, d_latent: latent, d_rotary: turned } = s;
  const b = Number(c.biases);
  const norm = c.norm === "LayerNorm" ? d * (1 + b) : d;
  const size = d / heads;
  const rows = d + 2 * kvHeads(s, c) * size;
  const attention = c.heads === "latent" ? d * (d + heads * turned) + d * (latent + turned) + latent + latent * 2 * d + d * d
    : d * rows + d * d + b * (rows + d) + (c.qk_norm ? 2 * size : 0) + (c.sink ? heads : 0);
  const ups = c.feedforward === "SwiGLU" ? 2 : 1;
  const network = (/** @type {number} */ width) => (ups + 1) * d * width + b * (ups * width + d);
  const feedforward = c.experts ? d * s.n_experts + experts * network(Math.floor(f / 2)) : network(f);
  const positions = c.positions === "learned" ? s.context * d : 0;
  return s.vocab_size * d + positions + s.n_layers * (attention + feedforward + 2 * norm) + norm;
}

/** Operations for one more token that sees so many, itself included. @param {Sizes} s @param {any} c @param {number} f @param {number} seen */
function operations(s, c, f, seen) {
  const { d_model: d, n_heads: heads, d_latent: latent, d_rotary: turned, top_k: k } = s;
  const attention = c.heads === "latent"
    ? 2 * d * (d + heads * turned) + 2 * d * (latent + turned) + 2 * d * d + 4 * d * latent + 2 * seen * heads * (2 * latent + turned)
    : 2 * d * (2 * d + 2 * kvHeads(s, c) * (d / heads)) + 4 * seen * d;
  const matrices = c.feedforward === "SwiGLU" ? 3 : 2;
  const feedforward = c.experts ? 2 * d * s.n_experts + k * 2 * matrices * d * Math.floor(f / 2) + 2 * k * d : 2 * matrices * d * f;
  return s.n_layers * (attention + feedforward) + 2 * d * s.vocab_size;
}

/** The even width at which a token goes through as many parameters as in GPT-2's block. @param {Sizes} s @param {any} c */
function width(s, c) {
  const goal = parameters(s, FIRST, 4 * s.d_model, s.top_k);
  const [low, high] = [64, 128].map((f) => parameters(s, c, f, s.top_k));
  const exact = 64 + (64 * (goal - low)) / (high - low);
  const below = Math.floor(exact);
  const up = exact - below > 0.5 || (exact - below === 0.5 && below % 2 === 1); // the middle goes to the even, as in Python
  const whole = below + (up ? 1 : 0);
  return Math.max(2, whole - (whole % 2));
}

/** All that is shown of one choice. @param {Sizes} s @param {any} c */
export function figures(s, c) {
  const f = width(s, c);
  const seen = c.window ? Math.min(s.window, c.length) : c.length;
  const held = kept(s, c) * s.n_layers;
  return {
    width: c.experts ? Math.floor(f / 2) : f,
    parameters: parameters(s, c, f, s.n_experts),
    active: parameters(s, c, f, s.top_k),
    token: BYTES * held,
    cache: BYTES * held * seen,
    operations: operations(s, c, f, seen),
  };
}
