// Where a token stands, as angles: the clock of sinusoidal positions and the turning of rotary ones.
// Equal to unrolled.nn.positional; tests/widgets hold the two together.

/** How far each pair of components turns from one position to the next, in radians. @param {number} d even */
export function speeds(d, base = 10000) {
  return Array.from({ length: d / 2 }, (_, i) => base ** ((-2 * i) / d));
}

/** The vector added at position t: sine and cosine of each hand's angle. @param {number} t @param {number} d */
export function sinusoidal(t, d, base = 10000) {
  return speeds(d, base).flatMap((speed) => [Math.sin(t * speed), Math.cos(t * speed)]);
}

/**
 * A query or key turned by its position: component i is paired with component i + d/2.
 * @param {number[]} x [d] @param {number} t @returns {number[]} [d]
 */
export function rotary(x, t, base = 10000) {
  const half = x.length / 2;
  const angles = speeds(x.length, base).map((speed) => t * speed);
  const first = angles.map((a, i) => x[i] * Math.cos(a) - x[i + half] * Math.sin(a));
  const second = angles.map((a, i) => x[i] * Math.sin(a) + x[i + half] * Math.cos(a));
  return [...first, ...second];
}
