// Slides: one at a time, enlarged to the window, each fitted to its stage. Without this script, and on a phone, they
// stand one below the other.
(() => {
  "use strict";
  const root = document.documentElement;
  const deck = document.getElementById("deck");
  const slides = /** @type {HTMLElement[]} */ ([...deck.querySelectorAll(".slide")]);
  const stage = { width: 960, height: 540 };
  // A phone reads them as a page.
  const narrow = matchMedia("(max-width: 40em)");
  // The size, of that on the page, below which it scrolls instead.
  const smallest = 0.45;
  // How wide a widget is laid out before it is zoomed to the room, in pixels.
  const widths = [560, 640, 720, 860, 1020, 1220, 1400];
  // How wide it is where its parts stand in two columns.
  const leastForColumns = 900;
  let at = 0;

  const isOverview = () => root.classList.contains("overview");
  const bar = (/** @type {string} */ goes) => /** @type {HTMLButtonElement} */ (document.querySelector(`[data-goes="${goes}"]`));

  /** Whether all of a slide is seen. @param {HTMLElement} slide */
  function isSeen(slide) {
    const room = slide.querySelector(".room");
    const boxes = [room, ...room.querySelectorAll("pre, .scrolls, .equation-body, .unrolled-figure > div")];
    const isBesideItsNumber = (/** @type {Element} */ equation) => {
      const [body, number] = /** @type {NodeListOf<HTMLElement>} */ (equation.querySelectorAll(".equation-body, .eqno"));
      return !number || number.offsetTop + number.offsetHeight / 2 < body.offsetTop + body.offsetHeight;
    };
    return boxes.every((box) => box.scrollWidth <= box.clientWidth + 1) && room.scrollHeight <= room.clientHeight + 1
      && [...room.querySelectorAll(".equation")].every(isBesideItsNumber);
  }

  /** Make what stands on a slide as large as it may be to be seen whole, down to a size that can still be read. @param {HTMLElement} slide */
  function fit(slide) {
    const content = /** @type {HTMLElement} */ (slide.querySelector(".fit"));
    if (!content || narrow.matches) return;
    if (slide.matches(".of-figure")) setBeside(slide);
    if (slide.matches(".of-widget")) spread(slide, content);
    else shrink(slide, content);
    reach(slide);
  }

  /** Put a picture beside the words of its slide where it is larger so. @param {HTMLElement} slide */
  function setBeside(slide) {
    const picture = /** @type {SVGSVGElement | HTMLImageElement} */ (slide.querySelector(".fit :is(svg, img)"));
    if (!picture) return;
    const box = picture instanceof SVGSVGElement ? picture.viewBox.baseVal : { width: picture.naturalWidth, height: picture.naturalHeight };
    slide.classList.remove("is-beside");
    const size = () => {
      const room = slide.querySelector(".room");
      return Math.min(room.clientWidth / box.width, room.clientHeight / box.height);
    };
    const below = size();
    slide.classList.add("is-beside");
    if (size() < 1.1 * below) slide.classList.remove("is-beside");
  }

  /** Write it smaller until all of it is seen. @param {HTMLElement} slide @param {HTMLElement} content */
  function shrink(slide, content) {
    const tried = (/** @type {number} */ zoom) => {
      content.style.zoom = String(zoom);
      return isSeen(slide);
    };
    // A picture takes the room there is; whatever is written is written larger.
    const largest = slide.matches(".of-equation, .of-formula") ? 2 : slide.matches(".of-code, .of-output") ? 1.4 : slide.matches(".of-figure") ? 1 : 1.2;
    if (tried(largest)) return;
    let [small, large] = [smallest, largest];
    for (let n = 0; n < 6; n++) {
      const middle = (small + large) / 2;
      if (tried(middle)) small = middle;
      else large = middle;
    }
    content.style.zoom = String(small);
  }

  /** Give a widget the width, and its parts the columns, in which it is seen largest. @param {HTMLElement} slide @param {HTMLElement} content */
  function spread(slide, content) {
    const room = slide.querySelector(".room");
    room.classList.add("is-measured");
    content.style.zoom = "1";
    slide.classList.remove("is-beside");
    const below = { width: room.clientWidth, height: room.clientHeight };
    slide.classList.add("is-beside");
    const beside = { width: room.clientWidth, height: room.clientHeight };
    let best = { score: 0, zoom: 1, width: widths[0], inColumns: false, isBeside: false };
    for (const inColumns of [false, true]) {
      for (const width of widths) {
        if (inColumns && width < leastForColumns) continue;
        content.style.width = `${width}px`;
        if (setColumns(content, inColumns) !== inColumns) continue;
        // What scrolls aside within it is not seen whole, which is worth something smaller.
        const worth = isCut(content) ? 0.8 : 1;
        for (const isBeside of [false, true]) {
          const given = isBeside ? beside : below;
          const zoom = Math.min(given.width / width, given.height / (content.offsetHeight + 1), 1.6);
          if (worth * zoom > best.score * 1.03) best = { score: worth * zoom, zoom, width, inColumns, isBeside };
        }
      }
    }
    slide.classList.toggle("is-beside", best.isBeside);
    content.style.width = `${best.width}px`;
    setColumns(content, best.inColumns);
    let zoom = 0.99 * best.zoom;
    content.style.zoom = String(Math.max(zoom, smallest));
    // Sizes are rounded at each zoom, and lines break elsewhere.
    while (room.scrollHeight > room.clientHeight + 1 && zoom > smallest) {
      zoom *= 0.98;
      content.style.zoom = String(Math.max(zoom, smallest));
    }
    room.classList.remove("is-measured");
  }

  /** Whether anything scrolls aside; what is there for a screen reader alone is a pixel wide. @param {HTMLElement} content */
  function isCut(content) {
    const boxes = [content, ...content.querySelectorAll(".unrolled-figure > div, .unrolled *")];
    return boxes.some((box) => box.scrollWidth > box.clientWidth + 1 && box.clientWidth > 4 && getComputedStyle(box).overflowX !== "visible");
  }

  /** Set the parts of the widgets that stand one below the other in columns, or not; say which. @param {HTMLElement} content @param {boolean} on */
  function setColumns(content, on) {
    let done = false;
    for (const widget of content.querySelectorAll(".unrolled")) {
      const [main] = /** @type {HTMLElement[]} */ ([...widget.children]).sort((one, other) => other.clientHeight - one.clientHeight);
      main.classList.remove("in-columns");
      const parts = /** @type {HTMLElement[]} */ ([...main.children]).filter((part) => part.offsetHeight > 0);
      for (const part of parts) part.classList.remove("may-break");
      if (!on || parts.length < 3 || parts.some((part, n) => n > 0 && part.offsetTop < parts[n - 1].offsetTop + parts[n - 1].offsetHeight)) continue;
      for (const part of parts) part.classList.toggle("may-break", part.offsetHeight > 0.5 * main.offsetHeight);
      main.classList.add("in-columns");
      done = true;
    }
    return done;
  }

  /** A box that scrolls can be reached by keyboard. @param {HTMLElement} slide */
  function reach(slide) {
    for (const box of slide.querySelectorAll(".room, pre, .scrolls, .equation-body")) {
      const scrolls = box.scrollWidth > box.clientWidth + 1 || box.scrollHeight > box.clientHeight + 1;
      if (scrolls) {
        box.setAttribute("tabindex", "0");
        box.setAttribute("role", "group");
        box.setAttribute("aria-label", say("slides.scrolls"));
      } else {
        for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
      }
    }
  }

  /** Enlarge the stage to the window. */
  function enlarge() {
    const scale = Math.min(innerWidth / stage.width, innerHeight / stage.height);
    deck.style.zoom = isOverview() || narrow.matches ? "" : String(scale);
    // The deck is laid out within its zoom, and still fills the window.
    deck.style.height = isOverview() || narrow.matches ? "" : `${innerHeight / scale}px`;
    deck.style.width = isOverview() || narrow.matches ? "" : `${innerWidth / scale}px`;
  }

  /** Show the slide with this number; `arrived` says that nobody has gone there. */
  function show(/** @type {number} */ number, arrived = false) {
    at = Math.min(Math.max(number, 0), slides.length - 1);
    slides.forEach((slide, n) => slide.classList.toggle("is-shown", n === at));
    const place = document.querySelector(".place");
    if (place) place.textContent = `${at + 1} / ${slides.length}`;
    bar("back")?.toggleAttribute("disabled", at === 0);
    bar("on")?.toggleAttribute("disabled", at === slides.length - 1);
    if (arrived) return fit(slides[at]);
    // The widgets keep the name of the visit there.
    history.replaceState(history.state, "", `#${slides[at].id}`);
    if (isOverview()) return focusPick();
    fit(slides[at]);
    slides[at].focus({ preventScroll: true });
  }

  const pick = () => /** @type {HTMLElement} */ (slides[at].querySelector(":scope > .pick"));
  const focusPick = () => {
    pick().focus();
    slides[at].scrollIntoView({ block: "nearest" });
  };

  /** Show all slides, or the one that was chosen. */
  function overview(/** @type {boolean} */ on) {
    root.classList.toggle("overview", on);
    bar("overview")?.setAttribute("aria-pressed", String(on));
    for (const slide of slides) {
      for (const part of slide.children) part.toggleAttribute("inert", on && !part.matches(".pick"));
    }
    enlarge();
    if (on) slides.forEach(fit);
    show(at);
  }

  /** How many slides stand in a row of the overview. */
  const columns = () => slides.filter((slide) => slide.offsetTop === slides[0].offsetTop).length;

  const goes = { back: () => show(at - 1), on: () => show(at + 1), overview: () => overview(!isOverview()) };
  document.querySelectorAll("[data-goes]").forEach((button) => button.addEventListener("click", () => {
    goes[/** @type {HTMLElement} */ (button).dataset.goes]();
  }));

  // What a key does where it means nothing else: in a widget, a field or a fold it is theirs. Page up and page down,
  // which a presenter's remote sends, turn slides everywhere.
  const keys = {
    ArrowRight: () => show(at + 1), ArrowLeft: () => show(at - 1), Home: () => show(0), End: () => show(slides.length - 1),
    ArrowDown: () => show(at + (isOverview() ? columns() : 1)), ArrowUp: () => show(at - (isOverview() ? columns() : 1)),
    " ": () => show(at + 1),
  };
  const turns = { PageDown: () => show(at + 1), PageUp: () => show(at - 1) };
  document.addEventListener("keydown", (event) => {
    if (!Object.hasOwn(turns, event.key) || narrow.matches) return;
    event.preventDefault();
    event.stopPropagation();
    turns[event.key]();
  }, true);
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || narrow.matches) return;
    const on = /** @type {Element} */ (event.target);
    const within = on.closest(".unrolled-widget, [role='group'][tabindex]");
    if (event.key === "Escape") {
      if (within) slides[at].focus();
      else overview(!isOverview());
      event.preventDefault();
      return;
    }
    if (within || on.closest("input, select, textarea")) return;
    if (event.key === " " && on.closest("button, a, summary")) return;
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  });

  slides.forEach((slide, n) => {
    slide.tabIndex = -1;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "pick";
    button.textContent = say("slides.slide", { number: n + 1, title: slide.querySelector("h1, h2").textContent });
    button.addEventListener("click", () => {
      at = n;
      overview(false);
    });
    slide.append(button);
  });

  // A widget takes its size once it is seen, and a fold opens: the slide is fitted again until somebody takes hold of it.
  const held = new WeakSet();
  for (const name of ["pointerdown", "keydown"]) {
    deck.addEventListener(name, (event) => {
      const widget = /** @type {Element} */ (event.target).closest(".unrolled-widget");
      if (widget) held.add(widget.closest(".slide"));
    }, true);
  }
  const watch = new ResizeObserver(() => {
    const slide = slides[at];
    if (!isOverview() && !held.has(slide) && slide.querySelector(".fit") && !isSeen(slide)) fit(slide);
  });
  document.querySelectorAll(".fit > *").forEach((part) => watch.observe(part));

  // Colours: as the system, light, dark; the pages of the book remember the same.
  const order = ["auto", "light", "dark"];
  const spoken = { auto: say("colours.auto"), light: say("colours.light"), dark: say("colours.dark") };
  const button = /** @type {HTMLElement} */ (document.querySelector(".theme-switch"));
  const name = () => {
    const chosen = root.dataset.theme ?? "auto";
    button.dataset.theme = chosen;
    button.title = button.querySelector(".theme-name").textContent = say("colours.chosen", { colours: spoken[chosen] });
  };
  button.addEventListener("click", () => {
    const next = order[(order.indexOf(root.dataset.theme ?? "auto") + 1) % order.length];
    if (next === "auto") delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      localStorage.setItem("unrolled-theme", next);
    } catch {
      // A browser that keeps nothing still switches these.
    }
    name();
  });
  name();

  const sought = () => Math.max(0, slides.findIndex((slide) => `#${slide.id}` === decodeURIComponent(location.hash)));
  addEventListener("hashchange", () => show(sought(), true));
  addEventListener("resize", () => {
    enlarge();
    fit(slides[at]);
  });
  // On paper all slides are seen, in the size of the stage.
  addEventListener("beforeprint", () => {
    root.classList.remove("overview");
    slides.forEach((slide) => slide.classList.add("is-shown"));
    slides.forEach(fit);
  });
  addEventListener("afterprint", () => show(at, true));
  enlarge();
  // Widgets are mounted when the page is complete.
  const begin = () => show(sought(), true);
  begin();
  document.fonts.ready.then(begin);
})();
