// One visit of a page, and what its widgets looked like when the reader left it: the Back button leads to the same
// visit, a link or a reload to a new one.

/**
 * @typedef {{ traits: Record<string, any>, recalled: Record<string, any>, open: boolean, folds: boolean[] }} Left
 *   what a reader changed: traits, whatever else `remembers` of page.mjs read, whether the table is open, and which
 *   folds are
 */

const NAME = "unrolled-visit";

/** A number that tells one widget's traits from another's (Fowler, Noll and Vo's hash). @param {string} text */
export function fingerprint(text) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Where a widget stands: the how many-eth of the page, or of the widget it is an outcome of. @param {Element} place */
function address(place) {
  const around = place.parentElement.closest(".unrolled-live");
  const within = around ?? document;
  const all = [...within.querySelectorAll(".unrolled-widget")].filter((one) =>
    one.parentElement.closest(".unrolled-live") === around);
  const own = String(all.indexOf(place));
  return around ? `${address(around.closest(".unrolled-widget"))}/${own}` : own;
}

/** Ask the browser's storage, which a reader may have locked or filled. @template T @param {() => T} ask @returns {T | null} */
function stored(ask) {
  try {
    return ask();
  } catch {
    return null;
  }
}

function begin() {
  const [navigation] = performance.getEntriesByType("navigation");
  const again = /** @type {any} */ (navigation)?.type !== "reload" && history.state?.[NAME];
  const name = again || `${Date.now().toString(36)}-${Math.random().toString(36).slice(2)}`;
  // The entry of the history holds no more than the visit's name: few browsers let a page change it as it is left.
  const sign = () => history.state?.[NAME] === name || history.replaceState({ ...history.state, [NAME]: name }, "");
  stored(sign);
  addEventListener("hashchange", () => stored(sign)); // a place on the same page is an entry of its own
  /** @type {Record<string, { of: number, left: Left }>} */
  const before = JSON.parse(stored(() => sessionStorage.getItem(`${NAME}:${name}`)) ?? "{}");
  const isOld = Object.keys(before).length > 0;
  /** @type {Map<Element, { at: string, of: number, said: string }>} */
  const kept = new Map();
  function write() {
    for (const place of kept.keys()) if (!place.isConnected) kept.delete(place);
    const all = [...kept.values()].map(({ at, of, said }) => `"${at}":{"of":${of},"left":${said}}`);
    stored(() => sessionStorage.setItem(`${NAME}:${name}`, `{${all}}`));
  }
  return {
    /** Whether the reader was here, and changed something. */
    isOld,
    /** What the reader left of a widget with these traits, if this visit is an old one. @param {Element} place */
    left(place, /** @type {string} */ given) {
      const found = before[address(place)];
      return found && found.of === fingerprint(given) ? found.left : null;
    },
    /**
     * Keep what `read` says of a widget, from the moment at which it is said: a page that is left may be ended before
     * it hears of it, on a busy machine or a phone. What nobody can see or hear of has not changed.
     * @param {Element} place @param {string} given @param {() => Left} read
     */
    keep(place, given, read) {
      const one = { at: address(place), of: fingerprint(given), said: JSON.stringify(read()) };
      kept.set(place, one);
      const save = () => {
        const said = JSON.stringify(read());
        if (said === one.said || kept.get(place) !== one) return;
        one.said = said;
        write();
      };
      new MutationObserver(save).observe(place, { subtree: true, childList: true, attributes: true, characterData: true });
      place.addEventListener("input", save);
    },
  };
}

/** @type {ReturnType<typeof begin> | undefined} */
let visit;
/** The visit of this page: begun by the first widget. */
export const thisVisit = () => (visit ??= begin());
