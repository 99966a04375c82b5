// The page's side of the playground's model: where its weights come from, and how it is asked.

import { h } from "./dom.mjs";
import { source } from "./playground-worker.worker.mjs";
import { bytesOf } from "./unpack.mjs";

/**
 * Where the weights are.
 * @typedef {{ address: string, parts: number, size: number, sha256: string, data: string, n_heads: number, eps: number }} Where
 *   address: of the file, as seen from the page; parts: scripts beside it that hold the same, for a page opened from
 *   disk; data: the file itself in base64, where nothing can lie beside the page
 */

/** Fetch over http. @param {Where} where @param {(share: number) => void} progress @returns {Promise<ArrayBuffer>} */
async function fetched({ address, size }, progress) {
  const answer = await fetch(new URL(address, document.baseURI));
  if (!answer.ok) throw new Error(`The weights did not come: expected ${address}, got ${answer.status} ${answer.statusText}.`);
  const reader = answer.body.getReader();
  const parts = [];
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    length += value.length;
    progress(Math.min(1, length / size));
  }
  return new Blob(parts).arrayBuffer();
}

/** Read from disk, where no page may fetch: script after script. @param {Where} where @param {(share: number) => void} progress */
async function scripted({ address, parts }, progress) {
  /** @type {Uint8Array[]} */
  const got = [];
  for (let k = 0; k < parts; k++) {
    await new Promise((done, fail) => {
      globalThis.unrolledWeights = (/** @type {string} */ text) => got.push(bytesOf(text));
      const script = h("script", { src: new URL(`${address}.${k}.js`, document.baseURI).href });
      script.addEventListener("load", () => done(script.remove()));
      script.addEventListener("error", () => fail(new Error(`The weights are not there: expected ${address}.${k}.js beside this page.`)));
      document.head.append(script);
    });
    progress((k + 1) / parts);
  }
  return new Blob(/** @type {any} */ (got)).arrayBuffer();
}

/**
 * Start the model.
 * @param {Where} where @param {(share: number) => void} progress how much of the weights has come
 */
export async function openModel(where, progress) {
  const buffer = where.data ? bytesOf(where.data).buffer
    : await (location.protocol === "file:" ? scripted : fetched)(where, progress);
  const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  const worker = new Worker(address);
  /** @type {Map<number, { done: (answer: any) => void, fail: (error: Error) => void, share: (share: number) => void }>} */
  const waiting = new Map();
  let asked = 0;
  worker.onmessage = ({ data: { id, answer, error, share } }) => {
    const one = waiting.get(id);
    if (!one) return;
    if (share !== undefined) return one.share(share);
    waiting.delete(id);
    if (error) one.fail(new Error(error));
    else one.done(answer);
  };
  worker.onerror = (event) => {
    event.preventDefault();
    waiting.forEach(({ fail }) => fail(new Error(`The model stopped: ${event.message || "its thread did not start"}.`)));
    waiting.clear();
  };
  /** @param {string} what @param {Record<string, any>} [about] @param {(share: number) => void} [share] @returns {Promise<any>} */
  const ask = (what, about = {}, share = () => {}) => new Promise((done, fail) => {
    asked += 1;
    waiting.set(asked, { done, fail, share });
    worker.postMessage({ id: asked, ask: what, ...about }, what === "load" ? [about.buffer] : []);
  });
  const close = () => {
    worker.terminate();
    URL.revokeObjectURL(address);
  };
  try {
    const sizes = await ask("load", { buffer, sha256: where.sha256, size: where.size, sizes: { nHeads: where.n_heads, eps: where.eps } });
    return { ask, close, sizes };
  } catch (error) {
    close();
    throw error;
  }
}
