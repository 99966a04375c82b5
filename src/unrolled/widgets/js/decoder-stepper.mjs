// The decoder stepper: an encoder–decoder that runs in the page, one word at a time, until the sentence ends.

import { alignment, bars, contextPanel, encoderCards, scorePanel, shareList } from "./decoder-parts.mjs";
import { button, choice, h, liveRegion, number, root, textField, uid } from "./dom.mjs";
import { pageOf } from "./page.mjs";
import { damaged, decodeStep, encode, likeliest, readModel } from "./seq2seq.mjs";
import { MAX_WORDS, readWords } from "./sentence.mjs";
import { someOf, wordList } from "./word-list.mjs";

/** All numbers of a state in one row: h, then c, layer by layer. */
const flat = (state) => state.flatMap((layer) => [...layer.h, ...layer.c]);

/** Which number of a state is which. @param {number} layers @param {number} size */
function numberGroups(layers, size) {
  const where = (layer) => (layers > 1 ? `, layer ${layer + 1}` : "");
  return Array.from({ length: layers }, (_, layer) => ["h", "c"].map((kind) => ({ label: `${kind}${where(layer)}`,
    names: Array.from({ length: size }, (_unused, k) => `${kind} ${k + 1}${where(layer)}`) }))).flat();
}

/** @param {{ model: any, el: HTMLElement }} context */
export function render({ model, el }) {
  const net = readModel(model.get("weights"));
  const [sourceWords, targetWords] = [model.get("source_words"), model.get("target_words")];
  const [sentences, translations, title] = [model.get("sentences"), model.get("translations"), model.get("title")];
  const [end, bos, eos] = [model.get("source_end"), targetWords.indexOf(model.get("bos")), targetWords.indexOf(model.get("eos"))];
  const maxLen = model.get("max_len");
  const attends = net.combine !== null;
  const closing = end ? [sourceWords.indexOf(end)] : [];
  const idsOf = (text) => [...text.split(/\s+/u).filter(Boolean).map((word) => sourceWords.indexOf(word)), ...closing];
  const others = sentences.map((text) => encode(net, idsOf(text)).state);

  const page = pageOf(model);
  let sentence = model.get("sentence");
  let source = encode(net, idsOf(sentence));
  let first = source.state;
  /** One for each word written. @type {{ input: number, answer: any, given: number[] | null, word: number }[]} */
  let steps = [];
  let [shown, panel] = [0, null];

  const live = liveRegion();
  live.el.classList.add("u-hidden"); // the cards show the same to the eye
  const pick = choice({ label: "Sentence", options: sentences, value: Math.max(0, sentences.indexOf(sentence)),
    onInput: (index) => read(sentences[index]) });
  const usable = sourceWords.filter((word) => !/^<.*>$/.test(word));
  const typed = textField({ label: "Your own sentence", onInput: () => typed.error(null),
    help: `Up to ${MAX_WORDS} words, out of the ${usable.length} it knows, ${someOf(usable)}.` });
  const form = h("form", { class: "u-own", novalidate: true }, typed.el, h("button", { type: "submit" }, "Read"),
    wordList(usable));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const { ids, error } = readWords(typed.input.value, usable);
    typed.error(error || null);
    if (!error) read(ids.map((id) => usable[id]).join(" "));
  });

  const encoder = h("ol", { class: "u-steps" });
  const size = net.decoder[0].hidden.weight[0].length;
  const groups = numberGroups(net.decoder.length, size);
  const context = contextPanel({ sentences, groups, left: page.recalled.damage, onChange: () => {
    const atLast = shown === steps.length - 1;
    rerun(0);
    if (atLast) shown = steps.length - 1; // who looks at the end looks at the new end
    show();
    say("The context vector has changed. ");
  } });
  const decoder = h("ol", { class: "u-steps" });
  const scoresAt = h("div", {});
  const shares = h("div", { class: "u-next" });
  const map = h("div", {});
  const verdict = h("p", { class: "u-verdict" });
  const [next, back, all, again] = [
    button("Next word", () => go(steps.length + 1)), button("Back", () => go(steps.length - 1)),
    button("To the end", () => go(maxLen)), button("Start again", () => go(1)),
  ];

  const part = (label, ...children) => {
    const id = uid("part");
    return h("section", { class: "u-part", "aria-labelledby": id }, h("p", { class: "u-part-title", id }, label), children);
  };
  const inside = h("div", { class: "u-inside" }, context.el);
  const box = root(el, title || "Encoder and decoder, step by step", title && h("p", { class: "u-title" }, title),
    h("div", { class: "u-decoder" },
      h("div", { class: "u-decoder-top" }, pick.el, form),
      part("Encoder: reads one word after another", encoder,
        h("p", { class: "u-help" }, "The small bars are a state: upwards above zero, full at 1, and downwards below, full at \u22121.")),
      h("p", { class: "u-crossing", "aria-hidden": "true" }, attends ? "▼ last state, and every state" : "▼ nothing else crosses"),
      attends
        ? h("details", { class: "u-part" }, h("summary", {}, "Context vector: the decoder’s first state"), inside)
        : part("Context vector: the encoder’s last state, the decoder’s first", inside),
      !attends && h("p", { class: "u-crossing", "aria-hidden": "true" }, "▼"),
      part("Decoder: writes one word after another", decoder,
        h("div", { class: "u-buttons" }, next, back, all, again), verdict),
      h("div", { class: attends ? "u-look is-wide" : "u-look" }, scoresAt, shares),
      map),
    live.el);

  /** The source words as the encoder reads them. */
  const spoken = () => [...sentence.split(/\s+/u).filter(Boolean), ...(end ? [end] : [])];

  /** Run the decoder from step `from` on, as far as it had come; what stands before is kept. */
  function rerun(from, length = ended() ? maxLen : steps.length) {
    const { damage } = context;
    first = damaged(source.state, others[damage.other], damage);
    const kept = steps.slice(0, from + 1).map((step) => step.given);
    steps = [];
    while (steps.length < length && !ended()) step(kept[steps.length] ?? null);
    shown = Math.min(shown, steps.length - 1);
    show();
  }

  function step(given) {
    const last = steps.at(-1);
    const input = last ? last.word : bos;
    const answer = decodeStep(net, input, last ? last.answer.state : first, source.outputs, given);
    steps.push({ input, answer, given, word: likeliest(answer.shares) });
  }

  const ended = () => steps.at(-1)?.word === eos || steps.length >= maxLen;

  /** Write until there are `length` words, or drop those behind. */
  function go(length) {
    steps = steps.slice(0, Math.max(1, length));
    while (steps.length < length && !ended()) step(null);
    shown = steps.length - 1;
    show();
    say();
  }

  /** Read another sentence; the damage stays, so that sentences can be compared under it. */
  function read(text, quiet = false) {
    sentence = text;
    source = encode(net, idsOf(text));
    const index = sentences.indexOf(text);
    if (index >= 0) pick.set(index);
    else pick.select.selectedIndex = -1;
    encoder.replaceChildren(...encoderCards(spoken(), source.outputs));
    steps = [];
    shown = 0;
    panel = null;
    rerun(-1, 1);
    if (!quiet) {
      model.set("sentence", text);
      model.save_changes();
      say(`Read “${text}”. `);
    }
  }

  /** The sliders of this sentence: as far as its scores reach, and some more. */
  function scores() {
    if (panel) return panel;
    const top = Math.max(...steps.flatMap((one) => one.answer.ownScores.map(Math.abs)));
    panel = scorePanel({ words: spoken(), limit: Math.max(5, Math.ceil(2 * top)),
      onScores: (given) => give(given, "Scores changed. "), onReset: () => give(null, "The model’s own scores again. ") });
    scoresAt.replaceChildren(panel.el);
    return panel;
  }

  function give(given, before) {
    steps[shown].given = given;
    rerun(shown);
    say(before);
  }

  const written = () => steps.map((one) => targetWords[one.word]);

  /** What came out, beside what should have. */
  function judge() {
    const text = written().join(" ");
    const right = Object.hasOwn(translations, sentence) ? translations[sentence] : undefined;
    if (!ended()) return `So far: ${text}`;
    const stopped = steps.at(-1).word === eos ? "" : `, and no ${targetWords[eos]} after ${maxLen} words`;
    if (right === undefined) return `Written: ${text}${stopped}.`;
    return `${text === `${right} ${targetWords[eos]}` ? "✓ Right" : "✗ Wrong"}: ${text}${stopped}.`
      + (text === `${right} ${targetWords[eos]}` ? "" : ` Expected: ${right}.`);
  }

  function say(before = "") {
    const { input, answer, word } = steps[shown];
    const weights = answer.weights
      ? ` It attends to ${spoken().map((one, j) => `${one} ${number(answer.weights[j])}`).join(", ")}.` : "";
    live.say(`${before}Step ${shown + 1}: after ${targetWords[input]} comes ${targetWords[word]}, `
      + `${number(answer.shares[word])}.${weights} ${judge()}`);
  }

  function show() {
    context.show(flat(first));
    const focused = [...decoder.querySelectorAll("button")].indexOf(/** @type {any} */ (document.activeElement));
    decoder.replaceChildren(...steps.map(({ input, answer, given, word }, t) => h("li", {},
      h("button", { type: "button", class: "u-step", "aria-pressed": t === shown, onclick: () => {
        shown = t;
        show();
        say();
      } }, h("span", { class: "u-muted" }, "in ", h("bdi", {}, targetWords[input])),
      bars(answer.hidden, `state of step ${t + 1}`),
      h("span", { class: "u-step-word" }, "→ ", h("bdi", {}, targetWords[word])),
      h("span", { class: "u-muted" }, given ? `${number(answer.shares[word])}, your scores` : number(answer.shares[word]))))));
    if (focused >= 0) decoder.querySelectorAll("button")[Math.min(focused, steps.length - 1)].focus();
    // Not disabled: the focus of whoever steps by keyboard stays where it is.
    [next, all].forEach((one) => one.setAttribute("aria-disabled", String(ended())));
    [back, again].forEach((one) => one.setAttribute("aria-disabled", String(steps.length < 2)));
    verdict.textContent = judge();
    const { answer, input } = steps[shown];
    if (attends) {
      scores().show(answer.scores, answer.ownScores, answer.weights);
      map.replaceChildren(alignment(spoken(),
        steps.map((one) => ({ word: targetWords[one.word], weights: one.answer.weights }))));
    }
    shares.replaceChildren(
      ...(attends ? [h("p", { class: "u-bars-title" }, "Context: the states, mixed by the weights"),
        bars(answer.context, "context")] : []),
      h("p", { class: "u-bars-title" }, `Step ${shown + 1}: what comes after `, h("bdi", {}, targetWords[input]), "?"),
      ...shareList(answer.shares, targetWords).filter(Boolean));
    Object.assign(box.dataset, {
      sentence, written: JSON.stringify(written()), state: JSON.stringify(flat(first)),
      shares: JSON.stringify(answer.shares), hidden: JSON.stringify(flat(answer.state)),
      ...(attends && { scores: JSON.stringify(answer.scores), weights: JSON.stringify(answer.weights),
        context: JSON.stringify(answer.context) }),
    });
    page.tables(tables);
  }

  /** The sentence, what crosses, and the steps so far, as in ../decoder_stepper.py. */
  function tables() {
    const about = `“${sentence}” → “${written().join(" ")}”`;
    const state = { caption: `The context vector of “${sentence}” as the decoder gets it`, columns: groups.flatMap((group) => group.names),
      rows: [[sentence, flat(first)]] };
    return attends
      ? [{ caption: `${about}: what each step attends to.`, columns: spoken(),
        rows: steps.map((one) => [targetWords[one.word], one.answer.weights]), full: 1 }]
      : [state, { caption: `${about}: how likely each word was.`, columns: written(),
        rows: [["probability", steps.map((one) => one.answer.shares[one.word])]] }];
  }

  const follow = () => {
    if (model.get("sentence") !== sentence) read(model.get("sentence"), true);
  };
  model.on("change:sentence", follow);
  read(sentence, true);
  if (page.recalled.given) {
    const { given, at, typed: text, error } = page.recalled;
    steps = [];
    given.forEach(step);
    shown = at;
    show();
    typed.set(text);
    typed.error(error || null);
  }
  page.remembers(() => ({ given: steps.map((one) => one.given), at: shown, typed: typed.input.value,
    error: typed.wrong.textContent, damage: { ...context.damage, off: [...context.damage.off] } }));
  return () => model.off("change:sentence", follow);
}
