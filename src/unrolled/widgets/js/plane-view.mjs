// The picture of the bears plane: word vectors to take hold of, and arrows to where a word is taken.

import { h, number, onResize, svg } from "./dom.mjs";
import { arrowHead, frame, gridLines, placeLabels } from "./plane.mjs";

const LETTER = 7.4; // a wide guess at a letter's width, in pixels
const DOT = 4.5; // the radius of the dot where an arrow ends, in pixels
const GRIP = 16; // how near to a word's point a finger must come, in pixels
const SLOP = 6; // how far a finger goes before it is clear where, in pixels
const REST = 300; // milliseconds a finger rests on a word to take hold of it

/** The outline of a sentence's mark, about 22 pixels wide. @param {number} style */
function outline(style) {
  if (style === 1) return svg("rect", { x: -10, y: -10, width: 20, height: 20, rx: 3 });
  if (style === 2) return svg("polygon", { points: "0,-14 13,9 -13,9" });
  if (style === 3) return svg("polygon", { points: "0,-13 13,0 0,13 -13,0" });
  if (style === 4) return svg("polygon", { points: "-12,0 -6,-11 6,-11 12,0 6,11 -6,11" });
  return svg("circle", { r: 11 });
}

/** A sentence's mark: shape, colour and sign, so that none of them has to be told apart alone. */
export function mark(style, sign, props = {}) {
  return svg("g", { class: `u-mark u-s${style}`, ...props }, outline(style),
    svg("text", { y: style === 2 ? 6 : 4.5, "text-anchor": "middle" }, sign));
}

/**
 * @typedef {{ style: number, sign: string, from: number[], to: number[] }} Arrow
 * @param {{ words: string[], target: number, limit: number,
 *   placed?: { size: number, sides: [string, any][] }, onMove: (word: number, point: number[]) => void, onDrop: () => void, onChoose: (word: number) => void }} options
 */
export function planeView({ words, target, limit, placed, onMove, onDrop, onChoose }) {
  let size = placed?.size ?? 440;
  let shown = { vectors: [], arrows: [], landmarks: {}, inUse: new Set(), chosen: target };
  // On which side of its point each label stands: it stays there as long as there is room.
  const sides = new Map(placed?.sides);
  const back = svg("g", { "aria-hidden": "true" });
  const front = svg("g", { "aria-hidden": "true", class: "u-over" });
  const handles = words.map((word, i) => {
    const handle = svg("g", {
      class: i === target ? "u-handle u-target" : "u-handle", role: "slider", "aria-label": word,
      "aria-valuemin": -limit, "aria-valuemax": limit,
    }, svg("circle", { r: GRIP, class: "u-grip" }), svg("circle", { r: i === target ? 6 : 4.5, class: "u-dot" }));
    handle.addEventListener("keydown", (event) => key(event, i));
    handle.addEventListener("focus", () => onChoose(i));
    return handle;
  });
  const keys = "Arrow keys move a word by 0.1, with Shift by 0.5. Page Up and Page Down go to another word.";
  const picture = svg("svg", { class: "u-plane", role: "group",
    "aria-label": `Word vectors, from \u2212${limit} to ${limit} both ways. ${keys}` }, back, handles, front);
  // For those who see it; shown while a word has the keyboard.
  const el = h("div", { class: "u-plane-box" }, picture, h("p", { class: "u-keys", "aria-hidden": "true" }, keys));

  /** @param {KeyboardEvent} event @param {number} i */
  function key(event, i) {
    const step = { PageUp: -1, PageDown: 1 }[event.key];
    if (step && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      // Of the words the sentences use; the list beside the plane leads to the others.
      const round = words.map((_, j) => j).filter((j) => j === i || shown.inUse.has(j));
      handles[round[(round.indexOf(i) + step + round.length) % round.length]].focus();
      return;
    }
    const to = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!to || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const far = event.shiftKey ? 0.5 : 0.1;
    move(i, shown.vectors[i].map((c, d) => c + far * to[d]));
    onDrop();
  }

  function move(i, point) {
    // Six digits: 0.1 + 0.2 should read 0.3.
    onMove(i, point.map((c) => Math.round(Math.min(limit, Math.max(-limit, c)) * 1e6) / 1e6));
  }

  /** How large a word's dot looks, in pixels. @param {number} i */
  const radius = (i) => (i === target ? 6 : shown.inUse.has(i) ? DOT : 2.2);

  /** @typedef {{ word: number, dx: number, dy: number, pointer: number }} Hold */
  /** @type {Hold | null} */
  let held = null;
  /** A finger on a word that may mean the page: it takes the word by going sideways first, or by resting on it.
   * @type {Hold & { x: number, y: number, timer: number } | null} */
  let waiting = null;
  let tapped = false;
  const pixels = (event) => {
    const box = picture.getBoundingClientRect();
    return [((event.clientX - box.left) * size) / box.width, ((event.clientY - box.top) * size) / box.height];
  };
  const forget = () => {
    window.clearTimeout(waiting?.timer);
    waiting = null;
  };
  /** @param {Hold} hold */
  const take = ({ word, dx, dy, pointer }) => {
    forget();
    held = { word, dx, dy, pointer };
    handles[word].focus({ preventScroll: true });
    picture.setPointerCapture(pointer);
    picture.classList.add("is-dragging");
  };
  // Swiping up or down scrolls the page, two fingers enlarge it, and only what is left moves a word. Decided here and
  // not by touch-action, which Chromium heeds on no element inside an SVG and which is fixed when the touch begins.
  picture.addEventListener("touchmove", (event) => {
    if (event.touches.length > 1) forget();
    else if (waiting) {
      const [dx, dy] = [event.touches[0].clientX - waiting.x, event.touches[0].clientY - waiting.y].map(Math.abs);
      if (Math.max(dx, dy) > SLOP && dx > dy) take(waiting);
      else if (dy > SLOP) forget();
    }
    if (held && event.cancelable) event.preventDefault();
  }, { passive: false });
  // A tap has chosen the nearest word; the click that follows would choose the one drawn last.
  picture.addEventListener("touchend", (event) => {
    if (tapped && event.cancelable) event.preventDefault();
    tapped = false;
  });
  picture.addEventListener("contextmenu", (event) => {
    if (held || waiting) event.preventDefault();
  });
  picture.addEventListener("pointerdown", (event) => {
    if (held || !event.isPrimary || event.button !== 0 || !/** @type {Element} */ (event.target).closest(".u-handle")) return;
    const [px, py] = pixels(event);
    const at = shown.vectors.map(frame(size, limit).toPixels);
    // Grips may overlap: the nearest dot is meant, whichever was drawn last, and of two in one place the larger.
    const far = at.map(([x, y], i) => Math.hypot(x - px, y - py) - radius(i));
    const word = far.indexOf(Math.min(...far));
    const hold = { word, dx: at[word][0] - px, dy: at[word][1] - py, pointer: event.pointerId };
    forget();
    if (event.pointerType !== "touch") {
      event.preventDefault();
      take(hold);
    } else {
      const timer = window.setTimeout(() => waiting && take(waiting), REST);
      waiting = { ...hold, x: event.clientX, y: event.clientY, timer };
    }
  });
  picture.addEventListener("pointermove", (event) => {
    if (held?.pointer !== event.pointerId) return;
    const [px, py] = pixels(event);
    const point = frame(size, limit).toPoint(px + held.dx, py + held.dy);
    move(held.word, point.map((c) => Math.round(c * 100) / 100));
  });
  for (const end of /** @type {const} */ (["pointerup", "pointercancel"])) {
    picture.addEventListener(end, (/** @type {PointerEvent} */ event) => {
      tapped = end === "pointerup" && waiting?.pointer === event.pointerId;
      if (tapped) handles[waiting.word].focus({ preventScroll: true });
      if (waiting?.pointer === event.pointerId) forget();
      if (held?.pointer !== event.pointerId) return;
      held = null;
      picture.classList.remove("is-dragging");
      onDrop();
    });
  }

  function draw() {
    const { vectors, arrows, inUse, chosen, landmarks } = shown;
    const { toPixels } = frame(size, limit);
    const at = vectors.map(toPixels);
    const origin = size / 2;
    picture.setAttribute("viewBox", `0 0 ${size} ${size}`);
    const grid = gridLines(limit).flatMap((c) => {
      const [x, y] = toPixels([c, c]);
      const kind = Math.abs(c) < 1e-9 ? "u-axis" : "u-line";
      return [svg("line", { x1: x, x2: x, y1: 0, y2: size, class: kind }),
        svg("line", { x1: 0, x2: size, y1: y, y2: y, class: kind })];
    });
    const ticks = gridLines(limit).filter((c) => Math.abs(c) > 1e-9 && Math.abs(c) < limit - 1e-9);
    const digits = Math.max(0, -Math.floor(Math.log10(ticks[1] - ticks[0]) + 1e-9));
    const named = ticks.filter((_, i) => ticks.length <= 8 || i % 2 === 1);
    const tickTexts = named.flatMap((c) => {
      const [x, y] = toPixels([c, c]);
      const text = number(c, digits);
      return [svg("text", { x, y: size - 5, "text-anchor": "middle", class: "u-tick" }, text),
        svg("text", { x: 5, y: y + 4, class: "u-tick" }, text)];
    });
    const regions = Object.values(landmarks).map(toPixels).map(([cx, cy]) =>
      svg("circle", { cx, cy, r: 0.09 * size, class: "u-region" }));
    const spokes = at.map(([x, y], i) => (inUse.has(i)
      && svg("line", { x1: origin, y1: origin, x2: x, y2: y, class: "u-spoke" }))).filter(Boolean);
    const lines = arrows.map(({ style, from, to }) => {
      const [tail, tip] = [toPixels(from), toPixels(to)];
      const far = Math.hypot(tip[0] - tail[0], tip[1] - tail[1]);
      // The head ends where the dot at the tip begins.
      const edge = tip.map((c, d) => c + ((tail[d] - c) * DOT) / (far || 1));
      return svg("g", { class: `u-arrow u-s${style}` },
        svg("line", { x1: tail[0], y1: tail[1], x2: tip[0], y2: tip[1] }),
        far > 3 * DOT && svg("polygon", { points: arrowHead(tail, edge) }),
        svg("circle", { cx: tip[0], cy: tip[1], r: DOT, class: "u-tip" }));
    });
    back.replaceChildren(...regions, ...grid, ...tickTexts, ...spokes);

    const dot = (/** @type {number[]} */ [x, y], r) => ({ x: x - r, y: y - r, w: 2 * r, h: 2 * r });
    const tickBoxes = named.map((c) => toPixels([c, c])).flatMap(([x, y]) => [
      { x: 3, y: y - 7, w: 30, h: 14 }, { x: x - 15, y: size - 16, w: 30, h: 14 }]);
    const taken = [...at.map((p) => dot(p, 6)), ...arrows.map(({ to }) => dot(toPixels(to), 6)), ...tickBoxes];
    const text = (id, i, optional) => ({
      id, at: at[i], w: words[i].length * (i === target ? LETTER + 1 : LETTER) + 4, h: 17, gap: 9, optional,
    });
    const order = words.map((_, i) => i).sort((a, b) => rank(b) - rank(a));
    function rank(i) {
      return (i === target ? 4 : 0) + (i === chosen ? 2 : 0) + (inUse.has(i) ? 1 : 0);
    }
    const boxes = placeLabels([
      text("target", target, false),
      ...arrows.map(({ to, style }) => ({ id: `arrow ${style}`, at: toPixels(to), w: 27, h: 27, gap: 8 })),
      ...order.filter((i) => i !== target).map((i) => text(`word ${i}`, i, rank(i) === 0)),
      ...Object.entries(landmarks).map(([name, point]) => ({
        id: `place ${name}`, at: toPixels(point), w: name.length * LETTER + 4, h: 17, gap: 0.09 * size + 3,
      })),
    ], taken, size, sides);
    const middle = (id, props, content) => {
      const box = boxes.get(id);
      return box && svg("text", { x: box.x + box.w / 2, y: box.y + 13, "text-anchor": "middle", ...props }, content);
    };
    front.replaceChildren(...[
      ...Object.keys(landmarks).map((name) => middle(`place ${name}`, { class: "u-place" }, name)),
      // From a sentence's mark to the tip it stands for.
      ...arrows.map(({ style, to }) => {
        const [box, [x1, y1]] = [boxes.get(`arrow ${style}`), toPixels(to)];
        return svg("line", { class: `u-leader u-s${style}`, x1, y1, x2: box.x + 13.5, y2: box.y + 13.5 });
      }),
      ...lines,
      ...order.map((i) => middle(i === target ? "target" : `word ${i}`,
        { class: `u-word${i === target ? " u-target" : ""}${inUse.has(i) ? "" : " u-idle"}` }, words[i])),
      ...arrows.map(({ style, sign }) => {
        const box = boxes.get(`arrow ${style}`);
        return mark(style, sign, { transform: `translate(${box.x + 13.5} ${box.y + 13.5})` });
      }),
    ].filter(Boolean));

    handles.forEach((handle, i) => {
      const [x, y] = vectors[i];
      handle.setAttribute("transform", `translate(${at[i][0].toFixed(2)} ${at[i][1].toFixed(2)})`);
      handle.setAttribute("aria-valuenow", String(x));
      handle.setAttribute("aria-valuetext", `x: ${number(x)}, y: ${number(y)}`);
      handle.setAttribute("tabindex", i === chosen ? "0" : "-1");
      handle.classList.toggle("u-idle", !inUse.has(i));
      handle.classList.toggle("is-chosen", i === chosen);
    });
  }

  const watch = onResize(picture, () => {
    const width = Math.round(picture.getBoundingClientRect().width);
    if (width > 0 && width !== size) {
      size = width;
      draw();
    }
  });
  return {
    el,
    /** Where the labels stand: they stay there when a reader comes back. */
    placed: () => ({ size, sides: [...sides] }),
    /**
     * @param {{ vectors: number[][], arrows: Arrow[], landmarks: Record<string, number[]>, inUse: Set<number>,
     *   chosen: number }} next
     */
    show(next) {
      shown = next;
      draw();
    },
    stop() {
      forget();
      watch.disconnect();
    },
  };
}
