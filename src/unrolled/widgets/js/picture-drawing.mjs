// A drawing of a page as one that stands alone: what its style sheet says is written into it.

import { colour, short } from "./picture-colour.mjs";

/** What a drawing takes from a style sheet and hands on to what is in it. */
const HANDED = ["fill", "fill-opacity", "stroke", "stroke-opacity", "stroke-width", "stroke-dasharray", "stroke-linecap", "stroke-linejoin",
  "font-family", "font-size", "font-weight", "font-style", "text-anchor", "dominant-baseline", "paint-order", "visibility"];

/** @param {Element} one @param {SVGElement} copy @param {Element} root */
function dress(one, copy, root) {
  const style = getComputedStyle(one);
  const apart = one.closest("defs, clipPath, symbol"); // looks like whoever uses it
  for (const { name, value } of [...copy.attributes]) {
    const outside = /href$/.test(name) && !/^(#|data:image\/)/.test(value);
    if (outside || /^(on|aria-|data-|role$|tabindex$|class$)/.test(name) || (name === "style" && (!apart || /url|\\/.test(value)))) copy.removeAttribute(name);
  }
  if (apart) return;
  const around = one === root ? null : getComputedStyle(one.parentElement);
  for (const name of HANDED) {
    const value = style.getPropertyValue(name);
    if (value === around?.getPropertyValue(name)) copy.removeAttribute(name);
    else copy.setAttribute(name, value.replace(/"(#[^"]*)"/, "$1"));
  }
  for (const how of ["fill", "stroke"]) {
    const css = copy.getAttribute(how);
    if (!css || css === "none" || css.startsWith("url(")) continue;
    const { paint, alpha } = colour(css);
    copy.setAttribute(how, paint);
    if (alpha < 1) copy.setAttribute(`${how}-opacity`, String(short(alpha * Number(style.getPropertyValue(`${how}-opacity`)))));
  }
  if (style.opacity !== "1") copy.setAttribute("opacity", style.opacity);
  if (one.matches("circle")) copy.setAttribute("r", style.r);
  if (style.display === "none") copy.setAttribute("display", "none");
}

/** A copy of a drawing, without scripts and all that is not seen. @param {SVGSVGElement} el */
export function standalone(el) {
  const copy = /** @type {SVGSVGElement} */ (el.cloneNode(true));
  const copies = [copy, ...copy.querySelectorAll("*")];
  [el, ...el.querySelectorAll("*")].forEach((one, k) => dress(one, /** @type {SVGElement} */ (copies[k]), el));
  copy.querySelectorAll("script, style, foreignObject, metadata, [display=none]").forEach((one) => one.remove());
  return copy;
}
