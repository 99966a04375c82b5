// Keys of one letter, which a reader can switch off, and the list of them.
(() => {
  "use strict";
  const SETTING = "unrolled-keys";
  const dialog = /** @type {HTMLDialogElement} */ (document.getElementById("reader"));
  const setting = /** @type {HTMLInputElement} */ (document.getElementById("keys-on"));
  const open = () => !dialog.open && dialog.showModal();
  document.getElementById("reader-open").addEventListener("click", open);

  let isOn = true;
  try {
    isOn = localStorage.getItem(SETTING) !== "off";
  } catch {
    // A browser that keeps nothing has the keys on, on each page anew.
  }
  setting.checked = isOn;
  setting.addEventListener("change", () => {
    isOn = setting.checked;
    try {
      if (isOn) localStorage.removeItem(SETTING);
      else localStorage.setItem(SETTING, "off");
    } catch {
      // Off for this page at least.
    }
  });

  /** Go to the page that the head of this one names. @param {"next" | "prev"} name */
  const turn = (name) => {
    const link = /** @type {HTMLLinkElement} */ (document.querySelector(`link[rel="${name}"]`));
    if (link) location.assign(link.href);
  };
  const search = () => {
    const field = /** @type {HTMLInputElement} */ (document.querySelector(".search input[type='search']"));
    if (!field) return;
    // On a phone it stands among the contents.
    if (!field.checkVisibility()) /** @type {HTMLElement} */ (document.querySelector(".menu-open")).click();
    field.focus();
    field.select();
  };
  /** Go to the heading before or behind the upper edge of the text. @param {1 | -1} way */
  const step = (way) => {
    const headings = /** @type {HTMLElement[]} */ ([...document.querySelectorAll("article section[id] > :is(h1, h2, h3)")]);
    const edge = parseFloat(getComputedStyle(document.documentElement).scrollPaddingTop) || 0;
    const top = (heading) => heading.getBoundingClientRect().top - edge;
    const to = way > 0 ? headings.find((one) => top(one) > 40) : headings.findLast((one) => top(one) < -40);
    if (!to) return;
    to.tabIndex = -1;
    to.focus({ preventScroll: true });
    to.scrollIntoView({ block: "start" });
  };
  /** @type {Record<string, () => void>} */
  const keys = { "/": search, n: () => turn("next"), p: () => turn("prev"), j: () => step(1), k: () => step(-1), "?": open };

  // Where a letter is typed or means something already: fields, widgets, whatever else takes keys of its own.
  const TAKEN = "input:not([type=checkbox]), textarea, select, [contenteditable], dialog, iframe, .unrolled-widget, .unrolled-live, "
    + "[role=application], [role=grid], [role=slider], [role=listbox], [role=menu], [role=tablist], [role=textbox]";
  document.addEventListener("keydown", (event) => {
    if (!isOn || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const [target] = event.composedPath();
    if (target instanceof Element && target.closest(TAKEN)) return;
    if (dialog.open || document.documentElement.classList.contains("is-covered")) return;
    const act = Object.hasOwn(keys, event.key) ? keys[event.key] : null;
    if (!act) return;
    event.preventDefault();
    act();
  });
})();
