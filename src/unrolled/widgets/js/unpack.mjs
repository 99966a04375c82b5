// Trained weights travel as half-precision numbers in base64: a quarter of what the same digits take as text.

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

/**
 * Tensors by name, as plain arrays; those of two dimensions as arrays of rows.
 * @param {{ data: string, tensors: [string, number[]][] }} packed names and shapes, in the order of the data
 * @returns {import("./transformer.mjs").Weights}
 */
export function unpack({ data, tensors }) {
  const bytes = atob(data);
  let at = 0;
  const next = () => fromHalf(bytes.charCodeAt(at++) | (bytes.charCodeAt(at++) << 8));
  const list = (/** @type {number} */ n) => Array.from({ length: n }, next);
  return Object.fromEntries(tensors.map(([name, shape]) =>
    [name, shape.length === 2 ? Array.from({ length: shape[0] }, () => list(shape[1])) : list(shape[0])]));
}
