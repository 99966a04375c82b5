// Maps as pixels, one for each weight: 144 heads of 100 tokens are a million and a half of them.

import { h } from "./dom.mjs";

const LEVELS = 64;

/** From the least to the most attention. */
const ATTENTION = ["--u-scale-0", "--u-scale-1"];
/** From far below zero through zero to far above. */
export const SIGNED = ["--u-2", "--u-paper", "--u-1"];

/**
 * Paints maps in the colours the page has now, and again when those change: by the page's button, a notebook's
 * theme, the system, or paper.
 * @param {HTMLElement} box an element within the widget, whose style has the scale
 * @param {string[]} [scale] the style's names of the colours from the lowest number to the highest, evenly apart
 */
export function painter(box, scale = ATTENTION) {
  /** @type {{ canvas: HTMLCanvasElement, paint: () => void }[]} */
  const shown = [];
  // The system's own colours would paint over what encodes a number.
  const probe = h("span", { hidden: true, style: "forced-color-adjust: none" });
  box.append(probe);
  let palette = read();

  /** Red, green, blue of every level, as the style sheet mixes them. */
  function read() {
    const strip = h("canvas", { width: LEVELS, height: 1 });
    const pen = strip.getContext("2d", { willReadFrequently: true });
    for (let k = 0; k < LEVELS; k++) {
      const place = (k / (LEVELS - 1)) * (scale.length - 1);
      const from = Math.min(scale.length - 2, Math.floor(place));
      probe.style.color = `color-mix(in oklab, var(${scale[from + 1]}) ${100 * (place - from)}%, var(${scale[from]}))`;
      pen.fillStyle = getComputedStyle(probe).color;
      pen.fillRect(k, 0, 1, 1);
    }
    return pen.getImageData(0, 0, LEVELS, 1).data;
  }

  /**
   * Paint one map into a canvas, a pixel for each cell, and remember how.
   * @param {HTMLCanvasElement} canvas @param {ArrayLike<number>} cells @param {number} columns
   * @param {{ full: number, least: number, from?: number }} range in the cells' own numbers: what has the highest
   *   colour, below what a cell counts as the lowest, and what has the lowest, 0 unless given
   */
  function paint(canvas, cells, columns, { full, least, from: low = 0 }) {
    const draw = () => {
      canvas.width = columns;
      canvas.height = cells.length / columns;
      const pen = canvas.getContext("2d");
      const image = pen.createImageData(columns, cells.length / columns);
      for (let k = 0; k < cells.length; k++) {
        const share = cells[k] >= least ? Math.min(1, Math.max(0, (cells[k] - low) / (full - low))) : 0;
        const from = 4 * Math.round(share * (LEVELS - 1));
        image.data[4 * k] = palette[from];
        image.data[4 * k + 1] = palette[from + 1];
        image.data[4 * k + 2] = palette[from + 2];
        image.data[4 * k + 3] = 255;
      }
      pen.putImageData(image, 0, 0);
    };
    const before = shown.find((one) => one.canvas === canvas);
    if (before) before.paint = draw;
    else shown.push({ canvas, paint: draw });
    draw();
  }

  function again() {
    if (!box.isConnected) return; // another has taken its place, or it could not be drawn
    const now = read();
    if (now.every((part, k) => part === palette[k])) return;
    palette = now;
    shown.forEach((one) => one.paint());
  }
  const media = ["(prefers-color-scheme: dark)", "(forced-colors: active)", "print"].map((query) => matchMedia(query));
  media.forEach((one) => one.addEventListener("change", again));
  const placed = new ResizeObserver(again); // a notebook may put the widget into its page later
  placed.observe(box);
  const watch = new MutationObserver(again);
  const themes = { attributes: true, attributeFilter: ["data-theme", "theme", "data-jp-theme-light"] };
  watch.observe(document.documentElement, themes);
  watch.observe(document.body, themes);
  return {
    paint,
    /** Forget every canvas: others take their place. */
    clear: () => void shown.splice(0),
    stop() {
      media.forEach((one) => one.removeEventListener("change", again));
      watch.disconnect();
      placed.disconnect();
    },
  };
}
