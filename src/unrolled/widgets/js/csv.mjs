// Tables as comma-separated values (RFC 4180), as they are shown and, where a script made them, as exact as it knows.

import { exact } from "./dom.mjs";

const NUMBER = /^[-+]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d+)?%?$/i;

/**
 * One cell. A spreadsheet computes what begins with such a sign, whoever wrote it: only numbers may.
 * @param {string} text
 */
export function field(text) {
  const plain = text.replace(/^\u2212/, "-");
  const safe = NUMBER.test(plain) ? plain : /^[\s\0]*[-=+@\uff0b\uff0d\uff1d\uff20\t\r]/.test(text) ? `'${text}` : text;
  return /[",\r\n]|^\s|\s$/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

/** @param {HTMLTableElement} table @param {(cell: HTMLTableCellElement) => string} read @param {string} note */
const lines = (table, read, note) => [
  ...(table.caption ? [[table.caption.textContent.replace(/\s+/g, " ").trim() + note]] : []),
  ...[...table.rows].map((row) => [...row.cells].flatMap((cell) => [read(cell), ...Array(cell.colSpan - 1).fill("")])),
];
const shown = (/** @type {Element} */ cell) => cell.textContent.replace(/\s+/g, " ").trim();
const known = (/** @type {Element} */ cell) => String(exact.get(cell) ?? shown(cell));

/**
 * All tables, one below the other, with as many fields in every line. With a mark in front, which tells a spreadsheet
 * that this is UTF-8.
 * @param {HTMLTableElement[]} tables
 */
export function csv(tables) {
  const all = tables.flatMap((table, k) => [
    ...(k ? [[""]] : []),
    ...lines(table, shown, ""),
    ...([...table.querySelectorAll("td")].some((cell) => exact.has(cell)) ? [[""], ...lines(table, known, " (all digits)")] : []),
  ]);
  const width = Math.max(...all.map((line) => line.length));
  return `\ufeff${all.map((line) => `${[...line, ...Array(width - line.length).fill("")].map(field).join(",")}\r\n`).join("")}`;
}
