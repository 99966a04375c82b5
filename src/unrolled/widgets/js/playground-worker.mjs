// The playground's model, in a thread of its own: it is asked and answers, and the page never waits.

import { Engine } from "./playground-engine.mjs";
import { readTensors } from "./safetensors.mjs";
import { sha256 } from "./sha256.mjs";

/** The number of a token's row that an arithmetic is made of. @typedef {{ run: number, t: number, layer: number, head: number, j: number, k: number }} Where */

/** Answer whoever asks: this script is the whole of a worker. @param {any} scope */
export function serve(scope) {
  /** @type {Engine} */
  let engine;
  /** @type {import("./playground-engine.mjs").Run[]} */
  let runs = [];
  /** For each run the last that was asked of it: what came before is given up. @type {number[]} */
  const last = [];

  const answers = {
    /** @param {{ buffer: ArrayBuffer, sha256: string, size: number, sizes: { nHeads: number, eps: number } }} asked */
    load({ buffer, sha256: expected, size, sizes }) {
      if (buffer.byteLength !== size) throw new Error(`The weights are cut: expected ${size} bytes, got ${buffer.byteLength}.`);
      const got = sha256(new Uint8Array(buffer));
      if (got !== expected) throw new Error(`The weights are altered: expected the SHA-256 ${expected.slice(0, 12)}…, got ${got.slice(0, 12)}….`);
      engine = new Engine(readTensors(buffer), sizes);
      runs = [engine.begin(), engine.begin()];
      return { layers: engine.layers, heads: engine.heads, width: engine.width, longest: engine.longest };
    },
    /** Read tokens, and what was done; the answer is the scores after the last. @param {{ run: number, tokens: number[], done: import("./playground-state.mjs").Done }} asked */
    async read({ run, tokens, done }, id) {
      last[run] = id;
      for (const share of engine.read(runs[run], tokens, done)) {
        if (share < 1) {
          scope.postMessage({ id, share });
          await new Promise((go) => setTimeout(go));
          if (last[run] !== id) return null;
        }
      }
      const { stream } = runs[run], at = tokens.length - 1, { width } = engine;
      return engine.logits(stream[engine.layers].slice(at * width, (at + 1) * width)).logits;
    },
    trace: ({ run, t }) => engine.trace(runs[run], t),
    /** One row of a matrix, as it was stored. @param {{ name: string, row: number }} asked */
    row({ name, row }) {
      const { data, columns, whole, steps } = engine.tensor(`${name}.weight`);
      const bias = engine.tensors[`${name}.bias`];
      return { weight: data.slice(row * columns, (row + 1) * columns), bias: bias ? bias.data[row] : null,
        whole: whole && whole.slice(row * columns, (row + 1) * columns), step: steps && steps[row] };
    },
    /** A vector of norms. @param {{ name: string }} asked */
    vectors: ({ name }) => ({ weight: engine.tensor(`${name}.weight`).data, bias: engine.tensor(`${name}.bias`).data }),
    /** A head's key of one token. @param {Where} asked */
    key({ run, layer, head, j }) {
      const from = j * engine.width + head * engine.size;
      return runs[run].keys[layer].slice(from, from + engine.size);
    },
    /** One component of a head's values, of every token up to t. @param {Where} asked */
    values({ run, layer, head, t, k }) {
      const at = (j) => runs[run].values[layer][j * engine.width + head * engine.size + k];
      return Float32Array.from({ length: t + 1 }, (_, j) => at(j));
    },
  };

  scope.onmessage = async ({ data: { id, ask, ...asked } }) => {
    try {
      scope.postMessage({ id, answer: await answers[ask](asked, id) });
    } catch (error) {
      scope.postMessage({ id, error: /** @type {Error} */ (error).message });
    }
  };
}
