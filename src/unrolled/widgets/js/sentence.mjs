// From what a reader types to words the vocabulary knows, or to a message that says what was expected.

import { came, plainText, quoted } from "./typed.mjs";

export const MAX_WORDS = 12;

/** A word of the vocabulary as English writes it. @param {string} word */
export const shownWord = (word) => (word === "i" ? "I" : word);

/** A word without the punctuation around it. @param {string} word */
export function strip(word) {
  return word.replace(/^[^\p{L}\p{M}\p{N}]+|[^\p{L}\p{M}\p{N}]+$/gu, "");
}

/** How many letters to change, add or drop to turn one word into the other (Levenshtein, 1966). */
export function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const above = row;
    row = [i];
    for (let j = 1; j <= b.length; j++) {
      row.push(Math.min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
  }
  return row[b.length];
}

/**
 * The known words nearest in spelling, best first: at most a third of the letters differ, or one, and never half.
 * @param {string} word @param {string[]} words @returns {string[]} none where nothing is near
 */
export function nearby(word, words, count = 3) {
  const near = word.toLowerCase().slice(0, 40);
  return words
    .map((known) => ({ known, far: distance(near, known.toLowerCase()) }))
    .filter(({ known, far }) => far <= Math.max(1, near.length / 3) && 2 * far < Math.max(near.length, known.length))
    .sort((a, b) => a.far - b.far)
    .slice(0, count)
    .map(({ known }) => known);
}

/** A word without the differences that a keyboard makes: capitals, and the other apostrophes. */
const folded = (word) => word.toLowerCase().replace(/[\u2018\u2019\u02bc\uff07]/g, "'");

/**
 * Which known word a word is, with or without the punctuation around it, written as it is known or, failing that,
 * with other capitals and apostrophes.
 * @param {string[]} words @returns {(word: string) => number} -1 for a word that is not known
 */
export function finder(words) {
  const plain = words.map(plainText);
  const low = plain.map(folded);
  return (word) => [plain.indexOf(word), plain.indexOf(strip(word)), low.indexOf(folded(word)), low.indexOf(folded(strip(word)))]
    .find((i) => i >= 0) ?? -1;
}

/**
 * What was said of words that are not known, and what might have been meant.
 * @param {string[]} unknown one at least @param {string[]} words @param {string} what all words are, for the list's name
 */
export function unknownWords(unknown, words, what = "words") {
  const more = unknown.length > 3 ? ` and ${unknown.length - 3} more` : "";
  const near = nearby(strip(unknown[0]), words).map(shownWord).join(", ");
  return `${unknown.slice(0, 3).map((word) => quoted(word)).join(", ")}${more}. `
    + (near ? `Known ${what} near ${quoted(unknown[0])}: ${near}.` : `The list of ${what} names all there are.`);
}

/**
 * @param {string} text @param {string[]} words the vocabulary @param {number} most words it may have
 * @returns {{ ids: number[], spoken: string[], error: string }} the words' indices, and the words as they were typed
 */
export function readWords(text, words, most = MAX_WORDS) {
  const find = finder(words);
  const plain = plainText(text);
  const spoken = plain.split(" ").filter((part) => strip(part) !== "");
  const refuse = (error) => ({ ids: [], spoken: [], error });
  if (spoken.length === 0) {
    return refuse(`Expected at least one word, got ${came(plain)}.`);
  }
  if (spoken.length > most) return refuse(`Expected at most ${most} words, got ${spoken.length}.`);
  const ids = spoken.map(find);
  const unknown = [...new Set(spoken.filter((_, k) => ids[k] < 0))];
  if (unknown.length > 0) return refuse(`Expected words that have a vector here, got ${unknownWords(unknown, words)}`);
  return { ids, spoken: spoken.map(strip), error: "" };
}

/**
 * @param {string} text @param {string[]} words the vocabulary @param {string} target @param {number} most words
 * @returns {{ ids: number[], at: number, spoken: string[], error: string }} what readWords says, and where the
 *   target stands
 */
export function readSentence(text, words, target, most = MAX_WORDS) {
  const read = readWords(text, words, most);
  const at = read.ids.findIndex((id) => words[id].toLowerCase() === target.toLowerCase());
  if (read.error || at >= 0) return { ...read, at };
  return { ids: [], at, spoken: [], error: `Expected “${target}” in the sentence, got ${quoted(plainText(text))}.` };
}
