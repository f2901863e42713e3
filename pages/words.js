// Language, numbers and times. A word that a dictionary lacks shows its key, and a test notices.
// Only the language that is read is loaded, and of the long lists only what a page asks for.
const LANGUAGES = ["ru", "en"];
const learnt = [""];
const learning = {};
let dictionary = {};

const load = async (part) => (await import(`/pages/${part}${language}.js`)).default;

const kept = localStorage.getItem("language");
export let language = LANGUAGES.includes(kept) ? kept : (navigator.language || "").startsWith("ru") ? "ru" : "en";
await speak(language);

export async function speak(next) {
  language = next;
  localStorage.setItem("language", next);
  document.documentElement.lang = next;
  dictionary = Object.assign({}, ...await Promise.all(learnt.map(load)));
}

// Learns a further list of words, in this language and in the one that is chosen later.
export const learn = (part) => learning[part] ??= load(part).then((more) => {
  learnt.push(part);
  dictionary = { ...dictionary, ...more };
}, (error) => {
  delete learning[part];
  throw error;
});

// Adds words that the endpoint told, in the language that is read now.
export const teach = (told) => { dictionary = { ...dictionary, ...told }; };

// What the dictionary has, or nothing.
export const words = (key) => dictionary[key];

export function t(key, values = {}) {
  const text = dictionary[key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

// A word of the endpoint: shown as it is where the dictionary does not know it.
export const word = (group, value) => dictionary[`${group}.${value}`] ?? String(value ?? "");

// A text that the endpoint tells in both languages.
export const inLanguage = (texts) => texts[language];

export const number = (value) => new Intl.NumberFormat(language).format(value ?? 0);

export function time(value) {
  if (!value) return "—";
  const at = new Date(value);
  if (Number.isNaN(at.getTime())) return String(value);
  const today = at.toDateString() === new Date().toDateString();
  const shape = today ? { hour: "2-digit", minute: "2-digit", second: "2-digit" }
    : { day: "2-digit", month: "2-digit", year: "numeric", hour: "2-digit", minute: "2-digit" };
  return new Intl.DateTimeFormat(language === "ru" ? "ru-RU" : "en-GB", shape).format(at);
}

// A text of the endpoint, with its times as clocks here show them; of a page that a broken CRM answered
// with, what a person would read of it.
export const told = (text) => (/<html|<!doctype/i.test(text) ? text.replace(/<[^>]*>?/g, " ").replace(/\s+/g, " ").trim() : String(text ?? "")).replace(/\b\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)/g, time);

export function age(seconds) {
  if (seconds === null || seconds === undefined) return t("never");
  const units = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
  const [size, unit] = units.find(([size]) => seconds >= size) || [1, "second"];
  const shape = { style: "unit", unit, unitDisplay: "short" };
  return new Intl.NumberFormat(language, shape).format(Math.floor(seconds / size));
}
