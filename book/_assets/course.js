// The page without this script is complete; with it, the colours switch, code and formulas copy, the contents open in
// place on a phone, words searched for are marked, and wide boxes take the focus.
(() => {
  "use strict";
  const root = document.documentElement;

  // Colours: as the system, light, dark.
  const order = ["auto", "light", "dark"];
  const spoken = { auto: say("colours.auto"), light: say("colours.light"), dark: say("colours.dark") };
  const chosen = () => root.dataset.theme ?? "auto";
  const button = /** @type {HTMLElement} */ (document.querySelector(".theme-switch"));
  const show = () => {
    button.querySelector(".theme-name").textContent = button.title = say("colours.chosen", { colours: spoken[chosen()] });
    button.dataset.theme = chosen();
  };
  button.addEventListener("click", () => {
    const next = order[(order.indexOf(chosen()) + 1) % order.length];
    if (next === "auto") delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      localStorage.setItem("unrolled-theme", next);
    } catch {
      // A browser that keeps nothing still switches this page.
    }
    show();
  });
  show();

  // On a phone the contents lie over the page: it stays where it was, and the focus stays among them. Without
  // this script the link alone shows them, as the target of the address.
  const contents = document.getElementById("contents");
  const opener = /** @type {HTMLElement} */ (document.querySelector(".menu-open"));
  const beneath = document.querySelectorAll(".skip-link, .topbar, main, .on-this-page, .colophon");
  const narrow = matchMedia("(max-width: 52rem)");
  const lay = (open) => {
    if (contents.classList.contains("is-open") === open) return;
    contents.classList.toggle("is-open", open);
    root.classList.toggle("is-covered", open);
    beneath.forEach((part) => part.toggleAttribute("inert", open));
    if (open) {
      for (const [name, value] of [["role", "dialog"], ["aria-modal", "true"], ["aria-label", say("page.contents")]]) contents.setAttribute(name, value);
      /** @type {HTMLElement} */ (contents.querySelector(".menu-close")).focus();
    } else {
      for (const name of ["role", "aria-modal", "aria-label"]) contents.removeAttribute(name);
      opener.focus({ preventScroll: true });
    }
  };
  opener.addEventListener("click", (event) => {
    event.preventDefault();
    lay(true);
  });
  contents.addEventListener("click", (event) => {
    const link = /** @type {Element} */ (event.target).closest("a");
    if (!link) return;
    if (link.matches(".menu-close")) event.preventDefault();
    lay(false);
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") lay(false);
  });
  narrow.addEventListener("change", () => lay(false));
  // Back to this page finds it as it is read, not under its contents.
  addEventListener("pagehide", () => lay(false));

  // What a term means goes away at Escape, until the pointer or the focus comes anew.
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") document.querySelector(".term:is(:hover, :focus-within)")?.classList.add("is-put-away");
  });
  const come = (/** @type {PointerEvent | FocusEvent} */ { target, relatedTarget }) => {
    const term = /** @type {Element} */ (target).closest(".is-put-away");
    if (term && !term.contains(/** @type {Node | null} */ (relatedTarget))) term.classList.remove("is-put-away");
  };
  document.addEventListener("pointerout", come);
  document.addEventListener("focusout", come);

  // From a result of the search: mark its words, and open where most of them stand together.
  const sought = new URLSearchParams(location.search).get("highlight")?.match(/√?[\p{L}\p{N}_]+/gu) ?? [];
  if (sought.length > 0) {
    // A stem such as "queri" is also the beginning of "query".
    const begins = sought.map((word) => word.replace(/i$/, "[iy]"));
    const wanted = new RegExp(`(?<![\\p{L}\\p{N}_])(?:${begins.join("|")})[\\p{L}\\p{N}_]*`, "giu");
    const texts = document.createTreeWalker(document.querySelector("article"), NodeFilter.SHOW_TEXT, (text) =>
      text.parentElement.closest("math, svg, script, style, template, button, .meaning, .unrolled-widget, .headerlink")
        ? NodeFilter.FILTER_REJECT : NodeFilter.FILTER_ACCEPT);
    /** @type {Text[]} */
    const found = [];
    while (texts.nextNode()) found.push(/** @type {Text} */ (texts.currentNode));
    /** @type {Map<Element, Set<number>>} What is marked, and which of the words sought each holds. */
    const marks = new Map();
    const starts = begins.map((begin) => new RegExp(`^${begin}`, "iu"));
    const numbers = (holds) => new Set([...sought.keys()].filter(holds));
    for (const text of found) {
      const parts = [];
      let from = 0;
      for (const { 0: word, index } of text.data.matchAll(wanted)) {
        const mark = document.createElement("mark");
        mark.textContent = word;
        marks.set(mark, numbers((n) => starts[n].test(word)));
        parts.push(text.data.slice(from, index), mark);
        from = index + word.length;
      }
      if (parts.length > 0) text.replaceWith(...parts, text.data.slice(from));
    }
    // A formula is marked whole: its TeX without what only says how it looks holds the symbol.
    for (const math of document.querySelectorAll("article math[data-tex]")) {
      const tex = /** @type {HTMLElement} */ (math).dataset.tex.replace(/\\(?:text|mathrm|operatorname)|[{}\s]/g, "").replaceAll("\\sqrt", "√").toLowerCase();
      const held = numbers((n) => /[√_]/.test(sought[n]) && tex.includes(sought[n].toLowerCase()));
      math.classList.toggle("is-sought", held.size > 0);
      if (held.size > 0) marks.set(math, held);
    }
    const held = new Map();
    const place = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (const mark of document.querySelectorAll("article :is(mark, math)")) {
      const section = marks.has(mark) && (place ? place.contains(mark) && place : mark.closest("section"));
      if (!section) continue;
      if (!held.has(section)) held.set(section, { first: mark, words: new Set() });
      marks.get(mark).forEach((n) => held.get(section).words.add(n));
    }
    const [best] = [...held.values()].sort((a, b) => b.words.size - a.words.size);
    const first = best?.first;
    const arrived = /** @type {PerformanceNavigationTiming} */ (performance.getEntriesByType("navigation")[0])?.type === "navigate";
    const open = () => {
      for (let fold = first.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
      const { top, bottom } = first.getBoundingClientRect();
      // The browser has gone to the heading of the place: that is enough where the word stands below it.
      if (!place || top < 0 || bottom > innerHeight) first.scrollIntoView({ block: "center" });
    };
    // A browser goes to the place that an address names until the page has loaded.
    if (first && arrived && place && document.readyState !== "complete") addEventListener("load", open, { once: true });
    else if (first && arrived) open();
  }

  // A formula is copied as its TeX: a browser would write each of its symbols on a line of its own.
  document.addEventListener("copy", (event) => {
    const selection = getSelection();
    if (selection.isCollapsed || selection.rangeCount === 0) return;
    const range = selection.getRangeAt(0).cloneRange();
    // A long formula stands in several elements, so that lines may break between them; the first has the source.
    const formulas = [...document.querySelectorAll("article math")];
    const at = (node) => formulas.indexOf((node.nodeType === Node.ELEMENT_NODE ? node : node.parentElement).closest("math"));
    let [first, last] = [at(range.startContainer), at(range.endContainer)];
    while (formulas[first]?.matches(".continued")) first -= 1;
    while (last >= 0 && formulas[last + 1]?.matches(".continued")) last += 1;
    if (first >= 0) range.setStartBefore(formulas[first]);
    if (last >= 0) range.setEndAfter(formulas[last]);
    const copied = document.createElement("div");
    copied.append(range.cloneContents());
    if (!copied.querySelector("math")) return;
    copied.querySelectorAll(".headerlink, .copy").forEach((part) => part.remove());
    event.clipboardData.setData("text/html", copied.innerHTML);
    for (const math of copied.querySelectorAll("math")) {
      const sign = math.getAttribute("display") === "block" ? "$$" : "$";
      math.replaceWith(math.dataset.tex ? sign + math.dataset.tex + sign : "");
    }
    // Only what is part of the page knows its lines.
    copied.style.cssText = "position: absolute; left: -999rem; width: 40rem";
    document.body.append(copied);
    event.clipboardData.setData("text/plain", copied.innerText);
    copied.remove();
    event.preventDefault();
  });

  // A box that scrolls must be reachable by keyboard; one that does not must not stop the reader.
  const boxes = document.querySelectorAll(".equation-body, .scrolls, article pre, .unrolled-figure > div");
  const reach = (box) => {
    if (box.scrollWidth > box.clientWidth + 1) {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", box.matches("pre") ? say("code.code_scrolls") : say("code.scrolls"));
    } else {
      for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
    }
  };
  // What is in a box may grow while the box does not, such as a table whose font arrives late.
  const all = new Set(boxes);
  const watch = new ResizeObserver((entries) => entries.forEach(({ target }) =>
    [target, target.parentElement].filter((one) => all.has(one)).forEach(reach)));
  boxes.forEach((box) => [box, ...box.children].forEach((el) => watch.observe(el)));
  document.fonts.ready.then(() => boxes.forEach(reach));

  // Copy a cell's code.
  const copied = async (text) => {
    if (navigator.clipboard) return navigator.clipboard.writeText(text);
    throw new Error("this page may not use the clipboard");
  };
  for (const pre of document.querySelectorAll(".cell_input pre, article > section div[class^='highlight-'] pre")) {
    if (pre.closest(".cell_output") || pre.parentElement.querySelector(".copy")) continue;
    const copy = document.createElement("button");
    copy.type = "button";
    copy.className = "copy";
    copy.textContent = say("code.copy");
    copy.setAttribute("aria-label", say("code.copy_label"));
    copy.addEventListener("click", async () => {
      try {
        await copied(pre.textContent);
        copy.textContent = say("code.copied");
      } catch {
        getSelection().selectAllChildren(pre);
        copy.textContent = say("code.selected");
      }
      setTimeout(() => (copy.textContent = say("code.copy")), 2000);
    });
    pre.parentElement.append(copy);
  }
})();
