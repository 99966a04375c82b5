// From what a reader types to words the vocabulary knows, or to a message that says what was expected.

export const MAX_WORDS = 12;

/** A word of the vocabulary as English writes it. @param {string} word */
export const shownWord = (word) => (word === "i" ? "I" : word);

/** A word without the punctuation around it. @param {string} word */
export function strip(word) {
  return word.replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, "");
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

/** A text of the reader's, short enough for a message. @param {string} text */
const quoted = (text) => `“${text.length > 40 ? `${text.slice(0, 39)}…` : text}”`;

/**
 * @param {string} text @param {string[]} words the vocabulary @param {number} most words it may have
 * @returns {{ ids: number[], spoken: string[], error: string }} the words' indices, and the words as they were typed
 */
export function readWords(text, words, most = MAX_WORDS) {
  // A phone's keyboard writes let’s for let's.
  const plain = (word) => strip(word).toLowerCase().replace(/\u2019/g, "'");
  const known = words.map((word) => word.toLowerCase());
  const tokens = text.split(/\s+/u).filter((part) => part !== "");
  const spoken = tokens.filter((part) => strip(part) !== "");
  const refuse = (error) => ({ ids: [], spoken: [], error });
  if (spoken.length === 0) {
    return refuse(`Expected at least one word, got ${text.trim() ? quoted(text.trim()) : "nothing"}.`);
  }
  if (spoken.length > most) return refuse(`Expected at most ${most} words, got ${spoken.length}.`);
  const unknown = spoken.filter((part) => !known.includes(plain(part)));
  if (unknown.length > 0) {
    const more = unknown.length > 3 ? ` and ${unknown.length - 3} more` : "";
    const near = nearby(strip(unknown[0]), words).map(shownWord).join(", ");
    return refuse(`Expected words that have a vector here, got ${unknown.slice(0, 3).map(quoted).join(", ")}${more}. `
      + (near ? `Known words near ${quoted(unknown[0])}: ${near}.` : "The list of words names all there are."));
  }
  return { ids: spoken.map((part) => known.indexOf(plain(part))), spoken: spoken.map(strip), error: "" };
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
  return { ids: [], at, spoken: [], error: `Expected “${target}” in the sentence, got ${quoted(text.trim())}.` };
}
