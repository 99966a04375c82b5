// A link to what a widget shows: "#view=1.2.1x9k3f.eyJ0Ijp7…In0.k2j4h1" behind the page's address. After the version
// stand the widget's place on the page, what tells its first state from another's, what was changed, and a sum over all.

import { fingerprint } from "./visit.mjs";

/** @typedef {import("./visit.mjs").Left} Left */
/** @typedef {{ of: number, left: Left }} Kept */

const BEGINS = "#view=";
const VERSION = "1";
/** Longer addresses are cut by what they are sent with. */
export const LONGEST = 8000;

const isList = Array.isArray;
const isNames = (/** @type {any} */ x) => typeof x === "object" && x !== null && !isList(x);

/**
 * How to make b of a, both as JSON: an object goes into what has the same places, a list of one holds what is new.
 * @returns {any} undefined where nothing is
 */
export function difference(a, b) {
  if (JSON.stringify(a) === JSON.stringify(b)) return undefined;
  const lists = isList(a) && isList(b) && a.length === b.length;
  const names = isNames(a) && isNames(b) && String(Object.keys(a)) === String(Object.keys(b));
  if (!lists && !names) return [b];
  return Object.fromEntries(Object.keys(a).flatMap((key) => {
    const one = difference(a[key], b[key]);
    return one === undefined ? [] : [[key, one]];
  }));
}

/** What `difference` told of. @throws where it was told of something else */
export function changed(a, how) {
  if (isList(how)) return how[0];
  const made = isList(a) ? [...a] : { ...a };
  for (const [key, one] of Object.entries(how)) {
    if (!Object.hasOwn(made, key) || (isList(made) && key === "length")) throw new Error(`expected a place of the state, got ${key}`);
    made[key] = changed(made[key], one);
  }
  return made;
}

/** Whether a value is of the kind of another, which is one of its own; of null and of lists without anything, all are. */
export function alike(own, value) {
  if (typeof value === "number" && !(Math.abs(value) <= 1e9)) return false;
  if (own === null || own === undefined) {
    return value === null || typeof value !== "object" || Object.values(value).every((one) => alike(null, one));
  }
  if (isList(own)) {
    return isList(value) && value.every((one, k) => alike(own.length === value.length ? own[k] : own[0], one));
  }
  if (!isNames(own)) return typeof own === typeof value;
  return isNames(value) && String(Object.keys(own).sort()) === String(Object.keys(value).sort())
    && Object.keys(own).every((key) => alike(own[key], value[key]));
}

/**
 * A link's end, of a widget and the widgets within its outcome.
 * @param {string} at @param {number} of
 * @param {{ start: Record<string, any>, left: Left }[]} all itself first
 */
export function written(at, of, all) {
  const told = all.map(({ start, left: { traits, recalled, open, folds } }) => [
    Object.fromEntries(Object.entries(traits).map(([name, value]) => [name, difference(start[name], value)])
      .filter(([, how]) => how !== undefined)),
    recalled, Number(open), folds.map(Number)]);
  const bytes = new TextEncoder().encode(JSON.stringify(told));
  const plain = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  const body = [VERSION, at, of.toString(36), plain.replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "")].join(".");
  return `${BEGINS}${body}.${fingerprint(body).toString(36)}`;
}

/** Whether an address ends in a link to a view, whole or not. @param {string} hash */
export const isLink = (hash) => hash.startsWith(BEGINS);

/** The place a link names, damaged or not, if it names one. @param {string} hash */
export const placeIn = (hash) => /^#view=\d+\.(\d+)\./.exec(hash)?.[1];

/**
 * What a link's end says; null for all that `written` has not written.
 * @param {string} hash @returns {{ at: string, of: number, told: any[] } | null}
 */
export function readLink(hash) {
  try {
    const [, body, sum] = /^#view=(.+)\.(\w+)$/.exec(hash);
    const [version, at, of, plain, ...more] = body.split(".");
    if (hash.length > 2 * LONGEST || more.length > 0 || version !== VERSION || fingerprint(body).toString(36) !== sum) return null;
    const bytes = Uint8Array.from(atob(plain.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
    const told = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return isList(told) && told.length > 0 ? { at, of: parseInt(of, 36), told } : null;
  } catch {
    return null;
  }
}

/**
 * What a link tells of one widget, held against what the widget says of itself as it is at first.
 * @param {any} told @param {Record<string, any>} start @param {Left} first @returns {Left}
 * @throws where it does not fit
 */
export function leftBy(told, start, first) {
  const [hows, recalled, open, folds] = told;
  if (!isNames(hows) || !alike(first.recalled, recalled) || !alike([0], folds)) throw new Error("expected another state");
  const traits = Object.fromEntries(Object.entries(hows).map(([name, how]) => {
    const value = Object.hasOwn(start, name) ? changed(start[name], how) : undefined;
    if (value === undefined || !alike(start[name], value)) throw new Error(`expected another ${name}`);
    return [name, value];
  }));
  return { traits, recalled, open: open === 1, folds: folds.map(Boolean) };
}
