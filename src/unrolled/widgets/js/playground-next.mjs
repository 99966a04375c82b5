// What comes next: a score for every token, made into probabilities as the reader wants them, and the draw.

import { h, number, slider } from "./dom.mjs";
import { draw, shares } from "./sampling.mjs";

/** @typedef {import("./sampling.mjs").Sampling} Sampling */

const SHOWN = 10;
export const TEMPERATURES = [0, 0.1, 0.25, 0.5, 0.7, 0.8, 0.9, 1, 1.25, 1.5, 2, 3];
export const TOP_K = [1, 2, 3, 5, 10, 20, 40, 100, 500];
export const TOP_P = [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 1];

/** Tokens by what they are drawn with, the likeliest first. @param {ArrayLike<number>} logits @param {Sampling} how */
export function outlook(logits, how) {
  const now = shares(Array.from(logits), how);
  const raw = shares(Array.from(logits), { temperature: 1, topK: null, topP: null });
  const order = now.map((_, i) => i).sort((i, j) => now[j] - now[i] || raw[j] - raw[i] || i - j);
  return { now, raw, order };
}

/** The token a number between 0 and 1 falls on, where the likeliest come first. @param {ReturnType<typeof outlook>} of @param {number} at */
export const fallsOn = ({ now, order }, at) => order[draw(order.map((i) => now[i]), at)];

/**
 * @param {{ tokenName: (id: number) => string, how: Sampling, onHow: (how: Sampling) => void, onChoose: (id: number) => void }} options
 */
export function nextToken({ tokenName, how, onHow, onChoose }) {
  const title = h("p", { class: "u-small-title" });
  const list = h("ul", { class: "u-next", "aria-label": "The likeliest next tokens" });
  const ruler = h("div", { class: "u-pg-ruler", "aria-hidden": "true" });
  const rest = h("p", { class: "u-muted" });
  const index = (/** @type {number[]} */ of, value, /** @type {number} */ none) => (value === null || !of.includes(value) ? none : of.indexOf(value));
  const change = (/** @type {Partial<Sampling>} */ part) => {
    how = { ...how, ...part };
    onHow(how);
  };
  const controls = [
    slider({ label: "Temperature", min: 0, max: TEMPERATURES.length - 1, step: 1, value: index(TEMPERATURES, how.temperature, 7),
      format: (i) => (TEMPERATURES[i] === 0 ? "0, greedy" : String(TEMPERATURES[i])), onInput: (i) => change({ temperature: TEMPERATURES[i] }) }),
    slider({ label: "Top k", min: 0, max: TOP_K.length, step: 1, value: index(TOP_K, how.topK, TOP_K.length),
      format: (i) => String(TOP_K[i] ?? "all"), onInput: (i) => change({ topK: TOP_K[i] ?? null }) }),
    slider({ label: "Top p", min: 0, max: TOP_P.length - 1, step: 1, value: index(TOP_P, how.topP, TOP_P.length - 1),
      format: (i) => (TOP_P[i] === 1 ? "all" : String(TOP_P[i])), onInput: (i) => change({ topP: TOP_P[i] }) }),
  ];
  const el = h("div", { class: "u-pg-stage u-pg-out" }, title, list, rest, h("div", { class: "u-pg-sampling" }, controls.map((one) => one.el)), ruler);
  return { el,
    set(/** @type {Sampling} */ to) {
      how = to;
      [index(TEMPERATURES, how.temperature, 7), index(TOP_K, how.topK, TOP_K.length), index(TOP_P, how.topP, TOP_P.length - 1)]
        .forEach((value, k) => controls[k].set(value));
    },
    /**
     * @param {ArrayLike<number>[]} all scores of each text @param {{ after: string, came: number | null, drawn: [number, number] | null }} about
     *   after: the token before; came: which token does follow it; drawn: the number by which the last token was drawn, and that token
     */
    show(all, { after, came, drawn }) {
      const views = all.map((logits) => outlook(logits, how));
      const [{ now, raw, order }] = views;
      title.replaceChildren("Logits → probabilities: what comes after ", h("bdi", { class: "u-target" }, after), "?",
        came === null ? "" : " In your text it is ", came === null ? "" : h("bdi", { class: "u-target" }, tokenName(came)), came === null ? "" : `, probability ${number(raw[came], 3)}.`);
      const focused = /** @type {HTMLElement} */ (document.activeElement);
      const place = list.contains(focused) ? focused.dataset.place : null;
      list.replaceChildren(...order.slice(0, SHOWN).map((id, k) => {
        const out = now[id] === 0, other = views[1]?.now[id];
        const second = other === undefined ? "" : ` | ${number(other)}`;
        return h("li", { class: out ? "is-out" : "" }, h("button", { type: "button", class: "u-token", "data-place": k, onclick: () => onChoose(id),
          "aria-label": `${tokenName(id)}: logit ${number(all[0][id])}, probability ${number(now[id], 3)}${other === undefined ? "" : `, in the second text ${number(other, 3)}`}${out ? ", ruled out" : ""}. Write it` },
        h("span", { class: "u-token-name" }, h("bdi", {}, tokenName(id))),
        h("span", { class: "u-pg-logit" }, number(all[0][id])),
        h("span", { class: "u-share-bar u-two", style: `--w: ${(100 * now[id]).toFixed(2)}%; --raw: ${(100 * (other ?? raw[id])).toFixed(2)}%` }),
        h("span", { class: "u-share-number" }, out ? "out" : `${number(now[id])}${second}`)));
      }));
      if (place !== null) list.querySelectorAll("button")[Number(place)]?.focus();
      const kept = now.filter((share) => share > 0).length;
      rest.textContent = `Token, logit, probability. ${kept} of ${now.length} tokens can be drawn. `
        + (views[1] ? "The thin mark is the second text." : "The thin mark is the probability at temperature 1.");
      let sum = 0;
      ruler.replaceChildren(...order.filter((id) => now[id] >= 0.02).map((id) => {
        const one = h("span", { class: "u-pg-ruler-part", style: `--w: ${(100 * now[id]).toFixed(3)}%` }, h("bdi", {}, tokenName(id)));
        sum += now[id];
        return one;
      }), ...(drawn ? [h("span", { class: "u-pg-ruler-at", style: `--at: ${(100 * drawn[0]).toFixed(2)}%` }, `${number(drawn[0], 3)}`)] : []));
      ruler.hidden = sum === 0;
    } };
}
