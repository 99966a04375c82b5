// What `look` was given: weights as whole numbers in base64, and what may be shown of them.
// ../../looking/widget.py writes them.

/**
 * @typedef {{ name: string, tokens: string[], keys: string[], layers: string[], heads: string[] }} Kind one kind of
 *   attention: its tokens that look, those looked at, and which layers and heads there are
 */

/**
 * The weights of every kind, as typed arrays over one piece of memory.
 * @param {string} data @param {Kind[]} kinds @param {number} digits
 */
export function unpackWeights(data, kinds, digits) {
  const letters = atob(data);
  const bytes = new Uint8Array(letters.length);
  for (let k = 0; k < letters.length; k++) bytes[k] = letters.charCodeAt(k);
  const whole = digits === 2 ? bytes : new Uint16Array(bytes.buffer);
  const steps = 10 ** digits;
  let first = 0;
  return kinds.map(({ tokens, keys, layers, heads }) => {
    const [columns, size] = [keys.length, tokens.length * keys.length];
    const start = first;
    first += layers.length * heads.length * size;
    const at = (/** @type {number} */ layer, /** @type {number} */ head) => start + (layer * heads.length + head) * size;
    return {
      /** One row of one head. */
      row: (layer, head, i) => Array.from(whole.subarray(at(layer, head) + i * columns, at(layer, head) + (i + 1) * columns),
        (n) => n / steps),
      /** One head, cell by cell, as whole numbers. */
      cells: (layer, head) => whole.subarray(at(layer, head), at(layer, head) + size),
    };
  });
}

/**
 * The places of the largest weights of a head, the largest first: of one row, or of all.
 * @param {ArrayLike<number>} cells @param {number} columns @param {{ row: number, least: number, most: number }} asked
 *   row: -1 for all of them; least: in the cells' own numbers
 */
export function largest(cells, columns, { row, least, most }) {
  const [from, to] = row < 0 ? [0, cells.length] : [row * columns, (row + 1) * columns];
  const places = [];
  for (let k = from; k < to; k++) if (cells[k] > 0 && cells[k] >= least) places.push(k);
  places.sort((a, b) => cells[b] - cells[a] || a - b);
  return { places: places.slice(0, most), left: Math.max(0, places.length - most) };
}
