// A square piece of the plane on the screen: coordinates there and back, and labels that keep apart.

/** @typedef {{ x: number, y: number, w: number, h: number }} Box left, top, width, height in pixels */

/**
 * Coordinates from -limit to limit both ways, on size × size pixels.
 * @param {number} size @param {number} limit
 */
export function frame(size, limit) {
  const unit = size / (2 * limit);
  return {
    unit,
    /** @param {number[]} point @returns {number[]} pixels */
    toPixels: ([x, y]) => [(x + limit) * unit, (limit - y) * unit],
    /** @param {number} px @param {number} py @returns {number[]} a point within the limit */
    toPoint: (px, py) => [px / unit - limit, limit - py / unit].map((c) => Math.min(limit, Math.max(-limit, c))),
  };
}

/** Where the grid lines stand: a step that leaves 4 to 10 of them on either side. @param {number} limit */
export function gridLines(limit) {
  const power = 10 ** Math.floor(Math.log10(limit));
  const step = [0.1, 0.2, 0.5, 1].map((part) => part * power).find((s) => limit / s <= 5) ?? power;
  const count = Math.floor(limit / step + 1e-9);
  return Array.from({ length: 2 * count + 1 }, (_, i) => (i - count) * step);
}

/** @param {Box} a @param {Box} b @returns {number} the area both cover */
function overlap(a, b) {
  const width = Math.min(a.x + a.w, b.x + b.w) - Math.max(a.x, b.x);
  const height = Math.min(a.y + a.h, b.y + b.h) - Math.max(a.y, b.y);
  return width > 0 && height > 0 ? width * height : 0;
}

// Right, left, above, below, then the corners: the order in which eyes look for a label.
const SIDES = [[1, 0], [-1, 0], [0, -1], [0, 1], [1, -1], [1, 1], [-1, -1], [-1, 1]];

/** The box of a label of w × h beside (x, y), `gap` pixels off. @param {number[]} at @param {number[]} side */
function beside([x, y], [dx, dy], w, h, gap) {
  const slack = dx && dy ? gap * 0.7 : gap;
  return { x: x - w / 2 + dx * (w / 2 + slack), y: y - h / 2 + dy * (h / 2 + slack), w, h };
}

/**
 * Put every label beside its point where it covers least; the first label chooses first.
 * @param {{ id: string, at: number[], w: number, h: number, gap: number, optional?: boolean }[]} labels
 * @param {Box[]} taken what no label should cover
 * @param {number} size the frame's side in pixels
 * @param {Map<string, number>} before the side each label had last time: it keeps it while it can
 * @returns {Map<string, Box>} an optional label that finds no free place is left out
 */
export function placeLabels(labels, taken, size, before) {
  const full = [...taken];
  /** @type {Map<string, Box>} */
  const placed = new Map();
  for (const { id, at, w, h, gap, optional } of labels) {
    let best = { cost: Infinity, box: /** @type {Box} */ ({ x: 0, y: 0, w, h }), place: 0, covered: 0 };
    // Five rings of eight places, each farther off; an optional label stays close or away.
    for (let place = 0; place < (optional ? 1 : 5) * SIDES.length; place++) {
      const ring = Math.floor(place / SIDES.length);
      const box = beside(at, SIDES[place % SIDES.length], w, h, gap + 11 * ring);
      const inside = overlap(box, { x: 0, y: 0, w: size, h: size });
      const covered = full.reduce((sum, other) => sum + overlap(box, other), 0) + 4 * (w * h - inside);
      const cost = covered + place + 12 * ring - (before.get(id) === place ? 25 : 0);
      if (cost < best.cost) best = { cost, box, place, covered };
    }
    if (optional && best.covered > 1) continue;
    before.set(id, best.place);
    placed.set(id, best.box);
    full.push(best.box);
  }
  return placed;
}

/** The three corners of an arrowhead at `tip`, coming from `tail`. @param {number[]} tail @param {number[]} tip */
export function arrowHead(tail, tip, length = 10, width = 8) {
  const far = Math.hypot(tip[0] - tail[0], tip[1] - tail[1]) || 1;
  const [ux, uy] = [(tip[0] - tail[0]) / far, (tip[1] - tail[1]) / far];
  const [bx, by] = [tip[0] - ux * length, tip[1] - uy * length];
  const corners = [tip, [bx - (uy * width) / 2, by + (ux * width) / 2], [bx + (uy * width) / 2, by - (ux * width) / 2]];
  return corners.map((corner) => corner.map((c) => c.toFixed(2)).join(",")).join(" ");
}
