// Trained weights travel as few bits a number, in base64: a fraction of what the same digits take as text.
// unrolled/widgets/packed.py writes them.

/**
 * One number of two bytes: sign, five bits of exponent, ten of fraction.
 * @param {number} bits @returns {number}
 */
export function fromHalf(bits) {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >> 10) & 31, fraction = bits & 1023;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  if (exponent === 31) return fraction ? NaN : sign * Infinity;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** @param {string} base64 @returns {Uint8Array<ArrayBuffer>} */
export const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/** Numbers of two bytes each. @param {ArrayBuffer} bytes */
export const halvesOf = (bytes) => Float32Array.from(new Uint16Array(bytes), fromHalf);

/**
 * Tensors by name, as plain arrays; those of two dimensions as arrays of rows.
 * @param {{ data: string, tensors: [string, number[], number][] }} packed names, shapes and bits, in the order of
 *   the data; with 8 bits the steps of all rows come before their whole numbers
 * @returns {import("./transformer.mjs").Weights}
 */
export function unpack({ data, tensors }) {
  const bytes = bytesOf(data);
  const view = new DataView(bytes.buffer);
  let at = 0;
  const take = (/** @type {number} */ count, /** @type {number} */ size, read) =>
    Array.from({ length: count }, () => read((at += size) - size));
  const halves = (/** @type {number} */ count) => take(count, 2, (k) => fromHalf(view.getUint16(k, true)));
  return Object.fromEntries(tensors.map(([name, shape, bits]) => {
    if (shape.length === 1) return [name, halves(shape[0])];
    const [rows, columns] = shape;
    if (bits === 16) return [name, Array.from({ length: rows }, () => halves(columns))];
    const steps = take(rows, 4, (k) => view.getFloat32(k, true));
    return [name, steps.map((step) => take(columns, 1, (k) => view.getInt8(k) * step))];
  }));
}
