// One training step of several workers as a timeline: the same as unrolled.timeline in Python, which says what it means.

/**
 * @typedef {{ workers: number, megabytes: number, gigabytes_per_s: number, compute_ms: number, buckets: number,
 *   overlap: boolean, strategy: string, latency_us: number }} Setting
 * @typedef {{ kind: string, piece: number, start: number, end: number }} Span
 */

/** @param {Setting} setting */
export function timeline(setting) {
  const { workers: n, megabytes, gigabytes_per_s: speed, compute_ms: whole, buckets: k, overlap, strategy } = setting;
  const turns = n - 1;
  const once = turns * (megabytes / k / n / speed + setting.latency_us / 1e3);
  const pieces = Array.from({ length: k }, (_, piece) => piece);
  const order = [
    ...pieces.map((piece) => ({ kind: "forward", piece, long: whole / 3 / k })),
    ...[...pieces].reverse().map((piece) => ({ kind: "backward", piece, long: (2 * whole) / 3 / k })),
  ];
  const { compute, wire } = (strategy === "ddp" ? ddp : fsdp)(order, turns ? once : 0, overlap);
  const step = Math.max(...[...compute, ...wire].map((span) => span.end));
  const held = 4 * megabytes;
  return {
    compute, wire, step,
    efficiency: whole / step,
    speedup: (n * whole) / step,
    sent: ((strategy === "ddp" ? 2 : 3) * turns / n) * megabytes,
    held: strategy === "ddp" ? held : held / n,
  };
}

/** Compute without a break; each piece is reduced when its gradients are there and the wire is free. */
function ddp(order, once, overlap) {
  /** @type {Span[]} */
  const compute = [], wire = [];
  let now = 0;
  for (const { kind, piece, long } of order) {
    compute.push({ kind, piece, start: now, end: now + long });
    now += long;
  }
  let free = overlap ? 0 : now;
  for (const { kind, piece, end } of compute) {
    if (kind !== "backward" || !once) continue;
    const start = Math.max(free, end);
    free = start + 2 * once;
    wire.push({ kind: "reduce", piece, start, end: free });
  }
  return { compute, wire };
}

/** Gather each piece before it is computed with; with overlap, one piece ahead. */
function fsdp(order, once, overlap) {
  /** @type {Span[]} */
  const compute = [], wire = [];
  let free = 0;
  const send = (kind, piece, ready) => {
    const start = Math.max(free, ready);
    free = start + once;
    if (once) wire.push({ kind, piece, start, end: free });
    return free;
  };
  let there = send("gather", order[0].piece, 0);
  let ended = 0;
  order.forEach(({ kind, piece, long }, i) => {
    const start = Math.max(ended, there);
    ended = start + long;
    compute.push({ kind, piece, start, end: ended });
    const following = order[i + 1]?.piece;
    if (overlap && following !== undefined) there = send("gather", following, start);
    if (kind === "backward") {
      const reduced = send("reduce", piece, ended);
      if (!overlap) ended = reduced;
    }
    if (!overlap && following !== undefined) there = send("gather", following, ended);
  });
  return { compute, wire };
}
