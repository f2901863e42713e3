// Language, numbers and times. A word that a dictionary lacks shows its key, and a test notices.
// Only the dictionary of the language that is spoken is fetched.
const LANGUAGES = ["ru", "en"];
const fetched = async (name) => (await import(`/pages/${name}.js`)).default;

const kept = localStorage.getItem("language");
export let language = LANGUAGES.includes(kept) ? kept : (navigator.language || "").startsWith("ru") ? "ru" : "en";
let dictionary = await fetched(language);
document.documentElement.lang = language;

export async function speak(next) {
  dictionary = await fetched(next);
  language = next;
  localStorage.setItem("language", next);
  document.documentElement.lang = next;
}

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

export function age(seconds) {
  if (seconds === null || seconds === undefined) return t("never");
  const units = [[86400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]];
  const [size, unit] = units.find(([size]) => seconds >= size) || [1, "second"];
  const shape = { style: "unit", unit, unitDisplay: "short" };
  return new Intl.NumberFormat(language, shape).format(Math.floor(seconds / size));
}
