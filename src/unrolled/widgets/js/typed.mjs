// What a reader types or pastes, read as it looks on the screen. The Python side is ../../_typed.py.

/**
 * A text as it looks: composed (NFC), without characters that leave no ink, such as soft hyphens, zero-width spaces
 * and joiners, variation selectors and marks of direction, and with one space for white space of any kind.
 * @param {string} text
 */
export function plainText(text) {
  return text.replace(/\p{Default_Ignorable_Code_Point}/gu, "").normalize("NFC")
    .replace(/[\s\p{Cc}]+/gu, " ").trim();
}

/** A text of the reader's, short enough for a message. @param {string} text */
export function quoted(text, most = 40) {
  const letters = [...text]; // by code points: half of an emoji is no character
  return `“${letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : text}”`;
}

/** What came, for a message: the text quoted, or that there was none. */
export const came = (/** @type {string} */ text, most = 40) => (text === "" ? "nothing" : quoted(text, most));

/**
 * What a reader typed as a number within the limit, with a point or a comma and any dash for a minus; else NaN.
 * @param {string} text @param {number} limit
 */
export function readNumber(text, limit) {
  const plain = plainText(text).replace(/[\u2010-\u2013\u2212\ufe63\uff0d]/g, "-").replace(",", ".");
  const value = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(plain) ? Number(plain) : NaN;
  return Math.abs(value) <= limit ? value + 0 : NaN; // + 0: zero has no sign
}
