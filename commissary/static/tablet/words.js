// What the tablet says, in the language chosen: sentences from the packs, amounts, days.

const PACKS = { "zh-Hans": "strings/zh-Hans.json", en: "strings/en.json" };
export const DEFAULT = "zh-Hans";

const loaded = {};
let current = DEFAULT;

/** Load every pack once, so that changing the language needs no network. */
export async function load() {
  const base = document.body.dataset.static;
  await Promise.all(
    Object.entries(PACKS).map(async ([code, path]) => {
      loaded[code] = await (await fetch(base + path)).json();
    }),
  );
}

/** Return the code of the language shown. */
export const language = () => current;

/** Show another language from now on; an unknown one is left aside. */
export function speak(code) {
  if (!(code in PACKS)) return;
  current = code;
  document.documentElement.lang = code;
}

/** Return the sentence for a key with its `{facts}` filled in. */
export function t(key, facts = {}) {
  const sentence = loaded[current][key];
  if (sentence === undefined) throw new Error(`no sentence for ${key}`);
  return sentence.replace(/\{(\w+)\}/g, (_, name) => facts[name]);
}

/** Tell whether the packs know a key. */
export const knows = (key) => key in loaded[current];

/** Return a thing's name in the language shown: `name({name_zh, name_en})`. */
export const named = (thing, field = "name") =>
  (current === "en" ? thing[`${field}_en`] : thing[`${field}_zh`]) || thing[`${field}_zh`] || "";

/** Show integer fen as ¥1,234.50. */
export function money(fen) {
  const sign = fen < 0 ? "−" : "";
  const yuan = Math.floor(Math.abs(fen) / 100);
  const rest = String(Math.abs(fen) % 100).padStart(2, "0");
  return `${sign}¥${yuan.toLocaleString("en-US")}.${rest}`;
}

const LOCALES = { "zh-Hans": "zh-CN", en: "en-GB" };
const zone = { timeZone: "Asia/Shanghai" };

/** Show an instant as people here write it: day and time of the facility, not of the tablet. */
export function moment(text) {
  const at = new Date(text);
  const time = at.toLocaleTimeString("en-GB", { ...zone, hour: "2-digit", minute: "2-digit" });
  return current === "en" ? `${day(text)}, ${time}` : `${day(text)} ${time}`;
}

/** Show an instant's day: 11月22日周日, or 22 November. */
export function day(text) {
  const weekday = current === "en" ? undefined : "short";
  return new Date(text).toLocaleDateString(LOCALES[current], { ...zone, month: "long", day: "numeric", weekday });
}

/** Show a date (2026-11-22): 11月22日, or 22 November. */
export const date = (text) =>
  new Date(`${text}T12:00:00+08:00`).toLocaleDateString(LOCALES[current], {
    ...zone,
    month: "long",
    day: "numeric",
  });
