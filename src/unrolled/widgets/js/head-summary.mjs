// What a head does on average, over the tokens that attend to anything. As head_summary in ../head_browser.py.

/** @typedef {number[][]} Matrix */

/**
 * @param {Matrix} map [T, S]
 * @param {{ names?: string[], relations?: Matrix[], toItself?: boolean, ordered?: boolean }} options
 * @returns {[string, number][]} figures in the order they are shown
 */
export function headSummary(map, { names = [], relations = [], toItself = true, ordered = true } = {}) {
  const rows = map.map((_, i) => i).filter((i) => map[i].some((w) => w > 0));
  const mean = (of, among = rows) => among.reduce((sum, i) => sum + of(i), 0) / Math.max(1, among.length);
  /** @type {[string, number][]} */
  const summary = [];
  if (toItself && map.length === map[0].length) {
    summary.push(["itself", mean((i) => map[i][i])]);
    if (ordered) {
      summary.push(["the one before", mean((i) => map[i][i - 1], rows.filter((i) => i > 0))]);
      summary.push(["the one after", mean((i) => map[i][i + 1], rows.filter((i) => i < map.length - 1))]);
    }
  }
  if (ordered) summary.push(["the first", mean((i) => map[i][0])]);
  relations.forEach((relation, r) => summary.push([names[r], mean(
    (i) => map[i].reduce((sum, w, j) => sum + w * relation[i][j], 0),
    rows.filter((i) => relation[i].some((there) => there > 0)),
  )]));
  summary.push(["entropy", mean((i) => map[i].reduce((sum, w) => (w > 0 ? sum - w * Math.log2(w) : sum), 0))]);
  return summary;
}
