// The unroller: a recurrent network reads a sentence word by word, and every number of it can be seen.

import { button, choice, h, isPressed, liveRegion, number, root, slider, textField, toggle } from "./dom.mjs";
import { pageOf, startOf } from "./page.mjs";
import { firstWordTrace, start, unroll } from "./recurrent.mjs";
import { readWords, shownWord } from "./sentence.mjs";
import { plainText } from "./typed.mjs";
import { filmView, stepView } from "./unroller-view.mjs";
import { someOf, wordList } from "./word-list.mjs";

const MOST_WORDS = 24;
const PACE = 1100; // milliseconds a word, while it plays
const KINDS = { rnn: "RNN", lstm: "LSTM" };
const GATES = { f: "Forget gate f", i: "Input gate i", o: "Output gate o" };
const STATES = { h: "hidden state", c: "cell state", f: "forget gate", i: "input gate", g: "candidate", o: "output gate" };
const FORCES = ["as computed", "forced to 0", "forced to 1"];

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const [words, vectors, cells] = [model.get("words"), model.get("vectors"), model.get("cells")];
  const [units, title] = [model.get("units"), model.get("title")];
  const kinds = Object.keys(KINDS).filter((kind) => kind in cells);
  const given = { sentence: startOf(model, "sentence"), cell: startOf(model, "cell"), step: startOf(model, "step") };
  const page = pageOf(model);
  let [kind, step, forced] = [model.get("cell"), model.get("step"), model.get("forced")];
  let read = readWords(model.get("sentence"), words, MOST_WORDS);
  let [player, keeping] = [0, false];

  const live = liveRegion();
  const film = filmView(units, (t) => go(t));
  const detail = stepView(units);
  const pick = choice({ label: "Cell", options: kinds.map((name) => KINDS[name]), value: kinds.indexOf(kind),
    onInput: (index) => {
      kind = kinds[index];
      show();
      keep();
    } });
  const gates = Object.entries(GATES).map(([gate, label]) => choice({ label, options: FORCES, onInput: (index) => {
    const { [gate]: _, ...others } = forced;
    forced = index === 0 ? others : { ...others, [gate]: index - 1 };
    show();
    keep();
  } }));
  const gateBox = h("fieldset", { class: "u-gates" }, h("legend", {}, "Take a gate into your own hands"),
    gates.map((gate) => gate.el));
  const place = slider({ label: "Words read", min: 0, max: read.ids.length, step: 1, value: step,
    format: (t) => (t === 0 ? "none yet" : `${t}: ${read.spoken[t - 1] ?? ""}`), onInput: (t) => go(t) });
  const back = button("Back", () => go(step - 1));
  const next = button("Next word", () => go(step + 1));
  const play = button("Play", () => (player ? stop() : begin()));
  const writeNumbers = (on) => film.el.classList.toggle("has-numbers", on);
  const numbers = toggle({ label: "Numbers", pressed: page.recalled.numbers, onToggle: writeNumbers });
  writeNumbers(isPressed(numbers));

  const named = words.map(shownWord);
  const typed = textField({ label: "Sentence", value: page.recalled.typed ?? model.get("sentence"), onInput: () => typed.error(null),
    help: `Up to ${MOST_WORDS} words, out of the ${words.length} it knows, ${someOf(named)}.` });
  const form = h("form", { class: "u-own", novalidate: true }, typed.el, h("button", { type: "submit" }, "Read"),
    wordList(named));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const tried = readWords(typed.input.value, words, MOST_WORDS);
    typed.error(tried.error || null);
    if (!tried.error) take(tried, Math.min(step, tried.ids.length), plainText(typed.input.value));
  });
  const reset = button("Reset", () => {
    [kind, forced] = [given.cell, {}];
    typed.set(given.sentence);
    typed.error(null);
    take(readWords(given.sentence, words, MOST_WORDS), given.step, given.sentence);
  });

  const box = root(el, title || "A recurrent network, unrolled", title && h("p", { class: "u-title" }, title),
    h("div", { class: "u-unroller" }, form,
      h("div", { class: "u-controls" }, kinds.length > 1 && pick.el, place.el,
        h("div", { class: "u-buttons" }, back, next, play, numbers, reset)),
      "lstm" in cells && gateBox, film.el, detail.el),
    live.el);

  /** Read another sentence. */
  function take(sentence, at, text) {
    stop();
    [read, step] = [sentence, at];
    place.input.max = String(read.ids.length);
    show();
    keep({ sentence: text });
  }

  /** Show the state after `t` words; a step by hand ends the playing. */
  function go(/** @type {number} */ t, playing = false) {
    if (!playing) stop();
    step = Math.min(read.ids.length, Math.max(0, t));
    show();
    keep();
  }

  function begin() {
    if (step === read.ids.length) go(0, true);
    play.textContent = "Pause";
    player = window.setInterval(() => {
      if (!box.isConnected) return stop(); // an outcome of explore() that another one has taken the place of
      go(step + 1, true);
      if (step === read.ids.length) stop();
    }, PACE);
  }

  function stop() {
    window.clearInterval(player);
    player = 0;
    play.textContent = "Play";
  }

  /** Let the kernel know, where there is one; not ourselves, who know already. */
  function keep(more = {}) {
    keeping = true;
    for (const [name, value] of Object.entries({ cell: kind, forced, step, ...more })) model.set(name, value);
    keeping = false;
    model.save_changes();
  }

  /** The gates the reader holds; an RNN has none. */
  const used = () => (kind === "lstm" ? forced : {});

  function show() {
    const inputs = read.ids.map((id) => vectors[id]);
    const steps = [start(units.length), ...unroll(kind, inputs, cells[kind], used())];
    const trace = [0, ...firstWordTrace(kind, inputs, cells[kind], used())];
    pick.set(kinds.indexOf(kind));
    gates.forEach((gate, n) => gate.set(1 + (forced[Object.keys(GATES)[n]] ?? -1)));
    gateBox.hidden = kind !== "lstm";
    place.set(step);
    // Not `disabled`, which would take the focus away from whoever pressed it last.
    back.setAttribute("aria-disabled", String(step === 0));
    next.setAttribute("aria-disabled", String(step === read.ids.length));
    film.show({ kind, words: read.spoken, steps, trace, at: step });
    detail.show({ kind, steps, at: step, word: read.spoken[step - 1], x: inputs[step - 1], forced: used() });
    const state = units.map((unit, k) => `${unit}: ${number(steps[step].h[k])}`).join("; ");
    live.say(step === 0 ? "No word read yet: every state starts at zero."
      : `${KINDS[kind]}, word ${step} of ${read.ids.length}, “${read.spoken[step - 1]}”. Hidden state: ${state}. `
        + `Trace of “${read.spoken[0]}”: ${number(trace[step])}.`);
    const all = (part) => JSON.stringify(steps.slice(1).map((one) => one[part]));
    Object.assign(box.dataset, { cell: kind, step, h: all("h"), c: all("c"), i: all("i"), f: all("f"), g: all("g"),
      o: all("o"), trace: JSON.stringify(trace.slice(1)) });
    page.tables(() => tables(steps.slice(1), trace.slice(1)));
  }

  /** Every number after each word, as in ../unroller.py. */
  function tables(steps, trace) {
    const held = Object.entries(used()).map(([gate, value]) => `${gate} forced to ${value}`);
    return (kind === "lstm" ? ["hc", "fi", "go"] : ["h"]).map((letters) => {
      const what = [...letters].map((letter) => `${STATES[letter]} ${letter}`).join(" and ");
      const last = letters.startsWith("h");
      return { caption: [`${KINDS[kind]}: ${what} after each word`, ...held].join(", "),
        columns: [...[...letters].flatMap((letter) => units.map((unit) => `${letter}, ${unit}`)),
          ...(last ? ["trace of the first word"] : [])],
        rows: steps.map((one, t) => [read.spoken[t],
          [...[...letters].flatMap((letter) => one[letter]), ...(last ? [trace[t]] : [])]]) };
    });
  }

  // Python may lead too.
  const follow = {
    step: () => (step = model.get("step")),
    cell: () => (kind = model.get("cell")),
    forced: () => (forced = model.get("forced")),
    sentence: () => {
      read = readWords(model.get("sentence"), words, MOST_WORDS);
      place.input.max = String(read.ids.length);
      step = Math.min(step, read.ids.length);
      typed.set(model.get("sentence"));
    },
  };
  const heard = Object.entries(follow).map(([name, change]) => {
    const listener = () => {
      if (keeping) return;
      change();
      show();
    };
    model.on(`change:${name}`, listener);
    return [name, listener];
  });
  typed.error(page.recalled.error || null);
  show();
  detail.recall(page.recalled.cell);
  page.remembers(() => ({ numbers: isPressed(numbers), typed: typed.input.value, error: typed.wrong.textContent,
    cell: detail.chosen() }));
  return () => {
    stop();
    heard.forEach(([name, listener]) => model.off(`change:${name}`, listener));
  };
}
