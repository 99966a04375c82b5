// Marks the section that is being read in the lists of sections, and remembers where the reader is and what is solved:
// in this browser alone, and only what the reader does. Without storage, or switched off, the page is as it was.
(() => {
  "use strict";
  const root = document.documentElement;
  const here = root.dataset.page;
  const PLACES = "unrolled-reading";
  const SETTING = "unrolled-memory";

  /** @typedef {{ title?: string, section?: string, heading?: string, done?: string[], of?: number }} Page */
  /** @typedef {{ last: string, pages: Record<string, Page> }} Known */

  /** Ask the browser's storage, which may be locked or full. @template T @param {() => T} ask @returns {T | null} */
  const stored = (ask) => {
    try {
      return ask();
    } catch {
      return null;
    }
  };
  const keeps = stored(() => {
    localStorage.setItem(`${PLACES}-try`, "1");
    localStorage.removeItem(`${PLACES}-try`);
    return true;
  });
  const isOn = () => keeps === true && stored(() => localStorage.getItem(SETTING)) !== "off";

  /** What is remembered; what somebody else wrote there is none of it. @returns {Known} */
  const known = () => {
    const found = stored(() => JSON.parse(localStorage.getItem(PLACES)));
    const isOurs = found && typeof found.last === "string" && found.pages && typeof found.pages === "object";
    return isOurs ? found : { last: "", pages: {} };
  };
  const doneOf = (page) => (Array.isArray(page?.done) ? page.done : []);
  /** @param {(known: Known) => void} edit */
  const change = (edit) => {
    if (!isOn()) return;
    const all = known();
    edit(all);
    stored(() => localStorage.setItem(PLACES, JSON.stringify(all)));
  };

  // The section that is read: the last whose heading has come up to the upper third of the screen.
  const links = /** @type {HTMLAnchorElement[]} */ ([...document.querySelectorAll(".on-this-page a, .sections a")]);
  const idOf = (link) => decodeURIComponent(link.hash.slice(1));
  const sections = [...new Set(links.map(idOf))].map((id) => document.getElementById(id)).filter((section) => section);
  const side = /** @type {HTMLElement} */ (document.querySelector(".on-this-page"));
  const isChapter = document.querySelector(".chapter-facts") !== null;
  const plain = (/** @type {Element} */ el) => {
    const copy = /** @type {Element} */ (el.cloneNode(true));
    copy.querySelectorAll(".headerlink, .solved, .tick").forEach((part) => part.remove());
    return copy.textContent.trim();
  };
  let current = "";
  const look = () => {
    const isAtEnd = scrollY > 0 && scrollY + innerHeight >= root.scrollHeight - 2;
    const line = Math.max(innerHeight / 3, 160);
    const read = isAtEnd ? sections.at(-1) : sections.findLast((one) => one.getBoundingClientRect().top <= line);
    if ((read?.id ?? "") === current) return;
    current = read?.id ?? "";
    for (const link of links) {
      if (current !== "" && idOf(link) === current) link.setAttribute("aria-current", "location");
      else link.removeAttribute("aria-current");
    }
    const marked = /** @type {HTMLElement} */ (side?.querySelector("[aria-current]"));
    if (marked && side.scrollHeight > side.clientHeight) side.scrollTop = marked.offsetTop - side.clientHeight / 2;
    if (!isChapter || current === "" || scrollY === 0) return;
    const heading = links.find((link) => idOf(link) === current).textContent.trim();
    change((all) => {
      all.last = here;
      all.pages[here] = { ...all.pages[here], title: plain(document.querySelector("h1")), section: current, heading, of: tasks.size };
    });
  };

  // What can be solved: exercises, which the reader ticks, and questions, which tick themselves.
  /** @type {Map<string, (isDone: boolean) => void>} */
  const tasks = new Map();
  const solve = (id, isDone) => {
    change((all) => {
      const page = all.pages[here] ?? {};
      const others = doneOf(page).filter((one) => one !== id);
      all.pages[here] = { ...page, done: isDone ? [...others, id] : others, of: tasks.size };
    });
    show();
  };
  for (const exercise of document.querySelectorAll("article .exercise.admonition[id]")) {
    const title = exercise.querySelector(".admonition-title");
    const box = document.createElement("input");
    box.type = "checkbox";
    box.autocomplete = "off";
    box.setAttribute("aria-label", say("solved.label", { exercise: plain(title) }));
    box.addEventListener("change", () => solve(exercise.id, box.checked));
    const label = document.createElement("label");
    label.className = "solved";
    label.append(box, ` ${say("solved.box")}`);
    title.prepend(label);
    tasks.set(exercise.id, (isDone) => (box.checked = isDone));
  }
  for (const quiz of document.querySelectorAll("article .quiz[id]")) {
    const tick = document.createElement("span");
    tick.className = "tick";
    tick.textContent = `✓ ${say("solved.answered")}`;
    quiz.querySelector(".box-title").append(" ", tick);
    for (const choice of /** @type {NodeListOf<HTMLDetailsElement>} */ (quiz.querySelectorAll("details:has(> .right)")))
      choice.addEventListener("toggle", () => choice.open && solve(quiz.id, true));
    tasks.set(quiz.id, (isDone) => (tick.hidden = !isDone));
  }

  // How much of each chapter is solved, in the contents of the book.
  const base = new URL(root.dataset.content_root || "./", location.href.split(/[?#]/)[0]).href;
  /** The page that a link of the contents leads to. @param {HTMLAnchorElement} link */
  const pageOf = (link) => {
    if (link.getAttribute("href").startsWith("#")) return here;
    return decodeURIComponent(link.href.replace(/[?#].*$/, "").slice(base.length).replace(/\.html$/, ""));
  };
  const entries = /** @type {HTMLAnchorElement[]} */ ([...document.querySelectorAll(".toctree a")]);
  const place = document.getElementById("was-here");
  function show() {
    const { last, pages } = isOn() ? known() : { last: "", pages: {} };
    root.classList.toggle("remembers", isOn());
    const done = new Set(doneOf(pages[here]));
    for (const [id, mark] of tasks) mark(done.has(id));
    for (const entry of entries) {
      entry.querySelector(".tick")?.remove();
      const page = Object.hasOwn(pages, pageOf(entry)) ? pages[pageOf(entry)] : null;
      const [count, of] = [doneOf(page).length, Number(page?.of)];
      if (count === 0 || !(of > 0)) continue;
      const tick = entry.appendChild(document.createElement("span"));
      tick.className = "tick";
      const spoken = document.createElement("span");
      spoken.className = "visually-hidden";
      spoken.textContent = ` ${count >= of ? say("solved.all") : say("solved.some")}`;
      tick.append(count >= of ? "✓" : `${count}/${of}`, spoken);
    }
    if (!place) return;
    const was = Object.hasOwn(pages, last) && /^[\w/-]+$/.test(last) ? pages[last] : null;
    place.hidden = !was?.title;
    if (place.hidden) return;
    const link = place.querySelector("a");
    link.textContent = String(was.title);
    link.href = `${base}${last}.html${was.section ? `#${encodeURIComponent(was.section)}` : ""}`;
    place.querySelector("i").textContent = String(was.heading ?? "");
    /** @type {HTMLElement} */ (place.querySelector(".was-at")).hidden = !was.heading;
    /** @type {HTMLElement} */ (place.querySelector(".was-done")).hidden = doneOf(was).length === 0;
    place.querySelector("b").textContent = say("was_here.solved_of", { count: doneOf(was).length, all: Number(was.of) });
  }
  place?.querySelector("button").addEventListener("click", () => {
    change((all) => (all.last = ""));
    show();
    document.getElementById("main").focus({ preventScroll: true });
  });

  // What the reader decides of it.
  const setting = /** @type {HTMLInputElement} */ (document.getElementById("memory-on"));
  const clear = /** @type {HTMLButtonElement} */ (document.getElementById("memory-clear"));
  const said = document.getElementById("memory-said");
  setting.checked = isOn();
  if (!keeps) {
    setting.disabled = clear.disabled = true;
    said.textContent = say("memory.keeps_nothing");
  }
  setting.addEventListener("change", () => {
    stored(() => (setting.checked ? localStorage.removeItem(SETTING) : localStorage.setItem(SETTING, "off")));
    show();
  });
  clear.addEventListener("click", () => {
    stored(() => localStorage.removeItem(PLACES));
    said.textContent = say("memory.forgotten");
    show();
  });

  let isWaiting = false;
  const soon = () => {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => {
      isWaiting = false;
      look();
    });
  };
  for (const event of ["scroll", "resize", "hashchange"]) addEventListener(event, soon, { passive: true });
  // From the Back button a page comes as it was left, and another may have been read since.
  addEventListener("pageshow", (event) => event.persisted && show());
  show();
  look();
})();
