// The journal: search by phone, time, outcome and sort.
import { el, fill, field, select, table, badge } from "/pages/dom.js";
import { t, word, words, time } from "/pages/words.js";
import { get, way } from "/pages/api.js";

// The words that this page needs.
export const LISTS = ["journal-"];

const OUTCOMES = ["open", "waiting", "done", "dead", "ignored", "observed", "not_taken"];
const KINDS = ["call", "chat", "request"];
export const outcomeBadge = (outcome) => badge(
  { done: "good", dead: "bad", waiting: "warn", open: "warn" }[outcome] || "quiet", word("outcome", outcome));
export const storyHref = (key) => `#/story/${way(key)}`;

export async function journal(place) {
  const wanted = Object.fromEntries(place.query);
  const any = (list, group) => [["", t("any")], ...list.map((one) => [one, word(group, one)])];
  const input = (name, type, more) => el("input", { name, type, value: wanted[name] || "", ...more });
  const pick = (name, options) => select(options, wanted[name] || "", () => {}, { name });
  const form = el("form.search", { role: "search", onsubmit: (event) => {
    event.preventDefault();
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value.trim()) query.set(name, value.trim());
    const next = `#/journal?${query}`;
    if (location.hash === next) dispatchEvent(new HashChangeEvent("hashchange"));
    location.hash = next;
  } },
  field(t("phone"), input("phone", "search", { placeholder: "+7 903 555-00-61", inputMode: "tel", autocomplete: "off" })),
  field(t("from"), input("from", "datetime-local")),
  field(t("until"), input("until", "datetime-local")),
  field(t("outcome"), pick("outcome", any(OUTCOMES, "outcome"))),
  field(t("kind"), pick("kind", any(KINDS, "kind"))),
  el("button.primary", { type: "submit" }, t("find")));
  const list = el("div.stack", {});
  fill(place.main, el("h1", {}, t("menu.journal")), form, list);

  const rows = [];
  const more = async (after) => {
    const query = new URLSearchParams({ limit: "50" });
    for (const [name, value] of Object.entries(wanted)) {
      const isTime = name === "from" || name === "until";
      query.set(name, isTime ? new Date(value).toISOString() : value);
    }
    if (after) query.set("after", after);
    let page;
    try {
      page = await get(`/v1/journal?${query}`);
    } catch (error) {
      if (error.status !== 400) throw error;
      return fill(list, el("p.mistake", { role: "alert" }, error.message));
    }
    if (!place.alive()) return;
    rows.push(...page.items.map(line));
    fill(list, table(t("menu.journal"), [t("when"), t("client"), t("what"), t("outcome")], rows, t("journal.empty")),
      page.next && el("button", { type: "button", onclick: () => more(page.next) }, t("more")));
  };
  await more();
}

export function line(one) {
  return el("tr", {},
    el("td", {}, el("time", { dateTime: one.started_at }, time(one.started_at))),
    el("th", { scope: "row" }, el("a", { href: storyHref(one.key) }, clientName(one.client)), el("small", {}, one.key)),
    el("td", {}, summary(one)),
    el("td", {}, outcomeBadge(one.outcome)));
}

export const clientName = (client) => !client ? t("unknown_client") : client === "withheld" ? t("withheld") : client;

export const summary = (one) => `${word("kind", one.kind)}${one.summary ? `: ${one.summary}` : ""}`;

// What a step is for: `deal#2` is a deal like every other, `notice#email` has a name of its own.
export const roleName = (role) => words(`role.${role}`) ?? word("role", String(role).split("#")[0]);
