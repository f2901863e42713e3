// Portals that installed our application by themselves and wait to be accepted for an account.
import { el, fill, select, say, ask } from "/pages/dom.js";
import { t, time } from "/pages/words.js";
import { get, post, change, way } from "/pages/api.js";

// The place of a card, which stays empty while nobody waits.
export function installations(accounts, reload) {
  const place = el("div", {});
  get("/v1/installations").then(({ items }) => {
    if (!items.length) return;
    fill(place, el("section.card", { "aria-label": t("installations") },
      el("h2", {}, t("installations")), el("p.hint", {}, t("installations.hint")),
      el("div.stack", {}, items.map((one) => waiting(one, accounts, reload)))));
  }).catch((error) => say(error.message, "bad"));
  return place;
}

function waiting(one, accounts, reload) {
  const path = `/v1/installations/${way(one.id)}`;
  const wrong = el("p.mistake", { role: "alert" });
  const names = accounts.filter((account) => account.crm === one.crm).map((account) => `${account.tenant}/${account.account}`);
  let chosen = one.accounts[0] || names[0] || "";
  const label = t("installations.account", { portal: one.portal });
  const done = (text) => { say(text); reload(); };
  const accept = async () => {
    const [tenant, account] = chosen.split("/");
    try {
      await post(`${path}/accept`, { tenant, account });
      done(t("installations.accepted"));
    } catch (error) {
      fill(wrong, error.message);
    }
  };
  const refuse = async () => {
    if (!await ask(t("installations.refuse_sure", { portal: one.portal }), t("installations.refuse"), t("cancel"))) return;
    try {
      await change("DELETE", path);
      done(t("installations.refused"));
    } catch (error) {
      fill(wrong, error.message);
    }
  };
  return el("article.account", {},
    el("h3", {}, one.portal, " ", el("small", {}, `${one.crm} · ${one.id}`)),
    el("p", {}, t("installations.by", { name: one.installed_by || "—", application: one.application, at: time(one.at), until: time(one.until) })),
    el("div.row", {},
      names.length ? select(names.map((name) => [name, name]), chosen, (value) => { chosen = value; }, { "aria-label": label }) : el("p.hint", {}, t("installations.no_account")),
      names.length > 0 && el("button.primary", { type: "button", onclick: accept }, t("installations.accept")),
      el("button.danger", { type: "button", onclick: refuse }, t("installations.refuse"))),
    wrong);
}
