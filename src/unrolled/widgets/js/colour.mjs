// Colours as numbers: from "#rrggbb" to light and back, and plain names for them. ../colour.py does the same.

import { attend, dot } from "./core.mjs";

/** Red, green and blue between 0 and 1. @param {string} colour "#rrggbb" */
export function rgb(colour) {
  return [1, 3, 5].map((i) => parseInt(colour.slice(i, i + 2), 16) / 255);
}

/** Amounts of red, green and blue light: sRGB with its gamma curve undone (IEC 61966-2-1). */
export function linear(/** @type {string} */ colour) {
  return rgb(colour).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
}

/** @param {number[]} light amounts of red, green and blue light @returns {string} "#rrggbb" */
export function toHex(light) {
  return `#${light.map((part) => {
    const c = Math.min(1, Math.max(0, part));
    const bent = c <= 0.0031308 ? 12.92 * c : 1.055 * c ** (1 / 2.4) - 0.055;
    return Math.round(255 * bent).toString(16).padStart(2, "0");
  }).join("")}`;
}

/** The weighted average of the colours' light: attention's own sum. @param {number[]} amounts @param {string[]} colours */
export function mix(amounts, colours) {
  return toHex(attend([amounts], colours.map(linear))[0]);
}

/** A colour as a key or a query: red, green and blue from -1, none, to 1, full. */
export function keyOf(/** @type {string} */ colour) {
  return rgb(colour).map((c) => 2 * c - 1);
}

// From linear sRGB to the responses of the eye's cones, and from their cube roots to OKLab (Ottosson, 2020).
const CONES = [
  [0.4122214708, 0.5363325363, 0.0514459929],
  [0.2119034982, 0.6806995451, 0.1073969566],
  [0.0883024619, 0.2817188376, 0.6299787005],
];
const OKLAB = [
  [0.2104542553, 0.793617785, -0.0040720468],
  [1.9779984951, -2.428592205, 0.4505937099],
  [0.0259040371, 0.7827717662, -0.808675766],
];

function oklab(/** @type {string} */ colour) {
  const light = linear(colour);
  const cones = CONES.map((row) => Math.cbrt(dot(row, light)));
  return OKLAB.map((row) => dot(row, cones));
}

// The eye forgives a lighter or darker shade of a name before it forgives another hue.
const STRETCH = [1, 2.5, 2.5];

/** The plain name whose colour looks most like this one. @param {string} colour @param {Record<string, string>} names */
export function nearestName(colour, names) {
  const here = oklab(colour);
  const far = (name) => oklab(names[name]).reduce((sum, c, i) => sum + (STRETCH[i] * (c - here[i])) ** 2, 0);
  const all = Object.keys(names).map((name) => ({ name, far: far(name) }));
  return all.reduce((a, b) => (b.far < a.far ? b : a)).name;
}
