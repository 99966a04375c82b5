// Byte-pair encoding: a text into words as GPT-2 cuts them, a word into bytes, bytes into pieces, rule by rule.

// Unicode's white space: \s of JavaScript has U+FEFF too, and not U+0085.
const W = "\\t-\\r\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const WORDS = new RegExp(
  `'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^${W}\\p{L}\\p{N}]+|[${W}]+(?![^${W}])|[${W}]+`, "gu");
const SHOWN = { " ": "␣", "\n": "↵", "\t": "⇥" };

/** The words of a text, which no piece crosses; together they are the text. @param {string} text */
export const gpt2Words = (text) => text.match(WORDS) ?? [];

/**
 * What cuts texts by the rules, the earliest first.
 * @param {{ merges: number[][], byteIds: number[], first: number }} learned pairs of ids in their order; the id of each
 *   byte; the id that the first rule makes
 */
export function cutter({ merges, byteIds, first }) {
  /** @type {Map<number, number[]>} */
  const meaning = new Map(byteIds.map((id, byte) => [id, [byte]]));
  /** @type {Map<number, Map<number, number>>} left, then right, then the rule's place */
  const ranks = new Map();
  merges.forEach(([left, right], n) => {
    meaning.set(first + n, [...(meaning.get(left) ?? []), ...(meaning.get(right) ?? [])]);
    if (!ranks.has(left)) ranks.set(left, new Map());
    ranks.get(left)?.set(right, n);
  });
  const encoder = new TextEncoder();

  /** The ids of a word by the first so many rules, and the places of the rules that were used. */
  function word(/** @type {string} */ text, /** @type {number} */ rules) {
    let ids = [...encoder.encode(text)].map((byte) => byteIds[byte]);
    const used = [];
    for (;;) {
      let best = rules;
      for (let i = 0; i + 1 < ids.length; i++) best = Math.min(best, ranks.get(ids[i])?.get(ids[i + 1]) ?? rules);
      if (best >= rules) return { ids, used };
      used.push(best);
      const [left, right] = merges[best];
      const next = [];
      for (const id of ids) {
        if (next.length && next[next.length - 1] === left && id === right) next[next.length - 1] = first + best;
        else next.push(id);
      }
      ids = next;
    }
  }

  return {
    bytes: (/** @type {number} */ id) => meaning.get(id) ?? [],
    /** The words of a text, each as its ids. */
    cut: (/** @type {string} */ text, /** @type {number} */ rules) => gpt2Words(text).map((one) => word(one, rules).ids),
    /** The places of all rules that this text uses, in their order. */
    used: (/** @type {string} */ text) =>
      [...new Set(gpt2Words(text).flatMap((one) => word(one, merges.length).used))].sort((a, b) => a - b),
  };
}

/** A token that can be seen: what has no ink by a sign or a number, what is no whole character as bytes. @param {number[]} bytes */
export function visible(bytes) {
  let text = "";
  try {
    text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(new Uint8Array(bytes));
  } catch {
    return bytes.map((byte) => byte.toString(16).toUpperCase().padStart(2, "0")).join(" ");
  }
  const shown = [...text].map((c) => SHOWN[c] ?? (/[\p{Cc}\p{Cf}\p{Co}\p{Z}]/u.test(c)
    ? `‹U+${c.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}›` : c)).join("");
  return /^\p{M}/u.test(text) ? `◌${shown}` : shown;
}
