// Tenants: their CRM accounts with the round arrow and the gear, their integrations and sources.
import { el, fill, field, table, badge, say, ask } from "/pages/dom.js";
import { t, word, time } from "/pages/words.js";
import { get, read, post, change, way } from "/pages/api.js";
import { installations } from "/pages/installations.js";

export async function accounts(place) {
  const [list, status] = await Promise.all([get("/v1/accounts"), get("/v1/status")]);
  if (!place.alive()) return;
  const reload = () => accounts(place);
  const tenants = [...new Set([...status.sources, ...status.integrations].map((one) => one.key.split("/")[0])
    .concat(list.items.map((one) => one.tenant)))].sort();
  fill(place.main, el("h1", {}, t("menu.accounts")), tenants.length === 0 && el("p.empty", {}, t("no_tenants")),
    installations(list.items, reload),
    tenants.map((tenant) => el("section", { "aria-label": tenant },
      tenants.length > 1 && el("h2", {}, tenant),
      el("div.stack", {},
        el("section.card", {}, el("h2", {}, t("accounts")), el("p.hint", {}, t("accounts.hint")),
          el("div.stack", {}, list.items.filter((one) => one.tenant === tenant).map((one) => account(one, reload)))),
        integrations(tenant, status, list.items)))));
}

function integrations(tenant, status, accounts) {
  const rows = status.integrations.filter((one) => one.key.startsWith(`${tenant}/`)).map((one) => {
    const of = accounts.find((account) => account.portal === one.portal && account.tenant === tenant);
    return el("tr", {},
      el("th", { scope: "row" }, el("a", { href: `#/integration/${way(one.key)}` }, one.key.split("/")[1])),
      el("td", {}, of ? of.title : one.portal, el("small", {}, one.crm)),
      el("td", {}, badge(one.activity === "on" ? "good" : one.activity === "observe" ? "warn" : "quiet", word("activity", one.activity))));
  });
  return el("section.card", {}, el("h2", {}, t("integrations")),
    table(t("integrations"), [t("integration"), t("account"), t("state")], rows, t("integrations.none")));
}

const path = (one) => `/v1/tenants/${way(one.tenant)}/accounts/${way(one.account)}`;

export function account(one, reload) {
  const more = el("div", {});
  const trouble = el("div", { role: "status" });
  const fail = (error) => fill(trouble, el("p.mistake", {}, error.message, (error.body.mistakes || []).map((text) => el("p", {}, text))));
  const authorise = async () => {
    fill(trouble);
    try {
      const { link, until } = await post(`${path(one)}/authorisation/link`);
      fill(more, el("p", {}, t("consent.open"), " ", el("a", { href: link, target: "_blank", rel: "noopener noreferrer" }, t("consent.page")), ` (${t("until")} ${time(until)})`), code(one, reload));
    } catch (error) {
      fill(more, code(one, reload));
      if (error.status !== 409) return fail(error);
      fill(trouble, el("p.hint", {}, error.message));
    }
  };
  const check = async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    fill(trouble, t("check.asking"));
    try {
      fill(trouble, await connection(one));
    } catch (error) {
      fail(error);
    }
    button.disabled = false;
  };
  const safe = /^https?:\/\//.test(one.address);
  const credential = one.credential;
  return el("article.account", {},
    el("div.row", {},
      el("h3", {}, one.title || one.account, " ", el("small", {}, one.crm)),
      el("button.icon", { type: "button", "aria-label": t("consent.again", { what: one.title }), title: t("consent.again", { what: one.title }), onclick: authorise }, "↻"),
      el("button.icon", { type: "button", "aria-label": t("gear", { what: one.title }), title: t("gear", { what: one.title }), onclick: () => gear(one, more, reload) }, "⚙"),
      el("button", { type: "button", onclick: check }, t("check"))),
    el("p", {}, safe ? el("a", { href: one.address, target: "_blank", rel: "noopener noreferrer" }, one.address) : one.address),
    el("p", {}, one.alarm ? [badge("bad", t("credential.bad")), " ", one.alarm]
      : [badge("good", t("credential.good")), credential && ` ${word("way", credential.way)}`, credential && credential.ends_at && ` · ${t("credential.ends", { at: time(credential.ends_at) })}`]),
    trouble, more);
}

// Asks the CRM for what it is made of; what answers is well.
async function connection(one) {
  const fresh = await lists(one.tenant, one.account);
  if (!fresh) {
    const status = await get("/v1/status");
    const door = status.accounts.find((door) => door.portal === one.portal);
    const good = door && door.breaker === "closed" && !door.held && !one.alarm;
    return good && door.last_success_at ? el("p", {}, badge("good", t("check.good")), ` ${t("check.last", { at: time(door.last_success_at) })}`)
      : el("p", {}, badge("bad", t("check.bad")), ` ${one.alarm || (door && door.last_error && door.last_error.why) || t("check.never")} ${t("check.advice")}`);
  }
  return fresh.fresh ? el("p", {}, badge("good", t("check.good")), ` ${fresh.name}`)
    : el("p", {}, badge("bad", t("check.bad")), ` ${fresh.why_not} ${t("check.advice")}`);
}

// Pipelines, users and fields, live from the CRM; null where this daemon cannot tell.
export async function lists(tenant, account) {
  try {
    return await get(`/v1/tenants/${way(tenant)}/accounts/${way(account)}/lists`);
  } catch (error) {
    if (error.status === 404) return null;
    if (error.status === 503) return { fresh: false, why_not: error.message, pipelines: [], users: [], fields: [], task_types: [] };
    throw error;
  }
}

function code(one, reload) {
  const input = el("input", { type: "password", autocomplete: "off", name: "code", required: true });
  const wrong = el("p.mistake", { role: "alert" });
  return el("form.search", { onsubmit: async (event) => {
    event.preventDefault();
    try {
      await post(`${path(one)}/authorisation`, { code: input.value.trim() });
      say(t("consent.done"));
      reload();
    } catch (error) {
      fill(wrong, error.message);
    }
  } }, field(t("consent.code"), input), el("button", { type: "submit" }, t("consent.use")), wrong);
}

async function gear(one, more, reload) {
  let seen;
  try {
    seen = await read(path(one));
  } catch (error) {
    return say(error.message, "bad");
  }
  const title = el("input", { value: seen.data.title || "", maxLength: 200, name: "title" });
  const address = el("input", { value: seen.data.address || "", required: true, maxLength: 1000, name: "address", inputMode: "url" });
  const wrong = el("div.mistake", { role: "alert" });
  const fail = (error) => fill(wrong, error.status === 412 ? t("stale.plain") : error.message, (error.body.mistakes || []).map((text) => el("p", {}, text)));
  const done = ({ data }) => { say(data.in_force ? t("saved") : data.why); reload(); };
  const save = async (event) => {
    event.preventDefault();
    const body = {};
    if (title.value.trim() !== (seen.data.title || "")) body.title = title.value.trim() || null;
    if (address.value.trim() !== (seen.data.address || "")) body.address = address.value.trim();
    if (!Object.keys(body).length) return fill(more);
    try {
      done(await change("PATCH", path(one), body, seen.tag));
    } catch (error) {
      fail(error);
    }
  };
  const remove = async () => {
    if (!await ask(t("remove_sure", { what: one.title || one.account }), t("remove"), t("cancel"))) return;
    try {
      done(await change("DELETE", path(one), undefined, seen.tag));
    } catch (error) {
      fail(error);
    }
  };
  fill(more, el("form.gear", { onsubmit: save },
    field(t("account.title"), title, t("account.title.hint")), field(t("account.address"), address, t("account.address.hint")), wrong,
    el("div.row", {}, el("button.primary", { type: "submit" }, t("save")),
      el("button", { type: "button", onclick: () => fill(more) }, t("cancel")),
      el("button.danger", { type: "button", onclick: remove }, t("remove")))));
  title.focus();
}
