// bertviz's own head view in a page without a network, and what it lacks: names for its controls, a way in for
// keyboard and finger, the numbers in words, and colours for both themes.

import { drawHeadView } from "./bertviz-head-view-script.mjs";
import { HEAD_COLOURS, standIns } from "./bertviz-standins.mjs";
import { choice, h, liveRegion, number, root, uid } from "./dom.mjs";
import { mapTable, pageOf } from "./page.mjs";

// Its picture is 335 px wide: two columns of 110 for the tokens, and 115 between them for the lines.
const WIDTH = 335;

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const weights = model.get("weights");
  const tokens = model.get("tokens");
  const title = model.get("title");
  const nHeads = weights[0].length;

  const id = uid("layer");
  const layer = h("select", { id });
  const vis = h("div", { class: "u-bertviz" });
  const readout = liveRegion();
  const page = pageOf(model);
  /** @type {{ i: number, left: boolean } | null} */
  let token = page.recalled.token ?? null;

  const colour = (head) => HEAD_COLOURS[head % HEAD_COLOURS.length];
  const square = (head) => [...vis.querySelectorAll("svg > g:last-of-type > rect")][head];
  // bertviz keeps to itself which heads are on, but paints the squares of the others lighter.
  const isOn = (head) => square(head)?.getAttribute("fill") === colour(head);
  const buttons = Array.from({ length: nHeads }, (_, head) => h("button", {
    type: "button", class: "u-button u-head", "aria-pressed": true,
    onclick: () => square(head)?.dispatchEvent(new MouseEvent("click", { bubbles: true })),
  }, h("span", { class: "u-head-colour", style: `background: ${colour(head)}` }), `Head ${head}`));

  /** Point at a token as a mouse would; bertviz then shows the lines of this token alone. */
  function point() {
    for (const side of ["left", "right"]) {
      vis.querySelector(`#${side}`)?.dispatchEvent(new MouseEvent("mouseleave"));
    }
    if (token) words(token.left ? "left" : "right")[token.i]?.dispatchEvent(new MouseEvent("mouseover"));
  }
  const words = (side) => [...vis.querySelectorAll(`#${side} > g:last-of-type > g`)];

  function tell() {
    const shown = buttons.map((_, head) => head).filter(isOn);
    const map = weights[Number(layer.value)];
    if (!token) {
      const which = shown.map((head) => `head ${head}`).join(", ");
      return readout.say(`Layer ${layer.value}, ${which}. Left looks, right is looked at.`);
    }
    const { i, left } = token;
    const said = shown.map((head) => {
      const shares = tokens.map((_, j) => (left ? map[head][i][j] : map[head][j][i]));
      return `head ${head}: ${tokens.map((other, j) => `${other} ${number(shares[j])}`).join(", ")}`;
    });
    readout.say(`${tokens[i]} ${left ? "attends to" : "is attended to by"}: ${said.join("; ")}.`);
  }

  /** After bertviz has drawn or changed something: make the controls say so. */
  function follow() {
    buttons.forEach((button, head) => button.setAttribute("aria-pressed", String(isOn(head))));
    tell();
    page.tables(tables);
  }

  /** The maps of the heads that are on, as in ../bertviz.py. */
  function tables() {
    const about = title ? `${title}. ` : "";
    return buttons.map((_, head) => head).filter(isOn).map((head) => mapTable(`${about}Layer ${layer.value}, head ${head}`,
      { tokens, keys: tokens, map: weights[Number(layer.value)][head], full: 1 }));
  }

  /** After bertviz has drawn anew, which it does for every layer. */
  function dress() {
    const picture = vis.querySelector("svg");
    const height = parseFloat(picture.getAttribute("height"));
    picture.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
    picture.removeAttribute("height");
    picture.setAttribute("role", "img");
    picture.setAttribute("aria-label", `Lines from each token on the left to each on the right, the stronger the `
      + `larger the weight, in one colour for each of ${nHeads} heads; the numbers stand below`);
    for (const side of ["left", "right"]) {
      words(side).forEach((word, i) => word.addEventListener("mouseover", (event) => {
        if (!event.isTrusted) return;
        token = { i, left: side === "left" };
        pointed.set(side === "left" ? i + 1 : 0);
        tell();
      }));
    }
    picture.addEventListener("mouseleave", () => {
      token = null;
      pointed.set(0);
      tell();
    });
    for (const event of ["click", "dblclick"]) {
      picture.addEventListener(event, () => {
        point(); // of a token pointed at, bertviz goes on showing the heads that were on then
        follow();
      });
    }
    point();
    follow();
  }

  const pointed = choice({
    label: "Token that looks", options: ["all tokens", ...tokens],
    onInput(index) {
      token = index === 0 ? null : { i: index - 1, left: true };
      point();
      tell();
    },
  });
  root(el, title || "bertviz head view",
    title && h("p", { class: "u-title" }, title),
    h("div", { class: "u-controls" }, h("div", { class: "u-field" }, h("label", { for: id }, "Layer"), layer),
      pointed.el, h("div", { class: "u-buttons", role: "group", "aria-label": "Heads" }, buttons)),
    vis, readout.el);

  const { $, d3 } = standIns({ layer, vis });
  drawHeadView((_, run) => run($, d3), {
    attention: [{ name: null, attn: weights, left_text: tokens, right_text: tokens }],
    default_filter: "0", root_div_id: "view", layer: null, heads: null, include_layers: weights.map((_, i) => i),
  }, { log() {} });
  layer.addEventListener("change", dress); // heard after bertviz's own listener
  if (page.recalled.layer === undefined) dress();
  else {
    layer.value = page.recalled.layer;
    layer.dispatchEvent(new Event("change"));
    buttons.forEach((one, head) => page.recalled.on[head] || one.click());
    pointed.set(token?.left ? token.i + 1 : 0);
    point();
  }
  page.remembers(() => ({ layer: layer.value, token, on: buttons.map((_, head) => isOn(head)) }));
}
