// Colours as every viewer of pictures reads them.

/** Two digits after the point: a picture needs no more. */
export const short = (/** @type {number} */ x) => Math.round(x * 100) / 100;

/** @type {Map<string, { paint: string, alpha: number }>} */
const colours = new Map();
/** @type {CanvasRenderingContext2D} */
let canvas;
/** A canvas to try colours and typefaces on. */
export const pen = () => (canvas ??= document.createElement("canvas").getContext("2d", { willReadFrequently: true }));

/** A colour as every viewer reads it, and how opaque it is. @param {string} css as computed */
export function colour(css) {
  if (!colours.has(css)) {
    let rgba = /^rgba?\(([\d., ]+)\)$/.exec(css)?.[1].split(",").map(Number);
    if (!rgba) {
      pen().clearRect(0, 0, 1, 1);
      pen().fillStyle = css;
      pen().fillRect(0, 0, 1, 1);
      rgba = [...pen().getImageData(0, 0, 1, 1).data].map((x, k) => (k === 3 ? x / 255 : x));
    }
    const [r, g, b, alpha = 1] = rgba;
    colours.set(css, { paint: `#${[r, g, b].map((x) => Math.round(x).toString(16).padStart(2, "0")).join("")}`, alpha: short(alpha) });
  }
  return colours.get(css);
}

/** Attributes that paint with a colour; none that paint nothing. @param {"fill" | "stroke"} how @param {string} css */
export const painted = (how, css) => {
  const { paint, alpha } = colour(css);
  return { [how]: paint, [`${how}-opacity`]: alpha < 1 ? alpha : null };
};
export const seen = (/** @type {string} */ css) => colour(css).alpha > 0;
