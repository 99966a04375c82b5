// Mounts widgets in a page that has no kernel: the built book, over http or from disk.
//
// The page holds, for every widget, what Python wrote (see Widget.static_html in ../base.py):
//
//   <div class="unrolled-widget" data-widget="attention-map">
//     <script type="application/json">{…its traits…}</script>
//     <div class="unrolled-fallback">…a table of the same numbers…</div>
//   </div>
//
// A widget's render({ model, el }) is the same function that anywidget calls in a live notebook.

import { button, uid } from "./dom.mjs";

/**
 * The part of anywidget's model that our widgets use, over a plain object.
 * @param {Record<string, any>} state
 */
export function staticModel(state) {
  /** @type {Map<string, Set<Function>>} */
  const listeners = new Map();
  return {
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
 * Mount one widget; what stands beneath stays if it fails.
 * @param {HTMLElement} place
 * @param {Record<string, Function>} renderers
 */
export function mount(place, renderers) {
  if (place.dataset.mounted) return;
  place.dataset.mounted = "true";
  const render = renderers[place.dataset.widget];
  const fallback = place.querySelector(".unrolled-fallback");
  const el = document.createElement("div");
  el.className = "unrolled-live";
  try {
    if (!render) throw new Error(`no widget is called ${JSON.stringify(place.dataset.widget)}`);
    const state = JSON.parse(place.querySelector('script[type="application/json"]').textContent);
    place.insertBefore(el, fallback);
    render({ model: staticModel(state), el });
    // The fallback is kept for print; on the screen it waits behind a button: see widgets.css.
    place.classList.add("is-live");
    if (fallback.querySelector(":scope > table")) place.insertBefore(tableButton(place, fallback), fallback);
  } catch (error) {
    el.remove();
    place.dataset.mounted = "failed";
    console.error(`${place.dataset.widget}: ${error.message}`, error);
  }
}

/** @param {HTMLElement} place @param {HTMLElement} fallback what the button shows and hides */
function tableButton(place, fallback) {
  fallback.id ||= uid("table");
  const name = () => (place.classList.contains("shows-table") ? "Hide the table" : "Show as a table");
  const control = button(name(), () => {
    const shown = place.classList.toggle("shows-table");
    control.setAttribute("aria-expanded", String(shown));
    control.textContent = name();
  });
  control.className = "unrolled-table-button";
  control.setAttribute("aria-expanded", "false");
  control.setAttribute("aria-controls", fallback.id);
  return control;
}

/**
 * Mount every widget of the page, and those a widget adds later: it says so by the event "unrolled:added".
 * @param {Record<string, Function>} renderers
 */
export function start(renderers) {
  const all = () => document.querySelectorAll(".unrolled-widget").forEach((place) => mount(place, renderers));
  document.addEventListener("unrolled:added", all);
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", all);
  else all();
}
