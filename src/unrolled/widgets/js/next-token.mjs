// The next-token bench: a whole GPT writes in the page, a token at a time, as the reader tells it to choose.

import { button, choice, h, liveRegion, number, root, slider, toggle, uid } from "./dom.mjs";
import { pageOf } from "./page.mjs";
import { chance, draw, shares } from "./sampling.mjs";
import { finder, unknownWords } from "./sentence.mjs";
import { gpt } from "./transformer.mjs";
import { plainText } from "./typed.mjs";
import { unpack } from "./unpack.mjs";
import { wordList } from "./word-list.mjs";

const SHOWN = 10; // bars
const TEMPERATURES = [0, 0.1, 0.25, 0.5, 0.75, 1, 1.25, 1.5, 2, 3];
const TOP_P = [0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 1];
const MANY = 20;
const TABLED = 12; // rows of the table beneath

/** A token as it can be seen: a space and a line's end have no ink. @param {string} token */
export const visible = (token) => (token === " " ? "␣" : token === "\n" ? "↵" : token);

/**
 * Multiply-adds of the matrix products and attention of one step.
 * @param {{ d: number, ff: number, layers: number, vocabulary: number }} sizes @param {number} fresh tokens run through
 *   the model @param {number} seen tokens looked at by the last of them
 */
export function work({ d, ff, layers, vocabulary }, fresh, seen) {
  // Causal: the tokens run through see seen - fresh + 1, …, seen tokens.
  const looked = fresh * (seen - fresh) + (fresh * (fresh + 1)) / 2;
  return layers * (fresh * (4 * d * d + 2 * d * ff) + 2 * d * looked) + fresh * d * vocabulary;
}

/**
 * Which known token each piece of a text is; -1 where it is none. Words are found whatever their capitals, as they
 * look on the screen. Letters are taken as they are, and only what the model does not know is mended: a capital where
 * all its letters are small, any white space where it knows the space, and what leaves no ink is dropped.
 * @param {string} typed @param {string[]} known the tokens @param {string} joiner what stands between two of them
 * @returns {{ pieces: string[], ids: number[] }}
 */
export function tokensOf(typed, known, joiner) {
  const at = new Map(known.map((token, i) => [token, i]));
  if (joiner.trim() === "" && joiner !== "") {
    const pieces = plainText(typed).split(" ").filter((piece) => piece !== "");
    return { pieces, ids: pieces.map(finder(known)) };
  }
  const small = known.every((token) => token === token.toLowerCase());
  const mend = (piece) => {
    if (at.has(piece)) return piece;
    if (/^[\s\p{Cc}]+$/u.test(piece) && at.has(" ")) return " ";
    return small && at.has(piece.toLowerCase()) ? piece.toLowerCase() : piece;
  };
  const text = typed.replace(/\r\n?/g, "\n").normalize("NFC");
  const pieces = (joiner ? text.split(joiner).filter((piece) => piece !== "") : [...text]).map(mend)
    .filter((piece) => at.has(piece) || plainText(piece) !== "" || /\s/u.test(piece));
  return { pieces, ids: pieces.map((piece) => at.get(piece) ?? -1) };
}

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const get = (/** @type {string} */ name) => model.get(name);
  const [tokens, first, title, joiner] = ["tokens", "first", "title", "joiner"].map(get);
  const [nHeads, nLayers, maxLen] = ["n_heads", "n_layers", "max_len"].map(get);
  const weights = unpack(get("packed"));
  const vocabulary = weights["token_embedding.weight"].length;
  const sizes = { d: weights["token_embedding.weight"][0].length, layers: nLayers, vocabulary,
    ff: weights["layers.0.feedforward.up_proj.weight"].length };
  const text = (/** @type {number[]} */ ids) => ids.map((id) => tokens[id]).join(joiner);
  let how = { temperature: get("temperature"), topK: get("top_k") || null, topP: get("top_p") };
  const page = pageOf(model);
  let [prompt, written, cached, seed] = [[...get("prompt")], page.recalled.written ?? [], page.recalled.cached ?? true,
    page.recalled.seed ?? 0];
  // How often chance was asked: a reader who comes back goes on with the same numbers.
  let asked = page.recalled.asked ?? 0;
  let random = chance(seed);
  for (let k = 0; k < asked; k++) random();
  /** Keys and values of every token but none yet. @type {any[] | undefined} */
  let cache;
  let logits = /** @type {number[]} */ ([]);
  let step = { fresh: 0, seen: 0 };

  const live = liveRegion();
  const id = uid("prompt");
  const field = h("textarea", { id, rows: 2, spellcheck: "false", "aria-describedby": `${id}-error` });
  field.value = page.recalled.typed ?? text(prompt);
  const wrong = h("p", { id: `${id}-error`, class: "u-error", role: "status", "aria-live": "polite" });
  const start = button("Begin from this", begin);
  const paper = h("p", { class: "u-written" });
  const list = h("ul", { class: "u-next", "aria-label": "The likeliest next tokens" });
  const rest = h("p", { class: "u-muted" });
  const held = h("div", { class: "u-cache" });
  const cost = h("p", { class: "u-muted" });

  const usable = tokens.slice(first);
  const what = joiner ? "words" : "characters";

  /** From what was typed to ids, or a message. */
  function parse(/** @type {string} */ typed) {
    const { pieces, ids } = tokensOf(typed, usable, joiner);
    if (!pieces.length) return { error: "Expected at least one token to begin from, got nothing." };
    if (pieces.length >= maxLen) return { error: `Expected fewer than ${maxLen} tokens, got ${pieces.length}.` };
    const bad = [...new Set(pieces.filter((_, i) => ids[i] < 0))].map(visible);
    if (bad.length) return { error: `Expected tokens the model knows, got ${unknownWords(bad, joiner ? usable : [], what)}` };
    return { ids: ids.map((i) => i + first), error: "" };
  }

  function begin() {
    const { ids, error } = parse(field.value);
    if (error) {
      refuse(error);
      return;
    }
    wrong.textContent = "";
    field.removeAttribute("aria-invalid");
    [prompt, written, cache] = [ids, [], undefined];
    restart(seed);
    advance();
    say("Begun. ");
    model.set("prompt", prompt);
    model.save_changes();
  }

  /** Say beneath the field why what it holds is no beginning. */
  function refuse(/** @type {string} */ error) {
    wrong.textContent = error;
    field.setAttribute("aria-invalid", "true");
  }

  /** Ask chance from the beginning. */
  function restart(/** @type {number} */ from) {
    [seed, asked, random] = [from, 0, chance(from)];
  }

  /** Run what is new through the model. */
  function advance() {
    const all = [...prompt, ...written];
    const known = cached && cache ? cache[0].keys.length : 0;
    const options = { nHeads, nLayers, eps: get("eps"), activation: get("activation") };
    const run = gpt(all.slice(known), weights, options, known ? cache : undefined);
    cache = run.cache;
    logits = run.logits[run.logits.length - 1];
    step = { fresh: all.length - known, seen: all.length };
    show();
  }

  function add(/** @type {number} */ token) {
    if (prompt.length + written.length >= maxLen) return false;
    written = [...written, token];
    advance();
    return true;
  }

  const full = () => `The context is full: this model sees ${maxLen} tokens.`;
  function write(/** @type {number} */ count) {
    const from = written.length;
    for (let k = 0; k < count; k++) {
      asked += 1;
      if (!add(draw(shares(logits, how), random()))) break;
    }
    const news = written.slice(from);
    say(news.length ? `Wrote ${joiner ? text(news) : news.map((i) => visible(tokens[i])).join("")}. ` : `${full()} `);
  }

  function back() {
    if (!written.length) return;
    written = written.slice(0, -1);
    // The cache forgets the last token too; what it held of the others is as it was.
    const keep = prompt.length + written.length - 1;
    cache = keep > 0 ? cache.map(({ keys, values }) => ({ keys: keys.slice(0, keep), values: values.slice(0, keep) })) : undefined;
    advance();
    say("Took one back. ");
  }

  const ks = [...new Set([1, 2, 3, 5, 10, 20, 40].filter((k) => k < vocabulary - first))];
  const picked = (options, value) => Math.max(0, options.indexOf(value));
  const controls = [
    slider({ label: "Temperature", min: 0, max: TEMPERATURES.length - 1, step: 1, value: picked(TEMPERATURES, how.temperature),
      format: (i) => (TEMPERATURES[i] === 0 ? "0, greedy" : String(TEMPERATURES[i])),
      onInput: (i) => change({ temperature: TEMPERATURES[i] }) }),
    slider({ label: "Top k", min: 0, max: ks.length, step: 1, value: how.topK === null ? ks.length : picked(ks, how.topK),
      format: (i) => (i === ks.length ? "all" : String(ks[i])), onInput: (i) => change({ topK: ks[i] ?? null }) }),
    slider({ label: "Top p", min: 0, max: TOP_P.length - 1, step: 1, value: picked(TOP_P, how.topP),
      format: (i) => (TOP_P[i] === 1 ? "all" : String(TOP_P[i])), onInput: (i) => change({ topP: TOP_P[i] }) }),
  ];
  const seeds = choice({ label: "Seed", options: ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    value: seed, onInput: restart });
  const useCache = toggle({ label: "Keep keys and values", pressed: cached, onToggle: (on) => {
    cached = on;
    cache = undefined;
    advance();
    say(on ? "Keys and values are kept from now on. " : "Every step reads the whole text again. ");
  } });

  function change(part) {
    how = { ...how, ...part };
    show();
    say();
    model.set("temperature", how.temperature);
    model.set("top_k", how.topK ?? 0);
    model.set("top_p", how.topP);
    model.save_changes();
  }

  const box = root(el, title || "Next token", title && h("p", { class: "u-title" }, title),
    h("div", { class: "u-bench" },
      h("div", { class: "u-bench-text" },
        h("div", { class: "u-field" }, h("label", { for: id }, "What it begins from"), field, wrong), start,
        wordList(usable.map(visible), what, joiner ? ", " : " "),
        paper,
        h("div", { class: "u-buttons" }, button("Write one", () => write(1)), button(`Write ${MANY}`, () => write(MANY)),
          button("Take one back", back)),
        h("div", { class: "u-cache-box" }, useCache, held, cost)),
      h("div", { class: "u-bench-side" },
        h("p", { class: "u-small-title" }, "The next token. Choose one yourself, or let chance choose."),
        list, rest, controls.map((c) => c.el), seeds.el)),
    live.el);

  function show() {
    const raw = shares(logits, { temperature: 1, topK: null, topP: null });
    const now = shares(logits, how);
    const order = raw.map((_, i) => i).sort((a, b) => raw[b] - raw[a] || a - b);
    const kept = now.filter((share) => share > 0).length;
    const focused = /** @type {HTMLElement} */ (document.activeElement?.closest?.(".u-next button"))?.dataset.place;
    list.replaceChildren(...order.slice(0, SHOWN).map((token, place) => {
      const out = now[token] === 0;
      const name = token < first ? tokens[token] : visible(tokens[token]);
      return h("li", { class: out ? "is-out" : "" },
        h("button", { type: "button", class: "u-token", "data-place": place,
          "aria-label": `${name}: probability ${number(now[token])}, ${number(raw[token])} at temperature 1${out ? ", ruled out" : ""}. Choose it`,
          onclick: () => { say(add(token) ? `Chose ${name}. ` : `${full()} `); } },
        h("span", { class: "u-token-name" }, name),
        h("span", { class: "u-share-bar u-two", style: `--w: ${(100 * now[token]).toFixed(2)}%; --raw: ${(100 * raw[token]).toFixed(2)}%` }),
        h("span", { class: "u-share-number" }, out ? "out" : number(now[token]))));
    }));
    if (focused !== undefined) list.querySelectorAll("button")[Number(focused)]?.focus();
    rest.textContent = `${kept} of ${vocabulary} tokens can be drawn. The thin mark is the probability at temperature 1.`;
    paper.replaceChildren(h("span", { class: "u-given" }, text(prompt)), joiner && written.length ? joiner : "",
      h("mark", {}, text(written)), h("span", { class: "u-caret", "aria-hidden": "true" }, "▏"));
    drawCache();
    Object.assign(box.dataset, { logits: JSON.stringify(logits), shares: JSON.stringify(now),
      ids: JSON.stringify([...prompt, ...written]) });
    page.tables(() => [table(raw, now, order)]);
  }

  /** The likeliest next tokens, as in ../next_token.py, and with which probability they are drawn where the reader chose how to draw. */
  function table(raw, now, order) {
    const drawn = now.some((share, i) => share !== raw[i]);
    return { caption: `The likeliest next tokens after “${text([...prompt, ...written])}”, and their probability.`,
      columns: drawn ? ["probability", "probability when it is drawn"] : ["probability"],
      rows: order.slice(0, TABLED).map((i) => [i < first ? tokens[i] : visible(tokens[i]), drawn ? [raw[i], now[i]] : [raw[i]]]) };
  }

  function drawCache() {
    const { fresh, seen } = step;
    const blocks = Array.from({ length: maxLen }, (_, t) =>
      h("span", { class: t >= seen ? "" : t >= seen - fresh ? "is-new" : "is-held" }));
    held.replaceChildren(h("div", { class: "u-cache-strip", "aria-hidden": "true" }, blocks));
    const numbers = cached ? 2 * nLayers * seen * sizes.d : 0;
    cost.textContent = `This step ran ${fresh} of ${seen} tokens through the model: `
      + `${work(sizes, fresh, seen).toLocaleString("en")} multiply-adds`
      + (cached ? `, and ${numbers.toLocaleString("en")} numbers are kept.` : "; nothing is kept.");
  }

  function say(before = "") {
    const now = shares(logits, how);
    const best = now.map((_, i) => i).sort((a, b) => now[b] - now[a]).slice(0, 3).filter((i) => now[i] > 0);
    live.say(`${before}Next: ${best.map((i) => `“${visible(tokens[i])}” ${number(now[i])}`).join(", ")}.`);
  }

  /** Python may choose too. */
  function follow() {
    how = { temperature: get("temperature"), topK: get("top_k") || null, topP: get("top_p") };
    controls[0].set(picked(TEMPERATURES, how.temperature));
    controls[1].set(how.topK === null ? ks.length : picked(ks, how.topK));
    controls[2].set(picked(TOP_P, how.topP));
    show();
  }
  function followPrompt() {
    // What this widget has just saved comes back as a change.
    if (text(get("prompt")) === text(prompt)) return;
    field.value = text(get("prompt"));
    begin();
  }
  const heard = ["change:temperature", "change:top_k", "change:top_p"];
  heard.forEach((name) => model.on(name, follow));
  model.on("change:prompt", followPrompt);
  // What the last step ran through the model is said beneath: on coming back it is the last step again.
  const { fresh = 0 } = page.recalled;
  if (cached && fresh > 0 && fresh <= written.length) {
    const all = written;
    written = all.slice(0, -fresh);
    advance();
    written = all;
  }
  advance();
  if (page.recalled.error) refuse(page.recalled.error);
  page.remembers(() => ({ error: wrong.textContent, written, cached, seed, asked, fresh: step.fresh, typed: field.value }));
  return () => {
    heard.forEach((name) => model.off(name, follow));
    model.off("change:prompt", followPrompt);
  };
}
