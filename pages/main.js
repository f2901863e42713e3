// The frame: who is in, which page is shown, language and colours.
import { el, fill } from "/pages/dom.js";
import { t, language, speak, learn } from "/pages/words.js";
import * as api from "/pages/api.js";

// Each page is a file of its name, loaded when it is opened first.
const PAGES = ["overview", "journal", "story", "outbox", "directory", "deals", "accounts", "guide", "integration", "source", "company"];
const MENU = ["overview", "journal", "outbox", "directory", "deals", "accounts", "guide"];
const BELONGS = { story: "journal", integration: "accounts", source: "accounts", company: "accounts" };

let leave = () => true;
let turn = 0;
let shown = "";

const theme = localStorage.getItem("theme");
if (theme) document.documentElement.dataset.theme = theme;

function switchTheme() {
  const dark = getComputedStyle(document.documentElement).colorScheme.includes("dark")
    && !getComputedStyle(document.documentElement).colorScheme.includes("light");
  const isDark = document.documentElement.dataset.theme
    ? document.documentElement.dataset.theme === "dark"
    : dark || matchMedia("(prefers-color-scheme: dark)").matches;
  const next = isDark ? "light" : "dark";
  document.documentElement.dataset.theme = next;
  localStorage.setItem("theme", next);
}

async function switchLanguage() {
  await speak(language === "ru" ? "en" : "ru");
  show(true);
}

const tools = () => el("div.tools", {},
  el("button.quiet", { type: "button", onclick: switchLanguage, lang: language === "ru" ? "en" : "ru" },
    language === "ru" ? "English" : "Русский"),
  el("button.quiet", { type: "button", onclick: switchTheme }, t("theme")),
  api.isIn() && el("button.quiet", { type: "button", onclick: () => api.logOut() }, t("log_out")));

function skip(event) {
  event.preventDefault();
  document.getElementById("main")?.focus();
}

function frame(name) {
  const own = BELONGS[name] || name;
  const links = MENU.map((page) => el("a", {
    href: `#/${page}`, "aria-current": page === own ? "page" : undefined,
  }, t(`menu.${page}`)));
  return [
    el("a.skip", { href: "#main", onclick: skip }, t("skip")),
    el("header.top", {},
      el("a.name", { href: "#/overview" }, "Trunkline"),
      api.isIn() && el("nav", { "aria-label": t("menu") }, links),
      tools()),
    el("main", { id: "main", tabIndex: -1 }),
    el("div", { id: "said", role: "status", "aria-live": "polite" }),
  ];
}

export function route() {
  const [path, query] = location.hash.replace(/^#\/?/, "").split("?");
  const [name, ...rest] = path.split("/").map((part) => decodeURIComponent(part));
  return { name: PAGES.includes(name) ? name : "overview", rest, query: new URLSearchParams(query || "") };
}

// Loads a page, and the words that it needs.
async function open(name) {
  const page = await import(`/pages/${name}.js`);
  await Promise.all((page.LISTS || []).map(learn));
  return page;
}

async function show(again) {
  if (!again && location.hash === shown) return;
  if (!again && !leave() && !confirm(t("unsaved"))) {
    history.replaceState(null, "", shown);
    return;
  }
  shown = location.hash;
  leave = () => true;
  const mine = ++turn;
  const { name, rest, query } = route();
  const inside = api.isIn();
  fill(document.body, frame(inside ? name : ""));
  const main = document.getElementById("main");
  document.title = `${inside ? t(`menu.${BELONGS[name] || name}`) : t("log_in")} · Trunkline`;
  const place = {
    main, rest, query,
    // Whether this page is still the one that is looked at.
    alive: () => mine === turn,
    onLeave: (may) => { leave = may; },
  };
  fill(main, el("p.loading", {}, t("loading")));
  try {
    if (!inside) return (await open("login")).logInPage(main, () => show(true));
    await (await open(name))[name](place);
  } catch (error) {
    if (place.alive() && (api.isIn() || !inside)) fill(main, failure(error));
  }
  if (place.alive() && !again) main.focus({ preventScroll: true });
}

export function failure(error) {
  const text = error.status === 0 ? t("no_answer") : error.message;
  return el("section.card.bad", { role: "alert" }, el("h1", {}, t("failed")), el("p", {}, text),
    el("button", { type: "button", onclick: () => show(true) }, t("try_again")));
}

api.onEnd(() => show(true));
addEventListener("hashchange", () => show(false));
addEventListener("beforeunload", (event) => { if (!leave()) event.preventDefault(); });
try {
  await api.resume();
  show(true);
} catch (error) {
  fill(document.body, el("main", {}, failure(error)));
}
