// What the length curves compute: means and ranges over seeds, and where things stand on the screen.

/** @typedef {{ mean: number, least: number, greatest: number }} Summary */

/** @param {number[][]} rows [seeds, L] @param {number} at a length @returns {Summary} */
export function summary(rows, at) {
  const values = rows.map((row) => row[at]);
  return {
    mean: values.reduce((sum, value) => sum + value, 0) / values.length,
    least: Math.min(...values),
    greatest: Math.max(...values),
  };
}

/** The top of the axis: 1 for shares, 100 for percentages and BLEU, else a round number. @param {number[][][]} curves */
export function axisTop(curves) {
  const top = Math.max(...curves.flat(2));
  if (top <= 1) return 1;
  if (top <= 100) return 100;
  const power = 10 ** Math.floor(Math.log10(top));
  return Math.ceil(top / power) * power;
}

/** The index of the place nearest to x. @param {number[]} places @param {number} x */
export function nearestIndex(places, x) {
  return places.reduce((best, place, k) => (Math.abs(place - x) < Math.abs(places[best] - x) ? k : best), 0);
}

/**
 * From length and value to pixels.
 * @param {{ width: number, height: number, left: number, right: number, top: number, bottom: number,
 *           from: number, to: number, max: number }} frame
 */
export function scales({ width, height, left, right, top, bottom, from, to, max }) {
  const span = to - from || 1;
  return {
    x: (length) => left + ((length - from) / span) * (width - left - right),
    y: (value) => height - bottom - (value / max) * (height - top - bottom),
    length: (px) => from + ((px - left) / (width - left - right)) * span,
  };
}
