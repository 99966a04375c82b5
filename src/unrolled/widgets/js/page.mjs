// What a page adds to a widget: it comes back as the reader left it, and the table beneath says what it shows now.
// In a notebook there is no such page; the widget asks the same and nothing happens.

/**
 * @typedef {{ caption: string, columns: string[], rows: any[][], digits?: number, full?: number }} Table
 *   as table_html in ../base.py takes it
 * @typedef {{
 *   start: Record<string, any>,
 *   recalled: Record<string, any>,
 *   beneath: HTMLElement | null,
 *   remembers: (read: () => Record<string, any>) => void,
 *   tables: (make: () => (Table | Node)[]) => void,
 * }} PageSide
 *   start: the traits as Python gave them, whatever the reader made of them; recalled: what `remembers` read when the reader left this page, empty at first; beneath: what Python laid down
 *   beneath the widget; remembers: hands over how to read all that is no trait and that the reader can
 *   change; tables: hands over how to make the tables of what is shown now, after each change
 */

/** @type {Omit<PageSide, "start">} */
const NOTEBOOK = { recalled: {}, beneath: null, remembers() {}, tables() {} };

/** @param {any} model @returns {Omit<PageSide, "start">} */
export const pageOf = (model) => model.page ?? NOTEBOOK;

/** A trait as it was at first: what Reset goes back to. @param {any} model @param {string} name */
export const startOf = (model, name) => (model.page ? model.page.start[name] : model.get(name));

/**
 * The table of one map, as in ../attention_map.py.
 * @param {string} about @param {{ tokens: string[], keys: string[], map: number[][], full: number }} shown
 */
export const mapTable = (about, { tokens, keys, map, full }) => ({
  caption: `${about}. Each row: how much its token attends to the token of each column.`,
  columns: keys,
  rows: map.map((row, i) => [row.some((w) => w > 0) ? tokens[i] : `${tokens[i]} (attends to nothing)`, row]),
  full,
});
