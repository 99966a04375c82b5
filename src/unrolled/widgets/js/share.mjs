// The row under a widget: its table, a link to what it shows, its picture, its numbers. The page's host lays it.

import { csv } from "./csv.mjs";
import { button, h } from "./dom.mjs";
import { LONGEST } from "./link.mjs";

/** Hand the reader a file. @param {string} name @param {BlobPart} content @param {string} type */
function save(name, content, type) {
  const href = URL.createObjectURL(new Blob([content], { type }));
  h("a", { href, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(href), 60_000);
}

/**
 * @param {{
 *   table: HTMLElement | null, name: string, link: () => string, el: HTMLElement,
 *   drawer: () => Promise<import("./host.mjs").Pictures>, tables: (() => HTMLTableElement[]) | null,
 * }} parts the table's own button; the files' name; what makes the address' end; the widget; what draws its picture;
 *   what writes its tables
 */
export function shareRow({ table, name, link, el, drawer, tables }) {
  const say = (/** @type {(string | Node)[]} */ ...words) => {
    row.querySelector(".u-said")?.remove();
    if (words.length > 0) row.append(h("span", { class: "u-said", role: "alert" }, ...words));
  };
  const act = (/** @type {string} */ label, /** @type {string | null} */ whole, /** @type {() => any} */ does) => {
    const one = button(label, async () => {
      say();
      try {
        await does();
      } catch (error) {
        say(`This browser cannot do that: ${/** @type {Error} */ (error).message}`);
      }
    });
    one.className = "unrolled-table-button";
    if (whole) one.setAttribute("aria-label", whole);
    return one;
  };
  const copy = act("Copy link", null, async () => {
    const address = location.href.split(/[?#]/)[0] + link();
    if (address.length > LONGEST) return say("This view holds too much for a link.");
    try {
      await navigator.clipboard.writeText(address);
      say(h("span", { class: "u-hidden" }, "Link copied"));
      copy.textContent = "Link copied";
      setTimeout(() => (copy.textContent = "Copy link"), 2000);
    } catch {
      // A page may be kept from the clipboard; its reader is not.
      const field = h("input", { type: "text", readonly: true, "aria-label": "Link to this view", value: address });
      say(field);
      field.select();
    }
  });
  const drawn = () => /** @type {HTMLElement} */ (el.querySelector(".unrolled"));
  const row = h("div", { class: "unrolled-row" }, table, copy,
    h("span", { role: "group", "aria-label": "Save" }, h("span", { "aria-hidden": true }, "Save"),
      act("SVG", "Save as SVG", async () => save(`${name}.svg`, (await drawer()).picture(drawn()).text, "image/svg+xml")),
      act("PNG", "Save as PNG", async () => save(`${name}.png`, await (await drawer()).pixels(drawn()), "image/png")),
      tables && act("CSV", "Save as CSV", () => save(`${name}.csv`, csv(tables()), "text/csv"))));
  return { row, say };
}
