// Companies: their sources, their CRM accounts with the round arrow and the gear, their integrations, and more of each.
import { el, fill, table, badge } from "/pages/dom.js";
import { t, word } from "/pages/words.js";
import { get, read, way } from "/pages/api.js";
import { addAccount } from "/pages/credential.js";
import { account } from "/pages/portal.js";
import { addIntegration, changeIntegration, addCompany } from "/pages/joining.js";
import { installations } from "/pages/installations.js";

// The words that this page needs.
export const LISTS = ["accounts-", "portal-"];

export async function accounts(place) {
  const [list, known, crms] = await Promise.all([get("/v1/accounts"), get("/v1/tenants"), get("/v1/crms")]);
  const companies = await Promise.all(known.items.map((one) => read(`/v1/tenants/${way(one.tenant)}`)));
  if (!place.alive()) return;
  const reload = () => accounts(place);
  const more = el("div", {});
  const single = companies.length === 1;
  fill(place.main, el("h1", {}, t("menu.accounts")), companies.length === 0 && el("p.empty", {}, t("no_tenants")),
    installations(list.items, reload),
    companies.map(({ data: company }) => el("section.stack", { "aria-label": company.name || company.tenant },
      !single && el("h2", {}, company.name || company.tenant),
      sources(company),
      portals(company, list.items.filter((one) => one.tenant === company.tenant), crms.items, reload),
      integrations(company, list.items, crms.items, reload))),
    el("div.row", {}, opener(t("company.add"), more, () => addCompany(reload, () => fill(more)))), more);
}

// A button that opens a form in its place, and says so to screen readers.
function opener(text, place, form) {
  return el("button", { type: "button", onclick: () => {
    fill(place, form());
    const first = place.querySelector("input, select");
    if (first) first.focus();
  } }, text);
}

// The sources have a file of their own.
function sources(company) {
  const box = el("div", {});
  import("/pages/sources.js").then((found) => fill(box, found.sources(company)), (error) => fill(box, el("p.mistake", {}, error.message)));
  return box;
}

function portals(company, accounts, crms, reload) {
  const more = el("div", {});
  return el("section.card", {}, el("h2", {}, t("accounts")), el("p.hint", {}, t("accounts.hint")),
    el("div.stack", {}, accounts.length ? accounts.map((one) => account(one, reload)) : el("p.empty", {}, t("no_accounts"))),
    el("div.row", {}, opener(t("account.add"), more, () => addAccount(company.tenant, crms, { done: reload, cancel: () => fill(more) }))), more);
}

function integrations(company, accounts, crms, reload) {
  const more = el("div", {});
  const rows = company.integrations.map((one) => {
    const of = accounts.find((account) => account.account === one.account && account.tenant === company.tenant);
    const name = one.title || one.integration;
    const activity = one.activity;
    return el("tr", {},
      el("th", { scope: "row" }, el("a", { href: `#/integration/${way(company.tenant)}/${way(one.integration)}` }, name)),
      el("td", {}, of ? of.title : one.account, of && el("small", {}, of.crm)),
      el("td", {}, one.takes.length ? one.takes.map((take) => el("div", {}, `${source(company, take.source)}: ${take.kinds.map((kind) => word("kind", kind)).join(", ")}`)) : t("takes.none")),
      el("td", {}, badge(activity === "on" ? "good" : activity === "observe" ? "warn" : "quiet", word("activity", activity))),
      el("td", {}, el("button.icon", { type: "button", "aria-label": t("gear", { what: name }), title: t("gear", { what: name }),
        onclick: () => { fill(more, changeIntegration(company, one, { done: reload, cancel: () => fill(more) })); more.querySelector("input").focus(); } }, "⚙")));
  });
  return el("section.card", {}, el("h2", {}, t("integrations")),
    table(t("integrations"), [t("integration"), t("account"), t("takes"), t("state"), ""], rows, t("integrations.none")),
    el("div.row", {}, opener(t("integration.add"), more, () => addIntegration(company, accounts, crms, { done: reload, cancel: () => fill(more) }))), more);
}

const source = (company, id) => {
  const found = company.sources.find((one) => one.source === id);
  return (found && found.name) || id;
};
