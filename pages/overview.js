// What is alive, what waits, what a person must act upon; looked at again every few seconds.
import { el, fill, table, badge } from "/pages/dom.js";
import { t, word, number, time, told, age } from "/pages/words.js";
import { get } from "/pages/api.js";

// The words that this page needs.
export const LISTS = ["overview-"];

const EVERY_MS = 5000;

export async function overview(place) {
  fill(place.main, el("h1", {}, t("menu.overview")));
  const body = el("div.stack", {});
  const note = el("p.hint", { role: "status" });
  place.main.append(body, note);
  for (;;) {
    try {
      const [status, notes] = await Promise.all([get("/v1/status"), get("/v1/journal/notes")]);
      if (!place.alive()) return;
      draw(body, status, notes.items || []);
      fill(note, "");
    } catch (error) {
      if (!place.alive()) return;
      fill(note, error.status === 0 ? t("no_answer") : error.message);
      note.className = "mistake";
    }
    do await new Promise((wake) => setTimeout(wake, EVERY_MS)); while (document.hidden && place.alive());
    if (!place.alive()) return;
  }
}

function draw(body, status, notes) {
  const focus = document.activeElement;
  const held = focus && body.contains(focus) ? focus.getAttribute("href") || focus.getAttribute("aria-label") : null;
  fill(body, alarms(status.alarms), figures(status), alive(status), budgets(status), off(status.off), remarks(notes));
  if (held) for (const one of body.querySelectorAll("a,[tabindex]")) {
    if (one.getAttribute("href") === held || one.getAttribute("aria-label") === held) { one.focus(); break; }
  }
}

function alarms(items) {
  if (!items.length) return el("section.card.good", {}, el("h2", {}, t("alarms")), el("p", {}, t("alarms.none")));
  const line = (alarm) => el("li", {}, el("strong", {}, word("alarm", alarm.word)), " · ", el("code", {}, alarm.what),
    el("p", {}, told(alarm.text)),
    alarm.word === "dead_letters" && el("a", { href: "#/outbox" }, t("to_dead")),
    alarm.word === "credential" && el("a", { href: "#/accounts" }, t("to_accounts")));
  return el("section.card.bad", {}, el("h2", {}, `${t("alarms")}: ${items.length}`), el("ul.plain", {}, items.map(line)));
}

function figures(status) {
  const undecided = status.integrations.reduce((sum, one) => sum + one.not_decided_yet, 0);
  const one = (label, value, href) => el("div.figure", {},
    el("dt", {}, label), el("dd", {}, href ? el("a", { href }, value) : value));
  return el("dl.figures", {},
    one(t("figure.kept"), number(status.store.communications), "#/journal"),
    one(t("figure.open"), number(status.store.open_works), "#/outbox"),
    one(t("figure.undecided"), number(undecided), "#/outbox"),
    one(t("figure.dead"), number(status.store.dead_letters), "#/outbox"),
    one(t("figure.since"), time(status.started_at)));
}

const health = (child) => {
  const value = child ? child.health : "posted";
  const kind = { up: "good", starting: "warn", degraded: "bad", stopped: "warn", posted: "quiet" }[value] || "quiet";
  return badge(kind, word("health", value));
};

function alive(status) {
  const row = (kind, key, name, child, more) => el("tr", {},
    el("th", { scope: "row" }, name, el("small", {}, `${kind} ${key}`)),
    el("td", {}, health(child)),
    el("td", {}, more || "—"),
    el("td", {}, child && child.last_error ? told(child.last_error) : "—"));
  const sources = status.sources.map((one) =>
    row(t("source"), one.key, one.name, one.state, [one.kind, one.state && one.state.peer].filter(Boolean).join(" · ")));
  const integrations = status.integrations.map((one) => {
    const waits = one.open_works ? t("waits", { open: number(one.open_works), undecided: number(one.not_decided_yet) }) : t("nothing_waits");
    const [tenant, id] = one.key.split("/");
    const name = el("a", { href: `#/integration/${tenant}/${id}` }, id);
    return row(t("integration"), one.key, name, one.state,
      [badge(one.activity === "on" ? "good" : one.activity === "observe" ? "warn" : "quiet", word("activity", one.activity)), " ", waits,
        one.waiting_for && el("p.hint", {}, told(one.waiting_for))]);
  });
  return el("section.card", {}, el("h2", {}, t("alive")),
    table(t("alive"), [t("what"), t("state"), t("doing"), t("last_error")], [...sources, ...integrations], t("nothing")));
}

function budgets(status) {
  const rows = status.accounts.map((one) => {
    const waiting = one.waiting.live + one.waiting.work + one.waiting.background;
    const queue = status.queues.find((queue) => queue.what === `${one.portal} work`);
    const max = queue ? queue.max : 1;
    const door = one.held ? badge("bad", word("held", one.held.cause))
      : one.breaker === "closed" ? badge("good", t("door.open")) : badge("bad", t("door.shut"));
    return el("tr", {},
      el("th", { scope: "row" }, one.portal), el("td", {}, door),
      el("td", {}, t("budget.rate", { rate: one.rate_per_second.toFixed(1), flight: number(one.in_flight) }),
        el("meter", { min: 0, max, high: max * 0.8, low: max * 0.5, optimum: 0, value: waiting, "aria-label": t("budget.queue") }),
        el("small", {}, t("budget.waiting", { waiting: number(waiting), max: number(max) }))),
      el("td", {}, number(one.requests_total), el("small", {}, t("budget.failed", { throttled: number(one.throttled_total), failed: number(one.failed_total) }))),
      el("td", {}, one.last_error ? [told(one.last_error.why), el("small", {}, time(one.last_error.at))] : "—"));
  });
  const known = status.knowledge.filter((one) => one.kept).map((one) =>
    el("li", {}, `${one.portal}: `, one.complete_as_of ? t("directory.fresh", { age: age(one.age_s) }) : t("directory.partial")));
  return el("section.card", {}, el("h2", {}, t("budgets")),
    table(t("budgets"), [t("account"), t("door"), t("budget"), t("requests"), t("last_error")], rows, t("no_accounts")),
    known.length > 0 && [el("h3", {}, t("menu.directory")), el("ul.plain", {}, known)]);
}

function off(items) {
  if (!items.length) return null;
  return el("section.card", {}, el("h2", {}, t("off")),
    el("ul.plain", {}, items.map((one) => el("li", {}, el("strong", {}, one.what), el("p", {}, told(one.why))))));
}

function remarks(notes) {
  if (!notes.length) return null;
  return el("section.card", {}, el("h2", {}, t("remarks")),
    el("ul.plain", {}, notes.slice(0, 8).map(({ note: one }) => el("li", {}, el("time", { dateTime: one.at }, time(one.at)), " ", told(one.text)))));
}
