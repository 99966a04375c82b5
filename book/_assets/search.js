// The search page. The build makes the index (book/_ext/course/search.py): each place of the book with its names and
// its text, and calls Search.setIndex with it. A result opens at its place with ?highlight=, and course.js marks the
// words there.
/* global Stemmer, stopwords */
/**
 * @typedef {{ page: string, of: string, kind: string, anchor: string, title: string, names: string[], text: string }} Place
 * @typedef {Map<string, Map<number, number>>} Words For each stem, how much it says about each place.
 */
globalThis.Search = (() => {
  "use strict";
  const query = new URLSearchParams(location.search).get("q")?.trim() ?? "";
  const KINDS = {
    term: say("search.term"), symbol: say("search.symbol"), exercise: say("search.exercise"), equation: say("search.equation"),
    name: say("search.name"),
  };
  // What each field of a place says about it, and at most how often that counts.
  const WEIGHTS = { names: 5, title: 6, text: 1, code: 0.4, of: 0.4 };
  const SHOWN = 20;
  const EXCERPT = 200;
  const listed = (all) => {
    const quoted = [...all].map((word) => say("search.word", { word }));
    return quoted.reduce((words, word, n) => n < quoted.length - 1 ? say("search.comma", { words, word }) : say("search.and", { words, word }));
  };

  const stemmer = new Stemmer();
  /** @type {Map<string, string>} */
  const stems = new Map();
  const stem = (word) => {
    if (!stems.has(word)) stems.set(word, stemmer.stemWord(word));
    return stems.get(word);
  };
  /** Return the words of a text, as it writes them: numbers such as 4.2 whole, a root with what stands under it. */
  const split = (text) => text.match(/\d+(?:\.\d+)+|√?[\p{L}\p{N}_]+/gu) ?? [];
  const words = (text) => split(text.normalize("NFKC").toLowerCase());
  /** Return a name so that spellings of it are equal: in stems, without its hyphens and spaces. */
  const key = (text) => words(text).map(stem).join("");

  /** @type {Place[]} */
  const places = [];
  /** @type {Words} */
  const index = new Map();
  /** @type {Map<string, number>} Each word of the book, and how often it stands there. */
  const vocabulary = new Map();

  function add(place, field, texts) {
    const seen = new Map();
    // Who looks for "feedforward" means "feed-forward".
    const joined = texts.flatMap((text) => text.match(/\p{L}+(?:-\p{L}+)+/gu) ?? []).map((word) => word.replaceAll("-", "").toLowerCase());
    for (const word of [...texts.flatMap(words), ...joined]) {
      vocabulary.set(word, (vocabulary.get(word) ?? 0) + (field === "names" || field === "title" ? 100 : 1));
      for (const one of word.startsWith("√") ? [word, word.slice(1)] : [word]) seen.set(stem(one), (seen.get(stem(one)) ?? 0) + 1);
    }
    for (const [one, times] of seen) {
      if (!index.has(one)) index.set(one, new Map());
      const held = index.get(one);
      held.set(place, Math.max(held.get(place) ?? 0, WEIGHTS[field] * (1 + Math.log2(times) / 4)));
    }
  }

  function read(pages) {
    for (const [page, entries] of Object.entries(pages)) {
      const of = entries[0]?.[2] ?? "";
      for (const [kind, anchor, title, names, text, code] of entries) {
        const at = places.push({ page, of, kind, anchor, title, names, text }) - 1;
        for (const [field, texts] of Object.entries({ names, title: [title], text: [text], code: [code], of: [of] })) add(at, field, texts);
      }
    }
  }

  /** Tell whether one letter more, less or other, or two that changed places, make `a` of `b`. */
  function near(a, b) {
    if (Math.abs(a.length - b.length) > 1) return false;
    let from = 0;
    while (from < a.length && a[from] === b[from]) from += 1;
    const [x, y] = [a.slice(from), b.slice(from)];
    return x.slice(1) === y || x === y.slice(1) || x.slice(1) === y.slice(1) || (x[0] === y[1] && x[1] === y[0] && x.slice(2) === y.slice(2));
  }

  /** Return the word of the book that `word` is meant to be, or undefined. */
  function meant(word) {
    if (word.length < 4 || /\d/.test(word)) return undefined;
    return [...vocabulary].filter(([other]) => other.length > 3 && near(word, other)).sort((a, b) => b[1] - a[1])[0]?.[0];
  }

  /** Return how much each place says about a word, its stem before what begins with it; √d is also √d_k. */
  function held(word) {
    const whole = index.get(stem(word)) ?? new Map();
    const found = new Map(whole);
    if (word.length > 1) {
      for (const [other, at] of index) {
        if (!other.startsWith(word) || other === stem(word)) continue;
        const part = word.startsWith("√") ? 1 : 1 / 3;
        for (const [place, weight] of at) found.set(place, Math.max(found.get(place) ?? 0, part * weight));
      }
    }
    const rare = Math.log(1 + places.length / (1 + found.size));
    return new Map([...found].map(([place, weight]) => [place, weight * rare]));
  }

  /** Return the queries that mean the same: a term of the glossary has other names. */
  function meanings(asked) {
    const same = [asked];
    const said = ` ${asked.map(stem).join(" ")} `;
    for (const { kind, title, names } of places) {
      if (kind !== "term") continue;
      const called = [title, ...names].map(words);
      for (const name of called) {
        const part = ` ${name.map(stem).join(" ")} `;
        if (!said.includes(part) || name.length === 0) continue;
        const at = said.slice(0, said.indexOf(part)).split(" ").filter(Boolean).length;
        for (const other of called) if (other !== name) same.push([...asked.slice(0, at), ...other, ...asked.slice(at + name.length)]);
      }
    }
    return same.slice(0, 8);
  }

  /** Return the score of each place that holds all the words, or of those that hold some where none holds all. */
  function scored(asked, phrases) {
    const whole = new Map();
    const some = new Map();
    meanings(asked).forEach((said, n) => {
      const each = said.filter((word) => !stopwords.includes(word) || said.length === 1).map(held);
      const counted = new Map();
      for (const one of each) for (const [place, weight] of one) {
        const [times, sum] = counted.get(place) ?? [0, 0];
        counted.set(place, [times + 1, sum + weight]);
      }
      for (const [place, [times, sum]] of counted) {
        const score = n === 0 ? sum : sum / 2;
        if (times === each.length) whole.set(place, Math.max(whole.get(place) ?? 0, score));
        else if (n === 0) some.set(place, score * times ** 2);
      }
    });
    const found = whole.size > 0 || phrases.length > 0 ? whole : some;
    const plain = (text) => words(text).join(" ");
    for (const place of phrases.length > 0 ? [...found.keys()] : []) {
      const text = ` ${plain(places[place].title)}  ${plain(places[place].text)} `;
      if (!phrases.every((phrase) => text.includes(` ${phrase} `))) found.delete(place);
    }
    return { found, all: found === whole };
  }

  /** Return what a place gains where it is called just what was asked for; `wanted` is the key of the query. */
  function called({ kind, title, names }, wanted, query) {
    if (wanted === "") return 0;
    const own = key(title) === wanted || key(title.replace(/^\d+\. /, "")) === wanted;
    if (own && kind === "term") return 1000;
    // A name of the package is asked for as it is written; a word that is also a name may mean much.
    if (kind === "name") return title === query.normalize("NFKC") ? 700 : 0;
    if (names.some((name) => key(name) === wanted)) {
      // A capital letter is another symbol than a small one.
      const exact = names.includes(query.normalize("NFKC")) ? 30 : 0;
      return { symbol: 900, term: 850 }[kind] + exact || 950;
    }
    return own ? 800 : 0;
  }

  const element = (name, text = "", properties = {}) => Object.assign(document.createElement(name), { textContent: text, ...properties });

  /** Return the part of a text with most of the words in it, and these marked. */
  function excerpt(text, wanted) {
    const hits = [...text.matchAll(wanted)];
    const from = (hit) => Math.max(0, hit.index - EXCERPT / 3);
    const inside = (hit) => new Set(hits.filter(({ index }) => index >= from(hit) && index < from(hit) + EXCERPT).map(([word]) => word.toLowerCase())).size;
    const best = hits.slice(0, 200).reduce((a, b) => (inside(b) > inside(a) ? b : a), hits[0]);
    let start = best ? from(best) : 0;
    if (start > 0) start = text.indexOf(" ", start) + 1;
    let end = start + EXCERPT;
    if (end < text.length) end = Math.max(text.lastIndexOf(" ", end), start + EXCERPT / 2);
    const out = element("p", start > 0 ? "… " : "", { className: "search-excerpt" });
    let at = start;
    for (const { 0: word, index } of hits) {
      if (index < at || index + word.length > end) continue;
      out.append(text.slice(at, index), element("mark", word));
      at = index + word.length;
    }
    out.append(text.slice(at, end), end < text.length ? " …" : "");
    return out;
  }

  /** Return what else is to be known of a place: the whole name of an object, the name by which a term was found. */
  function said({ kind, anchor, title, names }, asked) {
    if (kind === "name") return [anchor];
    const also = kind === "term" && title.search(asked) < 0 ? names.filter((name) => name.search(asked) >= 0) : [];
    return also.length > 0 ? [say("search.also", { names: also.join(", ") })] : [];
  }

  function shown(place, marked, wanted, asked) {
    const item = document.createElement("li");
    const address = `${document.documentElement.dataset.content_root}${place.page}.html?${new URLSearchParams({ highlight: marked })}`;
    const heading = item.appendChild(element("p", "", { className: "search-title" }));
    heading.append(element("a", place.title, { href: place.anchor ? `${address}#${place.anchor}` : address }));
    heading.append(" ", element("span", KINDS[place.kind] ?? "", { className: "search-kind" }));
    if (place.kind !== "page") item.append(element("p", [place.of, ...said(place, asked)].join(" · "), { className: "search-where" }));
    if (place.text) item.append(excerpt(place.text, wanted));
    return item;
  }

  function list(out, results, marked, wanted, asked) {
    const all = out.appendChild(document.createElement("ol"));
    const more = element("button", "", { type: "button", className: "search-more" });
    const show = () => {
      const from = all.children.length;
      all.append(...results.slice(from, from + SHOWN).map((place) => shown(place, marked, wanted, asked)));
      const left = results.length - all.children.length;
      more.textContent = say("search.more", { count: Math.min(left, SHOWN), left });
      if (left === 0) more.remove();
      if (from > 0) /** @type {HTMLElement} */ (all.children[from].querySelector("a")).focus();
    };
    out.append(more);
    more.addEventListener("click", show);
    show();
  }

  /**
   * Return what to say of a query, the places it means, best first, the words to mark there, and those asked for.
   * @param {string} query
   * @returns {{ told: string, found: Place[], marked: string[], asked: string[] }}
   */
  function ask(query) {
    const nothing = (told) => ({ told, found: [], marked: [], asked: [] });
    const roots = query.replace(/\bsqrt\s*\(?\s*(?=\p{L})/giu, "√");
    const phrases = [...roots.matchAll(/["“„]([^"“”„]+)["”]/gu)].map(([, phrase]) => words(phrase).join(" ")).filter(Boolean);
    const given = [...new Set(words(roots))];
    const telling = (all) => all.filter((word) => !stopwords.includes(word) || given.length === 1);
    const rare = given.filter((word) => !stopwords.includes(word));
    const named = places.some((place) => called(place, key(roots), query) > 0);
    if (given.length === 0) return nothing(say("search.expected", { query }));
    if (rare.length === 0 && phrases.length === 0 && !named) return nothing(say("search.too_common", { words: listed(given) }));

    // A name may be written as one word, or as several.
    const missing = named ? [] : rare.filter((word) => held(word).size === 0);
    const instead = new Map(missing.map((word) => [word, meant(word)]));
    const lost = missing.filter((word) => instead.get(word) === undefined);
    if (lost.length > 0) return nothing(say("search.nowhere", { words: listed(lost) }));
    const corrected = missing.length > 0 ? `${say("search.instead", { words: listed(missing), instead: listed(instead.values()) })} ` : "";

    const asked = words(roots).map((word) => instead.get(word) ?? word);
    const { found, all } = scored(asked, phrases);
    const wanted = key(asked.join(" "));
    places.forEach((place, at) => {
      const more = called(place, wanted, query);
      if (more > 0) found.set(at, (found.get(at) ?? 0) + more);
    });
    const same = meanings(asked);
    const whole = phrases.length > 0 ? listed(phrases) : listed(new Set(telling(asked)));
    const what = same.length > 1 ? say("search.other_name", { words: whole }) : whole;
    const count = found.size;
    const outcome = count === 0 ? say("search.nothing", { words: what }) : all ? say("search.found", { count, words: what })
      : say("search.some", { words: what });
    const withStems = (all) => [...new Set(telling(all).flatMap((word) => [word, stem(word)]))].filter((word) => word.length > 1 || asked.length === 1);
    return {
      told: corrected + outcome,
      found: [...found].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([at]) => places[at]),
      marked: withStems(same.flat()),
      asked: withStems(asked),
    };
  }

  function setIndex(pages) {
    read(pages);
    const out = document.getElementById("search-results");
    const status = out.appendChild(element("p"));
    status.setAttribute("role", "status");
    if (query === "") return;
    const { told, found, marked, asked } = ask(query);
    status.textContent = told;
    if (found.length === 0) return;
    const begun = (all) => new RegExp(`(?<![\\p{L}\\p{N}_])(?:${all.map((word) => word.replace(/i$/, "[iy]")).join("|")})[\\p{L}\\p{N}_]*`, "giu");
    list(out, found, marked.join(" "), begun(marked), begun(asked));
  }

  /** @type {HTMLInputElement} */ (document.getElementById("search-words")).value = query;
  return { setIndex, ask, places };
})();
