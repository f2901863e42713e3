// The deals that came back from a CRM: filters, a table, the history of each, exports.
import { el, fill, field, select, table, badge, say } from "/pages/dom.js";
import { t, word, number, time, told } from "/pages/words.js";
import { get, post, way } from "/pages/api.js";
import { storyHref } from "/pages/journal.js";

// The words that this page needs.
export const LISTS = ["deals-"];

const STATES = ["open", "won", "lost", "removed"];
const FILTERS = ["from", "until", "state", "pipeline", "responsible", "text", "refused"];
const stateBadge = (state) => badge({ won: "good", lost: "bad", removed: "quiet" }[state] || "warn", word("deal_state", state));
const base = (integration) => {
  const [tenant, id] = integration.split("/");
  return `/v1/tenants/${encodeURIComponent(tenant)}/integrations/${encodeURIComponent(id)}/deals`;
};

export async function deals(place) {
  const { items } = await get("/v1/deals");
  if (!place.alive()) return;
  if (!items.length) {
    return fill(place.main, el("h1", {}, t("menu.deals")), el("section.card", {}, el("p.empty", {}, t("deals.none"))));
  }
  const wanted = Object.fromEntries(place.query);
  const one = items.find((item) => item.integration === wanted.integration) || items[0];
  if (place.rest[0]) return deal(place, one, place.rest[0]);
  const input = (name, type, more) => el("input", { name, type, value: wanted[name] || "", ...more });
  const form = el("form.search", { role: "search", onsubmit: (event) => {
    event.preventDefault();
    const query = new URLSearchParams();
    for (const [name, value] of new FormData(form)) if (value.trim()) query.set(name, value.trim());
    const next = `#/deals?${query}`;
    if (location.hash === next) dispatchEvent(new HashChangeEvent("hashchange"));
    location.hash = next;
  } },
  field(t("integration"), select(items.map((item) => [item.integration, `${item.name} (${item.integration})`]), one.integration, () => {}, { name: "integration" })),
  field(t("deals.text"), input("text", "search", { autocomplete: "off" })),
  field(t("state"), select([["", t("deals.any")], ...STATES.map((state) => [state, word("deal_state", state)])], wanted.state || "", () => {}, { name: "state" })),
  field(t("deals.from"), input("from", "datetime-local")),
  field(t("deals.until"), input("until", "datetime-local")),
  one.upload && field(t("deals.refused"), select([["", t("any")], ["true", t("deals.only_refused")]], wanted.refused || "", () => {}, { name: "refused" })),
  el("button.primary", { type: "submit" }, t("find")));
  const list = el("div.stack", {});
  fill(place.main, el("h1", {}, t("menu.deals")), state(place, one), form, downloads(one, wanted), list);

  const rows = [];
  const heads = [t("deals.made"), t("deals.deal"), t("state"), t("deals.stage"), t("deals.sum"), t("client"), t("deals.responsible"), ...one.columns];
  const more = async (after) => {
    const query = filters(wanted);
    query.set("limit", "50");
    if (after) query.set("after", after);
    let page;
    try {
      page = await get(`${base(one.integration)}?${query}`);
    } catch (error) {
      if (error.status !== 400) throw error;
      return fill(list, el("p.mistake", { role: "alert" }, error.message));
    }
    if (!place.alive()) return;
    page.items.forEach((found) => found.deal.columns.forEach((column, at) => { if (one.columns.length === found.deal.columns.length) heads[7 + at] = column.name; }));
    rows.push(...page.items.map((found) => row(one, found)));
    fill(list, table(t("menu.deals"), heads, rows, t("deals.empty")),
      page.next && el("button", { type: "button", onclick: () => more(page.next) }, t("more")));
  };
  await more();
}

function filters(wanted) {
  const query = new URLSearchParams();
  for (const filter of FILTERS) {
    if (!wanted[filter]) continue;
    const isTime = filter === "from" || filter === "until";
    query.set(filter, isTime ? new Date(wanted[filter]).toISOString() : wanted[filter]);
  }
  return query;
}

function state(place, one) {
  const sync = async () => {
    try {
      await post(`${base(one.integration)}/sync`, {});
      say(t("deals.asked"));
    } catch (error) {
      say(error.message, "bad");
    }
  };
  const line = (label, value) => [el("dt", {}, label), el("dd", {}, value)];
  const trouble = (text, at) => text && el("p.mistake", {}, `${told(text)} `, el("small", {}, time(at)));
  return el("section.card", {}, el("h2", {}, one.name),
    el("dl.pairs", {},
      line(t("deals.kept"), number(one.deals)),
      line(t("deals.as_of"), one.on ? one.as_of ? time(one.as_of) : t("deals.reading") : t("deals.off")),
      one.webhooks.by_hand && one.webhooks.address && line(t("deals.hook"), el("code", {}, `${one.webhooks.address}…`)),
      one.webhooks.by_hand && line(t("deals.heard"), one.webhooks.heard ? time(one.webhooks.heard) : t("deals.never")),
      one.upload && line(t("deals.upload"), `${one.upload.source}${one.upload.at ? ` · ${time(one.upload.at)}` : ""}`),
      one.upload && line(t("deals.refused"), number(one.upload.refused))),
    one.webhooks.advice && el("p.mistake", {}, one.webhooks.advice),
    trouble(one.trouble, one.trouble_at), one.upload && trouble(one.upload.trouble, one.upload.trouble_at),
    one.on && el("div.row", {}, el("button", { type: "button", onclick: sync }, t("deals.sync"))));
}

function downloads(one, wanted) {
  const link = (format, separator, text) => {
    const query = filters(wanted);
    query.set("format", format);
    if (separator) query.set("separator", separator);
    return el("a", { href: `${base(one.integration)}/export?${query}`, download: "" }, text);
  };
  return el("p.row", {}, el("span.hint", {}, t("deals.export")), link("csv", "semicolon", t("deals.excel")), link("csv", "comma", "CSV (,)"), link("ndjson", "", "NDJSON"));
}

function row(one, { deal: own, refused }) {
  return el("tr", {},
    el("td", {}, el("time", { dateTime: own.created_at }, time(own.created_at))),
    el("th", { scope: "row" }, el("a", { href: `#/deals/${encodeURIComponent(own.id)}?integration=${encodeURIComponent(one.integration)}` }, own.name || own.id), el("small", {}, own.id)),
    el("td", {}, stateBadge(own.state), refused && el("small", {}, `${t("deals.refused_why")}: ${refused}`)),
    el("td", {}, own.stage.name, el("small", {}, own.pipeline.name)),
    el("td", {}, own.sum === null ? "—" : `${own.sum} ${own.currency || ""}`),
    el("td", {}, own.client ? [own.client.name || own.client.id, el("small", {}, own.client.phones.join(", "))] : "—"),
    el("td", {}, own.responsible ? own.responsible.name : "—"),
    one.columns.map((_, at) => el("td", {}, own.columns.length === one.columns.length ? own.columns[at].text : "—")));
}

async function deal(place, one, id) {
  const found = await get(`${base(one.integration)}/by-id/${way(id)}`);
  if (!place.alive()) return;
  const own = found.deal;
  const line = (label, value) => [el("dt", {}, label), el("dd", {}, value || "—")];
  const stage = (at) => at ? `${at.pipeline} / ${at.stage}` : "—";
  const moves = found.moves.map((move) => el("tr", {},
    el("td", {}, el("time", { dateTime: move.at }, time(move.at))), el("td", {}, stage(move.from)), el("td", {}, stage(move.to))));
  fill(place.main, el("h1", {}, own.name || own.id),
    el("p", {}, el("a", { href: `#/deals?integration=${encodeURIComponent(one.integration)}` }, t("deals.back"))),
    el("section.card", {}, el("dl.pairs", {},
      line(t("state"), stateBadge(own.state)), line(t("deals.stage"), `${own.pipeline.name} / ${own.stage.name}`),
      line(t("deals.sum"), own.sum === null ? "" : `${own.sum} ${own.currency || ""}`), line(t("deals.responsible"), own.responsible && own.responsible.name),
      line(t("client"), own.client && `${own.client.name} ${own.client.phones.join(", ")}`), line(t("source"), own.source),
      line(t("communication"), own.communication && el("a", { href: storyHref(own.communication) }, own.communication)),
      own.columns.map((column) => line(column.name, column.text)),
      line(t("deals.made"), time(own.created_at)), line(t("deals.changed"), time(own.updated_at)), line(t("deals.closed"), own.closed_at && time(own.closed_at)),
      found.refused && line(t("deals.refused_why"), found.refused))),
    el("section.card", {}, el("h2", {}, t("deals.moves")), table(t("deals.moves"), [t("when"), t("deals.move_from"), t("deals.move_to")], moves, t("deals.no_moves"))));
}
