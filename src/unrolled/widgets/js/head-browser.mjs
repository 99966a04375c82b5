// The head browser: every head of every layer as a small map; one of them large, and another beside it.

import { choice, h, isPressed, liveRegion, number, onResize, root, svg } from "./dom.mjs";
import { headSummary } from "./head-summary.mjs";
import { fullScale, inWords, mapView, numbersToggle, visible } from "./map-view.mjs";
import { mapTable, pageOf } from "./page.mjs";

/** Shades of a small map: one path for each, so that 144 heads stay light. */
const LEVELS = 12;

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const weights = model.get("weights");
  const tokens = model.get("tokens").map(visible);
  const keys = model.get("key_tokens").map(visible);
  const title = model.get("title");
  const layers = model.get("layer_names");
  const heads = model.get("head_names");
  const about = {
    names: model.get("relation_names"), relations: model.get("relation_maps"), toItself: model.get("to_itself"),
    ordered: model.get("ordered"),
  };
  const full = fullScale(weights);
  const nameOf = (at) => (layers.length > 1 ? `${layers[at.layer]}, ${heads[at.head]}` : heads[at.head]);
  const all = layers.flatMap((_, layer) => heads.map((_, head) => ({ layer, head })));
  const mapOf = (at) => weights[at.layer][at.head];

  const readout = liveRegion();
  readout.el.classList.add("u-hidden"); // bars and numbers show the same to the eye
  const page = pageOf(model);
  const first = page.recalled.first ?? { layer: 0, head: 0 };
  /** @type {{ layer: number, head: number } | null} */
  let second = page.recalled.second ?? null;

  const left = panel();
  const right = panel();
  right.el.hidden = true;

  /** A large map with its head's name and its summary. */
  function panel() {
    const head = h("p", { class: "u-panel-name" });
    const list = h("dl", { class: "u-summary" });
    /** @type {{ at: { layer: number, head: number } }} */
    const state = { at: first };
    const view = mapView({
      tokens, keys, title: title || "Attention weights", full,
      onChoose(i, j) {
        const other = state === left?.state ? right : left;
        // The other map follows, so that one token is seen through both heads.
        if (second && other) other.view.choose(i, j);
        tell(i);
      },
    });
    const box = h("div", { class: "u-panel", role: "group" }, head, view.el,
      h("p", { class: "u-muted" }, "On average a token gives"), list);
    const show = (at) => {
      state.at = at;
      head.textContent = nameOf(at);
      box.setAttribute("aria-label", nameOf(at));
      const most = number(Math.log2(keys.length));
      list.replaceChildren(...headSummary(mapOf(at), about).flatMap(([what, value]) => [
        h("dt", {}, what === "entropy" ? `entropy, of at most ${most}` : `to ${what}`),
        h("dd", {}, what === "entropy" ? `${number(value)} bits` : number(value)),
      ]));
      view.fill(mapOf(at));
    };
    return { el: box, view, state, show };
  }

  /** Say what token i attends to, in every head that is shown large. */
  function tell(i) {
    const said = [first, ...(second ? [second] : [])].map((at) => `${nameOf(at)}: ${inWords(mapOf(at)[i], keys)}`);
    readout.say(`${tokens[i]} attends to: ${said.join("; ")}.`);
  }

  const radios = all.map((at) => h("button", {
    type: "button", class: "u-mini", role: "radio", tabindex: -1, "aria-checked": false, "aria-label": nameOf(at),
    title: nameOf(at), onclick: () => select(at),
  }, smallMap(mapOf(at), full)));
  const overview = h("div", { class: "u-overview", role: "radiogroup", "aria-label": "All heads: choose one",
    style: `grid-template-columns: auto repeat(${heads.length}, minmax(1.75rem, 6rem))` },
  h("span", {}), heads.map((name) => h("span", { class: "u-mini-head", "aria-hidden": "true" }, name)),
  layers.map((name, layer) => [
    h("span", { class: "u-mini-layer", "aria-hidden": "true" }, layers.length > 1 ? name : ""),
    radios.slice(layer * heads.length, (layer + 1) * heads.length),
  ]).flat(2));
  overview.addEventListener("keydown", (event) => {
    const by = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!by || event.altKey || event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    const to = { layer: first.layer + by[0], head: first.head + by[1] };
    if (to.layer < 0 || to.layer >= layers.length || to.head < 0 || to.head >= heads.length) return;
    select(to);
    radios[to.layer * heads.length + to.head].focus();
  });

  const beside = all.length > 1 && choice({
    label: "Beside it", options: ["nothing", ...all.map(nameOf)],
    value: second ? 1 + second.layer * heads.length + second.head : 0,
    onInput(index) {
      second = index === 0 ? null : all[index - 1];
      setBeside();
      mark();
      arrange();
      tell(left.view.at.i);
    },
  });
  const numbers = numbersToggle([left.view, right.view], page.recalled.numbers, () => arrange());

  function setBeside() {
    right.el.hidden = second === null;
    if (!second) return;
    right.show(second);
    right.view.choose(left.view.at.i, left.view.at.j);
  }

  /** The summary of all heads, and the maps that are large, as in ../head_browser.py. */
  function tables() {
    const before = title ? `${title}. ` : "";
    const summaries = all.map((at) => headSummary(mapOf(at), about));
    return [{ caption: `${before}What each head gives on average, and its entropy in bits.`,
      columns: summaries[0].map(([what]) => what),
      rows: all.map((at, k) => [nameOf(at), summaries[k].map(([, value]) => value)]) },
    ...(second ? [first, second] : [first]).map((at) => mapTable(`${before}${nameOf(at)}`,
      { tokens: model.get("tokens"), keys: model.get("key_tokens"), map: mapOf(at), full }))];
  }

  const panels = h("div", { class: "u-panels" }, left.el, right.el);

  /** Two maps that are too wide to stand side by side stand one below the other; where one alone is, its row's
   * largest weight comes into sight. */
  function arrange() {
    const scrollers = [...panels.querySelectorAll(".u-panel:not([hidden]) .u-scroll")];
    panels.classList.remove("is-stacked");
    panels.classList.toggle("is-stacked", second !== null && scrollers.some((one) => one.scrollWidth > one.clientWidth + 1));
    scrollers.forEach((scroller, k) => {
      const { view, state } = [left, right][k];
      const row = mapOf(state.at)[view.at.i];
      const cell = view.table.tBodies[0].rows[view.at.i].cells[1 + row.indexOf(Math.max(...row))];
      const beyond = cell.offsetLeft + cell.offsetWidth - scroller.clientWidth;
      if (beyond > scroller.scrollLeft) scroller.scrollLeft = beyond;
    });
  }
  const watch = onResize(el, () => arrange());

  /** Show which small maps are large now. */
  function mark() {
    page.tables(tables);
    all.forEach((at, k) => {
      const chosen = at.layer === first.layer && at.head === first.head;
      radios[k].setAttribute("aria-checked", String(chosen));
      radios[k].tabIndex = chosen ? 0 : -1;
      radios[k].classList.toggle("is-beside", second !== null && at.layer === second.layer && at.head === second.head);
    });
  }

  function select(at) {
    Object.assign(first, at);
    mark();
    left.show(first);
  }

  root(el, title || "Heads",
    title && h("p", { class: "u-title" }, title),
    h("div", { class: "u-overview-box" }, overview),
    h("div", { class: "u-controls" }, beside && beside.el, numbers),
    panels,
    readout.el);
  select(first);
  setBeside();
  left.view.recall(page.recalled.view);
  page.remembers(() => ({ first, second, view: left.view.at, numbers: isPressed(numbers) }));
  arrange();
  return () => watch.disconnect();
}

/** One head as a picture: cells of like shade in one path. @param {number[][]} map @param {number} full */
function smallMap(map, full) {
  const paths = Array.from({ length: LEVELS + 1 }, () => "");
  map.forEach((row, i) => row.forEach((w, j) => {
    paths[Math.round(LEVELS * Math.min(1, w / full))] += `M${j} ${i}h1v1h-1z`;
  }));
  return svg("svg", { viewBox: `0 0 ${map[0].length} ${map.length}`, preserveAspectRatio: "none", "aria-hidden": "true" },
    paths.map((d, level) => level > 0 && d && svg("path", { d, style: `--w: ${(level / LEVELS).toFixed(3)}` })));
}
