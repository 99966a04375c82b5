// What a widget shows, as an SVG that stands alone: boxes, lines of text and drawings where the browser has laid them,
// in plain elements that every viewer knows. No HTML, no style sheet, no script, nothing from elsewhere.

import { svg } from "./dom.mjs";
import { painted, pen, seen, short } from "./picture-colour.mjs";
import { standalone } from "./picture-drawing.mjs";

const px = (/** @type {string} */ text) => parseFloat(text) || 0;
/** The parts of a list that commas divide, but none within brackets. @param {string} text */
function parts(text) {
  const found = [""];
  let depth = 0;
  for (const letter of text) {
    depth += Number(letter === "(") - Number(letter === ")");
    if (letter === "," && depth === 0) found.push("");
    else found[found.length - 1] += letter;
  }
  return found.map((one) => one.trim());
}

/** @typedef {{ x: number, y: number, w: number, h: number }} Box */

/** The outline of a box with round corners. @param {Box} box @param {number[]} radii from the left upper corner on */
function outline({ x, y, w, h }, radii) {
  const [a, b, c, d] = radii.map((r) => Math.max(0, Math.min(r, w / 2, h / 2)));
  const arc = (r, dx, dy) => (r > 0 ? `a${short(r)} ${short(r)} 0 0 1 ${short(dx)} ${short(dy)}` : "");
  return `M${short(x + a)} ${short(y)}H${short(x + w - b)}${arc(b, b, b)}V${short(y + h - c)}${arc(c, -c, c)}`
    + `H${short(x + d)}${arc(d, -d, -d)}V${short(y + a)}${arc(a, a, -a)}Z`;
}
const grown = (/** @type {Box} */ { x, y, w, h }, by) => ({ x: x - by, y: y - by, w: w + 2 * by, h: h + 2 * by });

const SIDES = ["Top", "Right", "Bottom", "Left"];

/** An SVG of one element of the page. */
class Picture {
  /** @param {HTMLElement} el */
  constructor(el) {
    const { left, top, width, height } = el.getBoundingClientRect();
    this.origin = { left, top };
    this.clips = 0;
    this.defs = svg("defs");
    const { backgroundColor: paper, fontFamily } = getComputedStyle(el);
    this.letters = fontFamily;
    const title = el.getAttribute("aria-label") ?? "";
    this.root = svg("svg", { xmlns: "http://www.w3.org/2000/svg", width: Math.ceil(width), height: Math.ceil(height),
      viewBox: `0 0 ${Math.ceil(width)} ${Math.ceil(height)}`, role: "img", "aria-label": title, "font-family": fontFamily },
    svg("title", {}, title), this.defs,
    seen(paper) && svg("rect", { width: "100%", height: "100%", ...painted("fill", paper) }));
    this.layer(el, this.root);
  }

  /** @param {DOMRect} rect @returns {Box} */
  box({ left, top, width, height }) {
    return { x: left - this.origin.left, y: top - this.origin.top, w: width, h: height };
  }

  /** An element and what is in it; what lies above it comes last. @param {Element} el @param {SVGElement} into */
  layer(el, into) {
    /** @type {(() => void)[]} */
    const above = [];
    this.element(el, into, above, false);
    above.forEach((draw) => draw());
  }

  /** @param {Element} el @param {SVGElement} into @param {(() => void)[]} above @param {boolean} turned upside down */
  element(el, into, above, turned) {
    const style = getComputedStyle(el);
    if (style.display === "none" || style.clipPath.includes("50%") || el.matches(".unrolled-row")) return;
    if (px(style.opacity) < 1) into = into.appendChild(svg("g", { opacity: style.opacity }));
    turned = turned !== style.transform.startsWith("matrix(-1");
    const clear = style.visibility === "visible";
    if (clear) for (const rect of el.getClientRects()) this.decorate(style, this.box(rect), into);
    if (el instanceof SVGSVGElement) return void (clear && this.drawing(el, style, into));
    if (el instanceof HTMLImageElement) return void (clear && this.image(el, el.src, style, into));
    if (el instanceof HTMLCanvasElement) return void (clear && this.image(el, el.toDataURL(), style, into));
    if (el.matches("input, select, textarea")) return void (clear && this.control(/** @type {any} */ (el), style, into));
    this.beside(el, "::before", style, into);
    const inner = style.overflow !== "visible" && style.display !== "inline" ? this.clipped(el, style, into) : null;
    const over = inner ? [] : above;
    for (const child of el.childNodes) {
      if (child instanceof Text) this.text(child, style, inner ?? into, turned);
      else if (child instanceof Element && !(el.matches("details:not([open])") && !child.matches("summary"))) {
        const { position, zIndex } = getComputedStyle(child);
        const draw = () => this.element(child, inner ?? into, over, turned);
        if (position !== "static" && Number(zIndex) > 0) over.push(draw);
        else draw();
      }
    }
    if (inner) over.forEach((draw) => draw());
    this.beside(el, "::after", style, into);
  }

  /** Background, border, ring. @param {CSSStyleDeclaration} style @param {Box} box @param {SVGElement} into */
  decorate(style, box, into) {
    if (box.w <= 0 || box.h <= 0) return;
    const radii = [style.borderTopLeftRadius, style.borderTopRightRadius, style.borderBottomRightRadius, style.borderBottomLeftRadius]
      .map((r) => (r.endsWith("%") ? px(r) / 100 * box.w : px(r)));
    if (seen(style.backgroundColor)) into.append(svg("path", { d: outline(box, radii), ...painted("fill", style.backgroundColor) }));
    if (style.backgroundImage !== "none") this.gradients(style, box, into);
    const ring = (by, width, css, dash = null) => into.append(svg("path", { d: outline(grown(box, by), radii.map((r) => r && r + by)),
      fill: "none", "stroke-width": width, "stroke-dasharray": dash, ...painted("stroke", css) }));
    const edges = SIDES.map((side) => ({ width: px(style[`border${side}Width`]), css: style[`border${side}Color`], kind: style[`border${side}Style`] }));
    const dash = ({ kind, width }) => ({ dashed: `${3 * width} ${2 * width}`, dotted: `${width} ${width}` })[kind] ?? null;
    const [first] = edges;
    if (edges.every((edge) => edge.width === first.width && edge.css === first.css && edge.kind === first.kind)) {
      if (first.width > 0 && first.kind !== "none" && seen(first.css)) ring(-first.width / 2, first.width, first.css, dash(first));
    } else edges.forEach((edge, k) => {
      if (!edge.width || edge.kind === "none" || !seen(edge.css)) return;
      const { x, y, w, h } = grown(box, -edge.width / 2);
      const [x1, y1, x2, y2] = [[x - edge.width / 2, y, x + w + edge.width / 2, y], [x + w, y, x + w, y + h], [x - edge.width / 2, y + h, x + w + edge.width / 2, y + h], [x, y, x, y + h]][k].map(short);
      into.append(svg("line", { x1, y1, x2, y2, "stroke-width": edge.width, "stroke-dasharray": dash(edge), ...painted("stroke", edge.css) }));
    });
    const [, css, width, inset] = /^(.*\)) 0px 0px 0px ([\d.]+)px( inset)?$/.exec(style.boxShadow) ?? [];
    if (css) ring((inset ? -0.5 : 0.5) * px(width), px(width), css);
    if (!["none", "auto"].includes(style.outlineStyle)) {
      const width = px(style.outlineWidth);
      ring(px(style.outlineOffset) + width / 2, width, style.outlineColor, dash({ kind: style.outlineStyle, width }));
    }
  }

  /** Bars, and stripes. @param {CSSStyleDeclaration} style @param {Box} box @param {SVGElement} into */
  gradients(style, box, into) {
    const [sizes, xs, ys] = [style.backgroundSize, style.backgroundPositionX, style.backgroundPositionY].map(parts);
    const share = (text, whole) => (text.endsWith("%") ? px(text) / 100 * whole : px(text));
    parts(style.backgroundImage).forEach((image, k) => {
      const stops = parts(image.slice(image.indexOf("(") + 1, -1)).map((stop) => /^(.*?\)|#\w+)((?: [\d.]+px)*)$/.exec(stop)).filter(Boolean);
      if (!stops.length) return;
      const [wide, high = "auto"] = sizes[k % sizes.length].split(" ");
      const w = wide === "auto" ? box.w : share(wide, box.w);
      const h = high === "auto" ? box.h : share(high, box.h);
      const at = (text, free) => (text.endsWith("%") ? share(text, free) : px(text));
      const area = { x: box.x + at(xs[k % xs.length], box.w - w), y: box.y + at(ys[k % ys.length], box.h - h), w, h };
      let fill = painted("fill", stops[0][1]);
      if (image.startsWith("repeating")) {
        const ends = stops.map((stop) => px(stop[2].trim().split(" ").at(-1)));
        const period = Math.max(...ends);
        const id = `u-stripes-${++this.clips}`;
        this.defs.append(svg("pattern", { id, width: period, height: period, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" },
          stops.map((stop, n) => n && seen(stop[1]) && svg("rect", { x: ends[n - 1], width: ends[n] - ends[n - 1], height: period, ...painted("fill", stop[1]) }))));
        fill = { fill: `url(#${id})` };
      }
      if (w > 0 && h > 0 && (image.startsWith("repeating") || seen(stops[0][1]))) into.append(svg("path", { d: outline(area, [0, 0, 0, 0]), ...fill }));
    });
  }

  /** Where an element's content ends that does not fit. @param {Element} el @param {CSSStyleDeclaration} style @param {SVGElement} into */
  clipped(el, style, into) {
    if (el.scrollWidth <= el.clientWidth && el.scrollHeight <= el.clientHeight) return null;
    const { x, y } = this.box(el.getBoundingClientRect());
    const id = `u-clip-${++this.clips}`;
    this.defs.append(svg("clipPath", { id }, svg("rect", { x: short(x + el.clientLeft), y: short(y + el.clientTop), width: el.clientWidth, height: el.clientHeight })));
    return into.appendChild(svg("g", { "clip-path": `url(#${id})` }));
  }

  /** How text looks. @param {CSSStyleDeclaration} style */
  face(style) {
    const line = style.textDecorationLine;
    return { ...painted("fill", style.color), "font-family": style.fontFamily === this.letters ? null : style.fontFamily, "font-size": style.fontSize,
      "font-weight": style.fontWeight === "400" ? null : style.fontWeight, "font-style": style.fontStyle === "normal" ? null : style.fontStyle,
      "text-decoration": line === "none" ? null : line, direction: style.direction === "rtl" ? "rtl" : null };
  }

  /** Which share of a line's height is above the baseline. @param {CSSStyleDeclaration} style */
  rise(style) {
    pen().font = `${style.fontStyle} ${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    const { fontBoundingBoxAscent: up, fontBoundingBoxDescent: down } = pen().measureText("x");
    return { share: up / (up + down), up, down };
  }

  /** The lines of a text. @param {Text} node @param {CSSStyleDeclaration} style @param {SVGElement} into @param {boolean} turned */
  text(node, style, into, turned) {
    if (!/\S/.test(node.data) || style.visibility !== "visible" || px(style.fontSize) === 0) return;
    const upright = !style.writingMode.startsWith("vertical");
    const range = document.createRange();
    /** @type {{ words: string, gap: string, x: number, y: number, right: number, bottom: number }[]} */
    const runs = [];
    let from = 0;
    for (const letter of node.data) {
      range.setStart(node, from);
      range.setEnd(node, from += letter.length);
      const rect = [...range.getClientRects()].at(-1);
      const run = runs.at(-1);
      if (/\s/.test(letter)) {
        if (run) run.gap += letter; // at the end of a line it is nowhere
        continue;
      }
      if (!rect && run) run.words += letter; // a mark on the letter before
      if (!rect) continue;
      const { x, y, w, h } = this.box(rect);
      if (run && (upright ? Math.abs(run.y - y) < h / 2 : Math.abs(run.x - x) < w / 2)) {
        Object.assign(run, { words: run.words + run.gap + letter, gap: "", x: Math.min(run.x, x), right: Math.max(run.right, x + w),
          y: Math.min(run.y, y), bottom: Math.max(run.bottom, y + h) });
      } else runs.push({ words: letter, gap: "", x, y, right: x + w, bottom: y + h });
    }
    const { share } = this.rise(style);
    for (const { words, x, y, right, bottom } of runs) {
      const [w, h] = [right - x, bottom - y];
      const at = upright
        ? { x: short(style.direction === "rtl" ? right : x), y: short(y + h * share) }
        : { transform: turned ? `translate(${short(x + w * share)} ${short(bottom)}) rotate(-90)` : `translate(${short(right - w * share)} ${short(y)}) rotate(90)` };
      into.append(svg("text", { ...at, ...this.face(style),
        textLength: words.length > 1 ? short(upright ? w : h) : null, lengthAdjust: words.length > 1 ? "spacingAndGlyphs" : null },
        /^pre/.test(style.whiteSpace) ? words.replace(/\s/g, "\u00a0") : words.replace(/\s+/g, " ")));
    }
  }

  /** What a style sheet adds before or after. @param {Element} el @param {"::before" | "::after"} which */
  beside(el, which, /** @type {CSSStyleDeclaration} */ own, /** @type {SVGElement} */ into) {
    const style = getComputedStyle(el, which);
    const marker = which === "::before" && own.display === "list-item" && el.matches("summary");
    const words = marker ? (el.closest("details").open ? "▾" : "▸") : /^"(.*?)"/.exec(style.content)?.[1];
    if (words === undefined || own.visibility !== "visible") return;
    const { x, y, w, h } = this.box(el.getBoundingClientRect());
    if (!marker && style.position === "absolute") {
      this.decorate(style, { x: x + px(own.borderLeftWidth) + px(style.left), y: y + px(own.borderTopWidth) + px(style.top), w: px(style.width), h: px(style.height) }, into);
    } else if (words.trim()) {
      const { up, down } = this.rise(own);
      const line = px(own.lineHeight) || up + down;
      const end = which === "::after";
      into.append(svg("text", { ...this.face(own), x: short(end ? x + w - px(own.paddingRight) - px(own.borderRightWidth) : x + px(own.paddingLeft) + px(own.borderLeftWidth)),
        "text-anchor": end ? "end" : null, y: short((end ? y + h - px(own.paddingBottom) - line : y + px(own.paddingTop)) + (line - up - down) / 2 + up) }, words.trim()));
    }
  }

  /** A control as it stands. @param {any} el @param {CSSStyleDeclaration} style @param {SVGElement} into */
  control(el, style, into) {
    const { x, y, w, h } = this.box(el.getBoundingClientRect());
    const [accent, edge] = [style.accentColor === "auto" ? style.color : style.accentColor, style.color];
    const middle = y + h / 2;
    if (el.type === "range") {
      const share = (el.valueAsNumber - Number(el.min)) / (Number(el.max) - Number(el.min) || 1);
      const at = x + 8 + share * (w - 16);
      const track = (from, to, css, opacity) => svg("line", { x1: short(from), x2: short(to), y1: short(middle), y2: short(middle), "stroke-width": 4, "stroke-linecap": "round", opacity, ...painted("stroke", css) });
      into.append(track(x + 2, x + w - 2, edge, 0.35), track(x + 2, at, accent, null), svg("circle", { cx: short(at), cy: short(middle), r: 7.5, ...painted("fill", accent) }));
    } else if (el.type === "checkbox" || el.type === "radio") {
      const size = Math.min(w, h) - 2;
      const frame = outline({ x: x + (w - size) / 2, y: middle - size / 2, w: size, h: size }, Array(4).fill(el.type === "radio" ? size / 2 : 3));
      into.append(svg("path", { d: frame, "stroke-width": 1.5, ...painted("stroke", el.checked ? accent : edge), ...(el.checked && el.type === "checkbox" ? painted("fill", accent) : { fill: "none" }) }));
      const [cx, s] = [x + w / 2, size / 4];
      if (el.checked && el.type === "radio") into.append(svg("circle", { cx: short(cx), cy: short(middle), r: short(s), ...painted("fill", accent) }));
      else if (el.checked) into.append(svg("path", { d: `M${short(cx - s)} ${short(middle)}l${short(s * 0.7)} ${short(s * 0.8)}l${short(s * 1.3)} ${short(-1.6 * s)}`, fill: "none", stroke: "#ffffff", "stroke-width": 2 }));
    } else {
      // A browser does not tell where a field's words stand: a box of the same measures does.
      const rect = el.getBoundingClientRect();
      const twin = document.createElement("div");
      twin.textContent = el.matches("select") ? el.selectedOptions[0]?.textContent ?? "" : el.value;
      for (const name of ["fontFamily", "fontSize", "fontWeight", "fontStyle", "letterSpacing", "direction", "color", "padding", "textAlign"]) twin.style[name] = style[name];
      const many = el.matches("textarea");
      if (el.matches("select")) twin.style.paddingRight = "20px";
      Object.assign(twin.style, { position: "fixed", left: `${rect.left}px`, top: `${rect.top}px`, width: `${w}px`, height: `${h}px`, boxSizing: "border-box", visibility: "visible",
        border: `${style.borderTopWidth} solid transparent`, overflow: "hidden", whiteSpace: many ? "pre-wrap" : "pre", overflowWrap: "anywhere", lineHeight: many ? style.lineHeight : `${h - 2 * px(style.borderTopWidth) - px(style.paddingTop) - px(style.paddingBottom)}px` });
      document.body.append(twin);
      this.element(twin, into, [], false);
      twin.remove();
      if (el.matches("select")) into.append(svg("path", { d: `M${short(x + w - 15)} ${short(middle - 2)}l4 4l4 -4`, fill: "none", "stroke-width": 1.5, ...painted("stroke", edge) }));
    }
  }

  /** Pixels, of which the picture has its own. @param {Element} el @param {string} href @param {CSSStyleDeclaration} style @param {SVGElement} into */
  image(el, href, style, into) {
    if (!href.startsWith("data:image/")) return;
    const { x, y, w, h } = this.box(el.getBoundingClientRect());
    const sharp = style.imageRendering === "auto" ? null : style.imageRendering;
    into.append(svg("image", { href, x: short(x), y: short(y), width: short(w), height: short(h), preserveAspectRatio: "none", "image-rendering": sharp }));
  }

  /** A drawing within the page, its style sheet's rules written into it. @param {SVGSVGElement} el */
  drawing(el, /** @type {CSSStyleDeclaration} */ style, /** @type {SVGElement} */ into) {
    const copy = standalone(el);
    const { x, y, w, h } = this.box(el.getBoundingClientRect());
    const [left, top, right, bottom] = ["Left", "Top", "Right", "Bottom"].map((side) => px(style[`padding${side}`]) + px(style[`border${side}Width`]));
    if (!copy.hasAttribute("viewBox")) copy.setAttribute("viewBox", `0 0 ${short(w - left - right)} ${short(h - top - bottom)}`);
    for (const [name, value] of Object.entries({ x: x + left, y: y + top, width: w - left - right, height: h - top - bottom })) copy.setAttribute(name, String(short(value)));
    copy.setAttribute("overflow", style.overflow === "visible" ? "visible" : "hidden");
    into.append(copy);
  }
}

/** @param {HTMLElement} el a widget's root @returns {{ text: string, width: number, height: number }} */
export function picture(el) {
  const { root } = new Picture(el);
  // Control characters, which no XML may hold, are drawn as what they are: nothing anybody can read.
  // eslint-disable-next-line no-control-regex
  const text = new XMLSerializer().serializeToString(root).replace(/[\0-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]/g, "\ufffd");
  return { text, width: root.width.baseVal.value, height: root.height.baseVal.value };
}

/** The same in pixels, two to each of the page where that is not too many. @param {HTMLElement} el @returns {Promise<Blob>} */
export async function pixels(el) {
  const { text, width, height } = picture(el);
  const scale = Math.min(2, 8000 / Math.max(width, height));
  const image = new Image();
  image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
  await image.decode();
  const sheet = document.createElement("canvas");
  [sheet.width, sheet.height] = [Math.ceil(width * scale), Math.ceil(height * scale)];
  sheet.getContext("2d").drawImage(image, 0, 0, sheet.width, sheet.height);
  return new Promise((done, fail) => sheet.toBlob((blob) => (blob ? done(blob) : fail(new Error("no picture"))), "image/png"));
}
