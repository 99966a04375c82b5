// Mounts widgets in a page that has no kernel: the built book, over http or from disk.
//
// The page holds, for every widget, what Python wrote (see Widget.static_html in ../base.py):
//
//   <div class="unrolled-widget" data-widget="attention-map">
//     <script type="application/json">{…its traits…}</script>
//     <div class="unrolled-fallback">…a table of the same numbers…</div>
//   </div>
//
// A widget's render({ model, el }) is the same function that anywidget calls in a live notebook. Here its model has
// a `page` beside its traits: see page.mjs.

import { button, h, isAsAsked, numberTable, uid } from "./dom.mjs";
import { isLink, leftBy, placeIn, readLink, written } from "./link.mjs";
import { shareRow } from "./share.mjs";
import { fingerprint, thisVisit } from "./visit.mjs";

/**
 * The part of anywidget's model that our widgets use, over a plain object.
 * @param {Record<string, any>} state @param {import("./page.mjs").PageSide} [page]
 */
export function staticModel(state, page) {
  /** @type {Map<string, Set<Function>>} */
  const listeners = new Map();
  return {
    page,
    get: (name) => state[name],
    set(name, value) {
      if (Object.is(state[name], value)) return;
      state[name] = value;
      for (const heard of [...(listeners.get(`change:${name}`) ?? [])]) heard();
    },
    on(event, callback) {
      if (!listeners.has(event)) listeners.set(event, new Set());
      listeners.get(event).add(callback);
    },
    off: (event, callback) => void listeners.get(event)?.delete(callback),
    save_changes() {},
    send() {},
  };
}

/**
 * A widget that stands: what it was made of, and how to take it away.
 * @typedef {{ render: Function, given: string, start: Record<string, any>, read: () => Left, remove: () => void,
 *   say: (...words: (string | Node)[]) => void }} Live
 * @typedef {import("./visit.mjs").Left} Left
 */

/** @type {WeakMap<Element, Live>} */
const live = new WeakMap();

/**
 * Mount one widget; what stands beneath stays if it fails.
 * @param {HTMLElement} place
 * @param {Record<string, Function>} renderers
 */
export function mount(place, renderers) {
  if (place.dataset.mounted) return;
  place.dataset.mounted = "true";
  try {
    const render = renderers[place.dataset.widget];
    if (!render) throw new Error(`no widget is called ${JSON.stringify(place.dataset.widget)}`);
    const given = place.querySelector('script[type="application/json"]').textContent;
    const left = thisVisit().left(place, given);
    if (!left || !tried(() => bring(place, render, given, left))) {
      live.get(place)?.remove();
      bring(place, render, given, null);
    }
  } catch (error) {
    place.dataset.mounted = "failed";
    console.error(`${place.dataset.widget}: ${/** @type {Error} */ (error).message}`, error);
  }
}

/** Whether something runs through, and all that hears of it. What a reader left behind may be of another edition of the page. */
function tried(/** @type {() => void} */ run) {
  let sound = true;
  const heard = (/** @type {Event} */ event) => {
    event.preventDefault();
    sound = false;
  };
  addEventListener("error", heard);
  try {
    run();
  } catch {
    sound = false;
  } finally {
    removeEventListener("error", heard);
  }
  return sound;
}

/**
 * Draw the widget as Python made it, or as its reader left it.
 * @param {HTMLElement} place @param {Function} render @param {string} given its traits as JSON
 * @param {Left | null} left
 */
function bring(place, render, given, left) {
  const fallback = /** @type {HTMLElement} */ (place.querySelector(".unrolled-fallback"));
  const el = document.createElement("div");
  el.className = "unrolled-live";
  const start = JSON.parse(given);
  const state = { ...start, ...left?.traits };
  let recall = () => ({});
  const table = tableBeneath(place, fallback);
  let quit;
  try {
    place.insertBefore(el, fallback);
    quit = render({ el, model: staticModel(state, {
      start,
      recalled: left?.recalled ?? {},
      beneath: fallback,
      remembers: (how) => void (recall = how),
      tables: table.make,
    }) });
  } catch (error) {
    el.remove();
    throw error;
  }
  // The fallback is kept for print; on the screen it waits behind a button: see widgets.css.
  place.classList.add("is-live");
  const control = table.offer(left?.open ?? false);
  place.classList.toggle("prints-itself", !control);
  const folds = () => [...el.querySelectorAll("details")];
  left?.folds.forEach((open, k) => folds()[k]?.toggleAttribute("open", open));
  const changed = () => Object.entries(state).filter(([name, value]) => value !== start[name]);
  const read = () => ({ traits: Object.fromEntries(changed()), recalled: recall(), open: table.isOpen(),
    folds: folds().map((fold) => fold.open) });
  const remove = () => {
    quit?.();
    el.remove();
    place.querySelector(":scope > .unrolled-row")?.remove();
    place.classList.remove("is-live", "shows-table", "prints-itself");
  };
  // A widget that is an outcome of another is shared with that one.
  const outer = isOutermost(place);
  const one = { render, given, start, read, remove, say() {} };
  live.set(place, one);
  const { row, say } = outer
    ? shareRow({ table: control, name: place.dataset.widget, el, link: () => linkTo(place), drawer: () => drawer(),
      tables: family(place).some((member) => member.querySelector(TABLES)) ? () => tablesOf(place) : null })
    : { row: h("div", { class: "unrolled-row" }, control), say() {} };
  place.insertBefore(row, fallback);
  one.say = say;
  thisVisit().keep(place, given, read);
}

const TABLES = /** @type {"table"} */ (":scope > .unrolled-fallback > table");
const isOutermost = (/** @type {Element} */ place) => !place.parentElement.closest(".unrolled-widget");

/** A widget and those within its outcome, in the order of the page. @param {Element} place */
const family = (place) => /** @type {HTMLElement[]} */ ([place, ...place.querySelectorAll(".unrolled-live .unrolled-widget")])
  .filter((one) => live.has(one));

/** The tables of what a widget shows. @param {Element} place @returns {HTMLTableElement[]} */
function tablesOf(place) {
  family(place).forEach((one) => writers.get(one)?.());
  return family(place).flatMap((one) => [...one.querySelectorAll(TABLES)]);
}

const outermost = () => /** @type {HTMLElement[]} */ ([...document.querySelectorAll(".unrolled-widget")])
  .filter((place) => live.has(place) && isOutermost(place));

/** The end of an address that leads to what a widget shows. @param {HTMLElement} place */
function linkTo(place) {
  const all = family(place).map((one) => live.get(one)).map(({ start, read }) => ({ start, left: read() }));
  return written(String(outermost().indexOf(place)), fingerprint(live.get(place).given), all);
}

/** Show what the page's address says of one of its widgets, or say that it says nothing. */
function follow() {
  if (!isLink(location.hash)) return;
  const link = readLink(location.hash);
  const all = outermost();
  all.forEach((one) => live.get(one).say());
  const fits = (/** @type {Element | undefined} */ place) => place && fingerprint(live.get(place).given) === link?.of;
  const meant = all[Number(placeIn(location.hash))];
  const found = fits(meant) ? meant : all.find(fits);
  const place = found ?? meant ?? all[0];
  if (!place) return;
  const was = live.get(place).read();
  const again = (/** @type {Element} */ one, /** @type {Left | null} */ left) => {
    const { render, given, remove } = live.get(one);
    remove();
    bring(/** @type {HTMLElement} */ (one), render, given, left);
  };
  const shown = found && link.told.every((told, k) => tried(() => {
    const one = family(found)[k];
    again(one, null);
    const { start, read } = live.get(one);
    again(one, leftBy(told, start, JSON.parse(JSON.stringify(read()))));
    writers.get(one)?.(); // a table that cannot be made is found now
    if (!isAsAsked(one)) throw new Error("expected what the controls can be set to");
  }));
  if (!shown) {
    if (found && !tried(() => again(place, was))) again(place, null);
    live.get(place).say("The link to a view is damaged, or of another edition of this page: it changes nothing here.");
  }
  place.scrollIntoView();
  place.querySelector(":scope > .unrolled-row > .u-said")?.scrollIntoView({ block: "nearest" });
}

/** @type {WeakMap<Element, () => void>} what writes the table beneath each widget */
const writers = new WeakMap();
const paper = matchMedia("print");
const writeAll = () => document.querySelectorAll(".unrolled-widget").forEach((place) => writers.get(place)?.());

/**
 * The table beneath a widget: on demand, on paper, and always of what the widget shows now.
 * @param {HTMLElement} place @param {HTMLElement} fallback
 */
function tableBeneath(place, fallback) {
  const isOpen = () => place.classList.contains("shows-table");
  /** @type {(() => (import("./page.mjs").Table | Node)[]) | null} what is not written yet */
  let waiting = null;
  function write() {
    if (!waiting) return;
    const made = waiting();
    waiting = null;
    fallback.replaceChildren(...made.map((one) => (one instanceof Node ? one : numberTable(one))));
  }
  writers.set(place, write);
  return {
    isOpen,
    make(/** @type {() => (import("./page.mjs").Table | Node)[]} */ how) {
      waiting = how;
      if (isOpen() || paper.matches) write();
    },
    /** A button that shows and hides it, where there is a table. */
    offer(/** @type {boolean} */ open) {
      if (!fallback.querySelector(":scope > table")) return null;
      fallback.id ||= uid("table");
      const control = button("", () => turn(!isOpen()));
      control.className = "unrolled-table-button";
      control.setAttribute("aria-controls", fallback.id);
      const turn = (/** @type {boolean} */ shown) => {
        if (shown) write();
        place.classList.toggle("shows-table", shown);
        control.setAttribute("aria-expanded", String(shown));
        control.textContent = shown ? "Hide the table" : "Show as a table";
      };
      turn(open);
      return control;
    },
  };
}

/** @typedef {{ picture: typeof import("./picture.mjs").picture, pixels: typeof import("./picture.mjs").pixels }} Pictures */

/** @type {() => Promise<Pictures>} what draws pictures, for whoever saves one */
let drawer = () => Promise.reject(new Error("it has nothing to draw with"));

/** What draws pictures: at hand, or in a script at this address. @param {Pictures | string} pictures */
function drawnBy(pictures) {
  if (typeof pictures !== "string") return async () => pictures;
  const src = new URL(pictures, /** @type {HTMLScriptElement} */ (document.currentScript).src).href;
  const load = () => new Promise((done, fail) => {
    const script = h("script", { src });
    script.addEventListener("load", () => done(globalThis.unrolledPicture));
    script.addEventListener("error", () => fail(new Error("what draws pictures did not load")));
    document.head.append(script);
  });
  return async () => globalThis.unrolledPicture ?? load();
}

/**
 * Mount every widget of the page, and those a widget adds later: it says so by the event "unrolled:added".
 * @param {Record<string, Function>} renderers @param {Pictures | string} pictures what draws them, or where that is
 */
export function start(renderers, pictures) {
  drawer = drawnBy(pictures);
  const all = () => /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll(".unrolled-widget"))
    .forEach((place) => mount(place, renderers));
  document.addEventListener("unrolled:added", all);
  // Emulated paper sends the first, a printer the second.
  paper.addEventListener("change", writeAll);
  addEventListener("beforeprint", writeAll);
  const begin = () => {
    all();
    if (!thisVisit().isOld) follow(); // what the reader made of a link's view comes back by itself
  };
  addEventListener("hashchange", follow);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", begin);
  else begin();
}
