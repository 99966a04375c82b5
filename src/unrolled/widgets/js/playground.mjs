// The playground: a GPT of real English that answers while you type, every number of it at hand.

import { button, choice, h, liveRegion, number, root, toggle } from "./dom.mjs";
import { pageOf, startOf } from "./page.mjs";
import { painter, SIGNED } from "./look-paint.mjs";
import { arithmetic, weightArithmetic } from "./playground-arithmetic.mjs";
import { openModel } from "./playground-client.mjs";
import { flow } from "./playground-flow.mjs";
import { fallsOn, nextToken, outlook, TEMPERATURES, TOP_K, TOP_P } from "./playground-next.mjs";
import { nameOf, prepared, valuesOf } from "./playground-parts.mjs";
import { checked, first, nothingDone } from "./playground-state.mjs";
import { tablesOf } from "./playground-tables.mjs";
import { numberPanel, written as writtenOut } from "./playground-strip.mjs";
import { textBox, weightSlider } from "./playground-text.mjs";
import { chance } from "./sampling.mjs";
import { cutter, visible } from "./tokens.mjs";
import { bytesOf, halvesOf } from "./unpack.mjs";

/** @typedef {import("./playground-state.mjs").Done} Done */
/** @typedef {import("./playground-parts.mjs").Place} Place */

const MANY = 20;
const sameAs = (/** @type {any} */ one) => (/** @type {any} */ other) => JSON.stringify(one) === JSON.stringify(other);

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const get = (/** @type {string} */ name) => model.get(name);
  const sizes = get("sizes");
  const { longest } = sizes;
  const pieces = cutter({ merges: get("merges"), byteIds: get("byte_ids"), first: get("first") });
  const tokenName = (/** @type {number} */ id) => get("special")[id] ?? visible(pieces.bytes(id));
  /** The texts of last, cut: one is asked for with every token that is written. @type {Map<string, number[]>} */
  const known = new Map();
  function cut(/** @type {string} */ typed) {
    const ids = known.get(typed) ?? pieces.cut(typed, get("merges").length).flat();
    if (known.size > 3) known.clear();
    known.set(typed, ids);
    return ids;
  }
  const page = pageOf(model);
  const start = startOf(model, "text");
  const told = Object.keys(page.recalled).length ? checked(structuredClone(page.recalled), sizes, { temperature: TEMPERATURES, topK: TOP_K, topP: TOP_P }) : first();
  let text = get("text");

  const ready = prepared(sizes, halvesOf(bytesOf(get("prepared")).buffer));
  /** What is shown: of the text, and of the second if there is one. */
  let ways = [{ trace: ready, tokens: [""], ids: [0] }];
  /** Scores after the last token. @type {ArrayLike<number>} */
  let ending = ready.logits;
  /** @type {Promise<Awaited<ReturnType<typeof openModel>>> | null} */
  let opening = null;
  // The turn whose texts the model reads just now; how many numbers of this turn are asked for and not there yet.
  let [turn, underway, reading, closed, drawing] = [0, 0, 0, false, false];

  const live = liveRegion();
  const progress = h("progress", { max: 1, value: 0, "aria-label": "Loading" });
  const status = h("p", { class: "u-pg-loading", hidden: true }, h("span"), progress);
  const trouble = h("p", { class: "u-error", role: "alert" });
  const field = textBox({ label: "Your text", value: text, longest, onInput: (typed) => typing(typed), onToken: (t) => go({ at: [t, told.at[1]] }) });
  const other = textBox({ label: "A second text", value: told.second ?? start, longest, onInput: (typed) => go({ second: typed, at: [told.at[0], -1] }),
    onToken: (t) => go({ at: [told.at[0], t] }) });
  const compare = toggle({ label: "Compare with a second text", pressed: told.second !== null, onToggle: (on) => go({ second: on ? other.value() : null }) });
  const hide = toggle({ label: "Hide this token from the others", onToggle: (on) => {
    const t = ways[0].trace.t;
    change({ hidden: on ? [...told.done.hidden, t].sort((a, b) => a - b) : told.done.hidden.filter((j) => j !== t) });
  } });
  const buttons = [button("Draw the next token", () => write(1)), button(`Draw ${MANY}`, () => write(MANY)), button("Take one back", () => takeBack()),
    button("Stop", () => { drawing = false; }), button("Reset", () => reset())];
  const seeds = choice({ label: "Seed", options: Array.from({ length: 10 }, (_, k) => String(k)), value: told.seed, onInput: (seed) => go({ seed, asked: 0 }) });
  const next = nextToken({ tokenName, how: told.how, onHow: (how) => { told.how = how; show(); }, onChoose: (id) => choose(id) });
  const done = h("p", { class: "u-pg-done" });
  const paints = { paint: (canvas, cells, columns, range) => painted.paint(canvas, cells, columns, range) };
  const drawn = flow({ sizes, painter: paints, tokenName, onRead: (place, k) => read(place, k),
    onHead: (layer, head, on) => change({ heads: toggled(told.done.heads, [layer, head], on) }),
    onBlock: (layer, on) => change({ blocks: toggled(told.done.blocks, layer, on) }) });
  drawn.blocks[0].fold.open = true;
  const box = root(el, get("title") || "The playground", get("title") && h("p", { class: "u-title" }, get("title")),
    h("div", { class: "u-playground" }, field.el, h("div", { class: "u-buttons" }, buttons, seeds.el), status, trouble,
      h("div", { class: "u-buttons" }, hide, compare), other.el, done, drawn.el, next.el), live.el);
  const painted = painter(box, SIGNED);

  /** @template T @param {T[]} list @param {T} one @param {boolean} on whether it works again @returns {T[]} */
  const toggled = (list, one, on) => (on ? list.filter((x) => !sameAs(one)(x)) : [...list, one]);
  const change = (/** @type {Partial<Done>} */ part) => go({ done: { ...told.done, ...part } });

  /** Another state, and what follows from it. @param {Partial<ReturnType<typeof first>>} part */
  function go(part) {
    Object.assign(told, part);
    return update();
  }
  function typing(/** @type {string} */ typed) {
    text = typed;
    model.set("text", typed);
    model.save_changes();
    return go({ written: [], at: [-1, told.at[1]], done: { ...told.done, hidden: [], set: [] }, asked: 0, drawn: null });
  }
  function reset() {
    drawing = false;
    Object.assign(told, first());
    shut(); // no number is read any more
    other.set(start);
    seeds.set(0);
    next.set(told.how);
    compare.setAttribute("aria-pressed", "false");
    field.set(start);
    typing(start);
  }

  /** The model, which is sent for when it is needed first. */
  function opened() {
    const sent = opening ?? openModel(get("weights"), (share) => busy("The model is loading", share));
    opening = sent;
    sent.then((one) => closed && one.close(), () => { if (opening === sent) opening = null; });
    return sent;
  }
  function busy(/** @type {string} */ what, share = 0) {
    status.hidden = what === "";
    status.firstElementChild.textContent = what;
    progress.value = share;
    box.setAttribute("aria-busy", String(what !== ""));
  }

  /** The tokens of both texts, as many as the model sees; the latest of more. */
  function idsOf() {
    const [all, second] = [[...cut(text), ...told.written], told.second === null ? null : cut(told.second)];
    field.keeps(all.length, told.written.length);
    other.keeps(second?.length ?? 0, 0);
    return [all, second].filter((one) => one !== null).map((one) => one.slice(-longest));
  }

  async function update() {
    const mine = ++turn;
    reading = 0; // what was asked of another text is shown no more
    trouble.replaceChildren();
    const all = idsOf();
    if (all.some((ids) => ids.length === 0)) {
      trouble.textContent = "Expected at least one character, got an empty text.";
      return busy("");
    }
    const places = all.map((ids, k) => (told.at[k] < 0 || told.at[k] >= ids.length ? ids.length - 1 : told.at[k]));
    // Prepared numbers are rounded to 16 bits: once the model is there, it says them itself.
    const asPrepared = !opening && all.length === 1 && text === start && !told.written.length && places[0] === ready.t && sameAs(nothingDone())(told.done);
    const from = performance.now();
    try {
      let traces = [ready], last = ready.logits;
      if (!asPrepared) {
        busy("The model reads");
        const { ask } = await opened();
        if (turn !== mine) return;
        underway = mine;
        const scores = await Promise.all(all.map((tokens, run) => ask("read", { run, tokens,
          done: run ? { ...told.done, hidden: [], set: [] } : told.done }, (share) => turn === mine && busy("The model reads", share))));
        if (turn !== mine || scores.includes(null)) return;
        traces = await Promise.all(places.map((t, run) => ask("trace", { run, t })));
        if (turn !== mine) return;
        [last] = scores;
      }
      underway = 0;
      ways = traces.map((trace, k) => ({ trace, ids: all[k], tokens: all[k].map(tokenName) }));
      ending = last;
      show();
      await readAgain();
      Object.assign(box, { took: performance.now() - from });
    } catch (error) {
      trouble.replaceChildren(/** @type {Error} */ (error).message, " ", button("Try again", () => update()));
    } finally {
      if (underway === mine) underway = 0;
      if (turn === mine) busy("");
    }
  }

  function show() {
    const [{ trace, tokens, ids }] = ways;
    const t = trace.t;
    field.show(tokens, t, told.written.length, told.done.hidden);
    other.el.hidden = ways.length < 2 && told.second === null;
    if (ways[1]) other.show(ways[1].tokens, ways[1].trace.t, 0, []);
    hide.setAttribute("aria-pressed", String(told.done.hidden.includes(t)));
    buttons[2].setAttribute("aria-disabled", String(told.written.length === 0));
    drawn.show(ways, told.done);
    next.show(ways.map((way) => way.trace.logits), { after: tokens[t], came: t < ids.length - 1 ? ids[t + 1] : null, drawn: t === ids.length - 1 ? told.drawn : null });
    const off = [...told.done.heads.map(([l, k]) => `head ${k + 1} of block ${l + 1}`), ...told.done.blocks.map((l) => `block ${l + 1}`)];
    done.textContent = [off.length && `Switched off: ${off.join(", ")}.`, told.done.hidden.length && `Hidden: ${told.done.hidden.map((j) => tokens[j] ?? "?").join(", ")}.`,
      told.done.set.length && `Weights set by hand: ${told.done.set.length}.`].filter(Boolean).join(" ");
    Object.assign(box, { shown: { ways, ending } });
    live.say(saying());
    page.tables(tables);
  }
  function saying() {
    const { order, now } = outlook(ways[0].trace.logits, told.how);
    return `After ${ways[0].tokens[ways[0].trace.t]}: ${order.slice(0, 3).filter((id) => now[id] > 0).map((id) => `${tokenName(id)} ${number(now[id])}`).join(", ")}.`;
  }

  const spelled = (/** @type {number[]} */ some) => new TextDecoder().decode(Uint8Array.from(some.flatMap((id) => pieces.bytes(id))));
  const tables = () => tablesOf(ways, { tokenName, spelled }, panel && made && { ...told.number, made });

  // One number, and how it came about.
  /** @type {ReturnType<typeof numberPanel> | null} */
  let panel = null;
  /** @type {import("./playground-arithmetic.mjs").Arithmetic | null} */
  let made = null;
  /** @type {ReturnType<typeof weightSlider> | null} */
  let byHandNow = null;
  function read(/** @type {Place} */ place, /** @type {number} */ k) {
    shut();
    told.number = { place, k };
    return readAgain(true);
  }
  function shut() {
    panel?.el.remove();
    box.querySelector(".is-read")?.classList.remove("is-read");
    [panel, made] = [null, null];
  }
  function closing() {
    const { pressed } = drawn.at(told.number.place);
    shut();
    told.number = null;
    pressed.focus();
    page.tables(tables);
  }
  async function readAgain(focus = false) {
    if (!told.number) return shut();
    const { place } = told.number;
    const of = ways[0].trace, byWeight = place.part === "weights";
    const count = byWeight ? of.t + 1 : valuesOf(of, place).length;
    const k = told.number.k = Math.min(told.number.k, count - 1);
    const { layer, head } = place, t = of.t;
    const byHand = told.done.set.filter(([l, h, i]) => l === layer && h === head && i === t);
    if (!panel) {
      byHandNow = byWeight ? weightSlider({ token: ways[0].tokens[k], onSet: (w) => change({
        set: [...told.done.set.filter((one) => !sameAs([layer, head, t, k])(one.slice(0, 4))), [layer, head, t, k, w]] }),
      onBack: () => change({ set: told.done.set.filter((one) => !sameAs([layer, head, t])(one.slice(0, 3))) }) }) : null;
      panel = numberPanel({ name: nameOf(place), count: byWeight ? 1 : count, k, more: byHandNow?.el ?? null, onMove: (to) => { told.number.k = to; readAgain(); }, onClose: closing });
      const { pressed, before } = drawn.at(place);
      before.after(panel.el);
      if (!byWeight) pressed.classList.add("is-read");
      if (focus) (byWeight ? panel.el.querySelector("button") : panel.input).focus();
    }
    const mine = panel, turned = turn;
    if (underway === turn) return; // the model would be asked about another text; whoever has it read asks again
    reading++;
    if (opening) box.setAttribute("aria-busy", "true"); // for a moment, which no line has to tell
    else busy("The model is loading");
    try {
      const { ask } = await opened();
      if (underway === turn) return;
      if (ways[0].trace === ready && turned === turn) await ask("read", { run: 0, tokens: ways[0].ids, done: told.done });
      const answer = byWeight
        ? await weightArithmetic(of, place, k, ask, 0, { hidden: told.done.hidden.includes(k) && k !== t, byHand: byHand.length > 0 })
        : await arithmetic(of, place, k, ask, 0, { token: ways[0].ids[t], tokens: ways[0].tokens });
      if (panel !== mine || turned !== turn || told.number.k !== k) return;
      made = answer;
      byHandNow?.show(answer.value, byHand.length > 0);
      const other = ways[1] && !byWeight ? h("p", {}, `In the second text: ${number(valuesOf(ways[1].trace, place)[k] ?? NaN, 4)}`) : null;
      panel.show([h("p", { class: "u-pg-number" }, byWeight ? h("bdi", {}, ways[0].tokens[k]) : `Number ${k + 1}`, ` = ${number(answer.value, 4)}`), ...writtenOut(answer), ...(other ? [other] : [])]);
      page.tables(tables);
    } catch (error) {
      trouble.replaceChildren(/** @type {Error} */ (error).message, " ", button("Try again", () => update()));
    } finally {
      if (turned === turn && --reading === 0 && underway !== turn) busy("");
    }
  }

  // Writing.
  async function choose(/** @type {number} */ id, by = null) {
    if (cut(text).length + told.written.length >= longest) {
      live.say(`The context is full: this model sees ${longest} tokens.`);
      return false;
    }
    await go({ written: [...told.written, id], at: [-1, told.at[1]], drawn: by === null ? null : [by, id] });
    return trouble.childNodes.length === 0;
  }
  async function write(/** @type {number} */ count) {
    if (drawing) return;
    drawing = true;
    for (let k = 0; k < count && drawing && !closed; k++) {
      const random = chance(told.seed);
      for (let skip = 0; skip < told.asked; skip++) random();
      told.asked += 1;
      const at = random();
      if (!await choose(fallsOn(outlook(ending, told.how), at), at)) break;
    }
    drawing = false;
  }
  function takeBack() {
    if (told.written.length) go({ written: told.written.slice(0, -1), at: [-1, told.at[1]], drawn: null,
      done: { ...told.done, hidden: [], set: [] } });
  }

  const follow = () => {
    if (get("text") === text) return;
    field.set(get("text"));
    typing(get("text"));
  };
  model.on("change:text", follow);
  page.remembers(() => ({ ...told }));
  update();
  return () => {
    closed = true;
    model.off("change:text", follow);
    painted.stop();
    opening?.then((one) => one.close(), () => {});
  };
}
