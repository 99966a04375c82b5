// bertviz's own model view in a page without a network, and what it lacks: names for its controls, a way in for
// keyboard and finger, the numbers in words, and colours for both themes.

import { drawModelView } from "./bertviz-model-view-script.mjs";
import { standIns } from "./bertviz-standins.mjs";
import { choice, h, liveRegion, number, root } from "./dom.mjs";
import { mapTable, pageOf } from "./page.mjs";

// As in bertviz, whose picture is 970 px wide whatever is in it: 38 for the names of the layers; a map takes its
// share of what is left; the large map, 300 wide, opens beside the small one.
const [FULL, NAMES, DETAIL] = [970, 38, 310];
// With fewer heads its small maps would be as large as the large one: it is told of as many as this.
const FEWEST_HEADS = 6;

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const weights = model.get("weights");
  const tokens = model.get("tokens");
  const title = model.get("title");
  const nHeads = weights[0].length;
  const maps = weights.flatMap((heads, layer) => heads.map((map, head) => ({ name: `layer ${layer}, head ${head}`, map })));

  const vis = h("div", { class: "u-bertviz u-scroll", tabindex: 0, role: "region", "aria-label": "A small map for each head" });
  const readout = liveRegion();
  const page = pageOf(model);
  /** Which map is large, or -1, and the token pointed at in it, or -1. */
  let shown = page.recalled.shown ?? -1;
  let token = page.recalled.token ?? -1;

  /** bertviz keeps to itself which map is large, but draws a frame around the small one. */
  const open = () => [...vis.querySelectorAll(".attn_background")].findIndex((frame) => Number(frame.getAttribute("stroke-opacity")) > 0);
  const small = (index) => vis.querySelectorAll("svg > g:not(.detail)")[index]?.lastElementChild;
  /** The words on the left of the large map. */
  const words = () => [...(vis.querySelector("g.detail")?.children ?? [])];

  /** Point at a token of the large map as a mouse would. */
  function point() {
    words()[0]?.dispatchEvent(new MouseEvent("mouseleave"));
    words()[token]?.dispatchEvent(new MouseEvent("mouseover"));
  }

  /** A mouse points at a token, or at none any more; bertviz shows its lines by itself. */
  function look(i) {
    token = i;
    pointed.set(i + 1);
    tell();
  }

  function tell() {
    if (shown < 0) {
      readout.say(`${weights.length} layers down, ${nHeads} heads across: left looks, right is looked at. Choose a head to see its words.`);
    } else if (token < 0) {
      readout.say(`${maps[shown].name}: left looks, right is looked at.`);
    } else {
      const shares = maps[shown].map[token].map((share, j) => `${tokens[j]} ${number(share)}`);
      readout.say(`${maps[shown].name}: ${tokens[token]} attends to ${shares.join(", ")}.`);
    }
  }

  /** After bertviz has opened or closed a map: make the controls say so. */
  function follow() {
    shown = open();
    if (shown < 0) token = -1;
    words().forEach((word, i) => {
      word.addEventListener("mouseover", (event) => event.isTrusted && look(i));
      word.addEventListener("mouseleave", (event) => event.isTrusted && look(-1));
    });
    // On a phone the picture is wider than the page.
    const frame = vis.querySelector("rect.detail")?.getBoundingClientRect();
    if (frame) vis.scrollLeft += Math.max(0, frame.right - vis.getBoundingClientRect().right);
    large.set(shown + 1);
    pointed.set(token + 1);
    pointed.select.disabled = shown < 0;
    point();
    tell();
    page.tables(tables);
  }

  /** The large map, or all of them, as in ../bertviz.py. */
  function tables() {
    const about = title ? `${title}. ` : "";
    return maps.filter((_, index) => shown < 0 || index === shown).map(({ name, map }) => mapTable(
      `${about}${name[0].toUpperCase()}${name.slice(1)}`, { tokens, keys: tokens, map, full: 1 }));
  }

  const large = choice({
    label: "Head to enlarge", options: ["none", ...maps.map(({ name }) => name)],
    onInput(index) {
      // What is large already closes at the same click.
      small(index > 0 ? index - 1 : shown)?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
    },
  });
  const pointed = choice({
    label: "Token that looks", options: ["all tokens", ...tokens],
    onInput(index) {
      token = index - 1;
      point();
      tell();
    },
  });
  root(el, title || "bertviz model view",
    title && h("p", { class: "u-title" }, title),
    h("div", { class: "u-controls" }, large.el, pointed.el), vis, readout.el);

  const { $, d3 } = standIns({ vis });
  const total = Math.max(nHeads, FEWEST_HEADS);
  drawModelView((_, run) => run($, d3), {
    attention: [{ name: null, attn: weights, left_text: tokens, right_text: tokens }],
    default_filter: "0", display_mode: "light", root_div_id: "view", total_heads: total,
    include_layers: weights.map((_, i) => i), include_heads: weights[0].map((_, i) => i),
  }, { log() {} });
  const picture = vis.querySelector("svg");
  const [one, height] = [(FULL - NAMES) / total, parseFloat(picture.getAttribute("height"))];
  const width = Math.min(FULL, NAMES + (nHeads - 0.2) * one + DETAIL);
  picture.setAttribute("viewBox", `0 0 ${width} ${height}`);
  picture.style.maxWidth = `${width}px`;
  for (const name of ["width", "height"]) picture.removeAttribute(name);
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", "Small maps of lines from each token on the left to each on the right, the stronger the "
    + `larger the weight: ${weights.length} rows for the layers, ${nHeads} columns for the heads; the numbers stand below`);
  for (const frame of vis.querySelectorAll(".attn_background")) frame.removeAttribute("id");
  picture.addEventListener("click", follow);
  if (shown >= 0) small(shown)?.dispatchEvent(new MouseEvent("click", { bubbles: true }));
  else follow();
  page.remembers(() => ({ shown, token }));
}
