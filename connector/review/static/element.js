// Makes elements, and says things in the person's language. Text is always set as text, never as markup.

let texts = {};
let locale = "en";

export function speak(all, tag) {
  texts = all;
  locale = tag;
}

// The text of a key; {n} and its like are filled in. A text may have one form per plural category.
export function t(key, values = {}) {
  let text = texts[key];
  if (text === undefined) return key;
  if (typeof text === "object") text = text[new Intl.PluralRules(locale).select(values.n)] ?? text.other;
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

export function el(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key in made && typeof value !== "string") made[key] = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return made;
}

// Characters that cannot be seen, or that turn the direction of writing, are shown as the replacement character.
export function visible(text) {
  return String(text ?? "").replace(/\u00ad/g, "").replace(/(?![\t\n\r])[\p{Cc}\p{Cf}\p{Co}]/gu, (char, at, whole) =>
    "\u200c\u200d".includes(char) && at > 0 && whole.charCodeAt(at - 1) >= 0x590 ? char : "\ufffd");
}

// Text of a document or of Odoo, its direction of writing shut in.
export const said = (text) => el("bdi", {}, visible(text));

export function amount(text, digits = 2) {
  if (text === null || text === undefined || text === "") return "–";
  const decimals = (String(text).split(".")[1] ?? "").replace(/0+$/, "").length;
  const places = Math.max(digits, decimals);
  return new Intl.NumberFormat(locale, { minimumFractionDigits: places, maximumFractionDigits: Math.max(places, 0) }).format(text);
}

export const quantity = (text) => amount(text, 0);
export const percent = (share) => `${Math.floor(share * 100 + 1e-9)} %`;
export const list = (items) => new Intl.ListFormat(locale, { type: "conjunction" }).format(items);

// The class of a level of sureness.
export const levelClass = (level) => (level === "person" ? "confirmed" : level);

// How sure a value is: shape and number say it as well as colour.
export function confidence(field) {
  const level = field.level ?? "sure";
  const empty = field.value === null || field.value === undefined || field.value === "" || (Array.isArray(field.value) && !field.value.length);
  const known = typeof field.confidence === "number" && level !== "person" && !empty;
  const meaning = t(empty && level !== "person" ? "level.missing" : `level.${level}`);
  return el("span", { class: `confidence ${levelClass(level)}`, title: known ? `${meaning}, ${percent(field.confidence)}` : meaning },
    el("span", { class: "mark", role: "img", "aria-label": meaning }), known ? percent(field.confidence) : "");
}

// -- decimals: exact sums of what is typed, shown at once while Odoo's own come from the server ------------------

export function scaled(text) {
  const found = /^(-?)(\d*)\.?(\d*)$/.exec(String(text ?? ""));
  if (!found || !(found[2] || found[3])) return null;
  return { units: BigInt(found[1] + found[2] + found[3] || "0"), places: found[3].length };
}

export function times(one, other) {
  return one && other ? { units: one.units * other.units, places: one.places + other.places } : null;
}

export function rounded(number, places) {
  if (!number) return null;
  let { units } = number;
  if (number.places > places) {
    const step = 10n ** BigInt(number.places - places);
    const half = units < 0n ? -step / 2n : step / 2n;
    units = (units + half) / step;
  } else units *= 10n ** BigInt(places - number.places);
  return { units, places };
}

export function plus(one, other) {
  if (!one || !other) return null;
  const places = Math.max(one.places, other.places);
  return { units: rounded(one, places).units + rounded(other, places).units, places };
}

export const minus = (one, other) => other && plus(one, { ...other, units: -other.units });

export function text(number) {
  if (!number) return null;
  const sign = number.units < 0n ? "-" : "";
  const digits = String(number.units < 0n ? -number.units : number.units).padStart(number.places + 1, "0");
  const whole = digits.slice(0, digits.length - number.places);
  return sign + whole + (number.places ? `.${digits.slice(-number.places)}` : "");
}

let serial = 0;
export const fresh = (prefix) => `${prefix}-${++serial}`;

const live = () => document.getElementById("announce");
export function announce(message) {
  live().textContent = message;
}

// What was just done, for a few seconds, with what can be done about it. Screen readers hear it.
export function toast(message, acts = null, kind = "") {
  const shown = el("div", { class: `toast ${kind}` }, el("span", {}, message), acts);
  document.getElementById("toasts").replaceChildren(shown);
  announce(message);
  // It stays while somebody is at it.
  const leave = () => (shown.matches(":hover, :focus-within") ? setTimeout(leave, 2000) : shown.remove());
  setTimeout(leave, kind === "wrong" ? 12000 : shown.querySelector("button") ? 10000 : 6000);
}
