// Trained weights in the safetensors format: a header that names the tensors, then their numbers.
// A matrix "x" of 8 bits comes with "x.step": what one step of each of its rows is worth.

import { halvesOf } from "./unpack.mjs";

/**
 * @typedef {{ rows: number, columns: number, data: Float32Array, whole: Int8Array | null, steps: Float32Array | null }} Tensor
 *   its numbers, row after row; whole numbers and steps where it came in 8 bits; a vector is one row
 */

const SIZE = { F32: 4, F16: 2, I8: 1 };

const isSize = (/** @type {any} */ x) => Number.isSafeInteger(x) && x >= 0;

/**
 * What a header says of each tensor, in the order of their numbers. @param {Uint8Array} bytes
 * @returns {[string, { dtype: string, shape: number[], from: number, to: number }][]}
 */
function listed(bytes) {
  /** @type {any} */
  let header;
  try {
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
  } catch {
    throw new Error("expected a safetensors file, got one whose header cannot be read");
  }
  const all = Object.entries(header ?? {}).filter(([name]) => name !== "__metadata__").map(([name, about]) => {
    const { dtype, shape, data_offsets: at } = about ?? {};
    if (!Array.isArray(shape) || !(shape.length === 1 || shape.length === 2) || !shape.every(isSize)
      || !Array.isArray(at) || at.length !== 2 || !at.every(isSize)) throw new Error(`${name}: expected one dimension or two, and where its numbers are`);
    return /** @type {[string, any]} */ ([name, { dtype: String(dtype), shape, from: at[0], to: at[1] }]);
  });
  return all.sort(([, a], [, b]) => a.from - b.from || a.to - b.to);
}

/** @param {ArrayBuffer} buffer @returns {Record<string, Tensor>} @throws what it is if not that */
export function readTensors(buffer) {
  const length = buffer.byteLength < 8 ? Infinity : Number(new DataView(buffer).getBigUint64(0, true));
  if (!(length <= buffer.byteLength - 8)) throw new Error("expected a safetensors file, got one without a whole header");
  /** @type {Map<string, { shape: number[], numbers: Float32Array | Int8Array }>} */
  const found = new Map();
  let end = 0;
  for (const [name, { dtype, shape, from, to }] of listed(new Uint8Array(buffer, 8, length))) {
    const count = shape.reduce((a, b) => a * b, 1);
    if (!Object.hasOwn(SIZE, dtype)) throw new Error(`${name}: expected F32, F16 or I8, got ${dtype}`);
    // One begins where the one before ends: none is read twice, and nothing is left over.
    if (from !== end || to - from !== count * SIZE[dtype]) throw new Error(`${name}: the file is cut or altered`);
    end = to;
    const bytes = buffer.slice(8 + length + from, 8 + length + to);
    if (bytes.byteLength !== to - from) throw new Error(`${name}: the file is cut or altered`);
    const numbers = dtype === "I8" ? new Int8Array(bytes) : dtype === "F32" ? new Float32Array(bytes) : halvesOf(bytes);
    if (!numbers.every(Number.isFinite)) throw new Error(`${name}: expected finite numbers, got some that are not`);
    found.set(name, { shape, numbers });
  }
  if (8 + length + end !== buffer.byteLength) throw new Error("expected a safetensors file, got one that is cut or altered");
  for (const name of found.keys()) {
    if (name.endsWith(".step") && !(found.get(name.slice(0, -5))?.numbers instanceof Int8Array)) throw new Error(`${name}: expected a matrix of 8 bits that the steps belong to`);
  }
  const named = [...found].filter(([name]) => !name.endsWith(".step"));
  return Object.fromEntries(named.map(([name, { shape, numbers }]) => {
    const [rows, columns] = shape.length === 1 ? [1, shape[0]] : shape;
    if (!(numbers instanceof Int8Array)) return [name, { rows, columns, data: numbers, whole: null, steps: null }];
    const steps = /** @type {Float32Array} */ (found.get(`${name}.step`)?.numbers);
    if (steps?.length !== rows) throw new Error(`${name}: expected a step for each of ${rows} rows`);
    const data = new Float32Array(numbers.length);
    for (let i = 0; i < data.length; i++) data[i] = numbers[i] * steps[Math.floor(i / columns)];
    return [name, { rows, columns, data, whole: numbers, steps }];
  }));
}
