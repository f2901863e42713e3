// Integrations: a new one (S0-01, S0-05, S1-03), another title, other kinds taken, the end of it. And a
// new company.
import { el, fill, field, select, say, ask } from "/pages/dom.js";
import { t, word, language } from "/pages/words.js";
import { get, read, post, change, way } from "/pages/api.js";
import { addAccount } from "/pages/credential.js";

const LETTERS = { а: "a", б: "b", в: "v", г: "g", д: "d", е: "e", ё: "e", ж: "zh", з: "z", и: "i", й: "y", к: "k", л: "l", м: "m", н: "n", о: "o", п: "p", р: "r", с: "s", т: "t", у: "u", ф: "f", х: "h", ц: "c", ч: "ch", ш: "sh", щ: "sch", ъ: "", ы: "y", ь: "", э: "e", ю: "yu", я: "ya" };

// An id for the files, made of what a person typed, that none of the others has.
export function slug(text, otherwise, taken) {
  const latin = [...text.toLowerCase()].map((letter) => LETTERS[letter] ?? letter).join("");
  const bare = latin.replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "").slice(0, 40) || otherwise;
  let id = bare;
  for (let number = 2; taken.includes(id); number += 1) id = `${bare}-${number}`;
  return id;
}

// Shows what was refused: beside its field where one is known, else in one place.
export function mistakes(error, said, places) {
  const body = error.body || {};
  const rest = [];
  for (const one of body.places || []) {
    const key = one.path.split(".").pop().replace(/\[\d+\]$/, "");
    const place = places[key];
    if (place) fill(place, one.message);
    else rest.push(one.text || one.message);
  }
  const title = error.status === 412 ? t("stale.plain") : error.status === 0 ? t("no_answer") : error.message;
  fill(said, el("p", {}, title), rest.map((text) => el("p", {}, text)));
}

// Submits a form once at a time: a second press while the first is under way does nothing.
export const once = (work) => async (event) => {
  event.preventDefault();
  const button = event.submitter;
  if (button) button.disabled = true;
  try {
    await work();
  } finally {
    if (button) button.disabled = false;
  }
};

// Which kinds of which sources are taken.
function pairs(company, takes) {
  const boxes = [];
  const groups = company.sources.filter((one) => one.kinds.length).map((one) => {
    const taken = takes.find((take) => take.source === one.source);
    return el("fieldset.choices", {}, el("legend", {}, one.name || one.source, " ", el("small", {}, one.kind)),
      one.kinds.map((kind) => {
        const box = el("input", { type: "checkbox", name: `${one.source}/${kind}`, checked: Boolean(taken && taken.kinds.includes(kind)) });
        boxes.push({ source: one.source, kind, box });
        return el("label.choice", {}, box, el("span", {}, word("kind", kind)));
      }));
  });
  const chosen = () => {
    const sources = [...new Set(boxes.filter((one) => one.box.checked).map((one) => one.source))];
    return sources.map((source) => ({ source, kinds: boxes.filter((one) => one.source === source && one.box.checked).map((one) => one.kind) }));
  };
  const node = el("div.stack", {}, el("h4", {}, t("takes")), groups.length ? groups : el("p.hint", {}, t("takes.no_sources")));
  return { node, chosen };
}

const NEW = "+";

// A new integration: first the credentials, chosen or added, then what belongs to them (S0-05).
export function addIntegration(company, accounts, crms, { done, cancel }) {
  const place = el("div", {});
  const draw = (known, chosen) => {
    const options = [["", t("integration.choose_account")], ...known.map((one) => [one.account, `${one.title || one.account} (${one.address})`]), [NEW, t("account.add")]];
    const rest = el("div.gear", {});
    const next = (id) => {
      if (id === NEW) {
        fill(rest, addAccount(company.tenant, crms, {
          cancel: () => draw(known, ""),
          done: async (added) => {
            const { items } = await get("/v1/accounts");
            draw(items.filter((one) => one.tenant === company.tenant), added);
          },
        }));
        return;
      }
      const account = known.find((one) => one.account === id);
      fill(rest, account && parameters(company, account, { done, cancel }));
    };
    fill(place, el("div.gear", {}, el("h3", {}, t("integration.new")),
      field(t("integration.account"), select(options, chosen, next, { name: "account" }), t("integration.account.hint")), rest,
      !chosen && el("div.row", {}, el("button", { type: "button", onclick: cancel }, t("cancel")))));
    next(chosen);
    if (chosen) rest.querySelector("input")?.focus();
  };
  draw(accounts.filter((one) => one.tenant === company.tenant), accounts.length ? "" : NEW);
  return place;
}

function parameters(company, account, { done, cancel }) {
  const title = el("input", { name: "title", maxLength: 200 });
  const wrong = el("p.mistake", {});
  const said = el("div.mistake", { role: "alert" });
  const taken = pairs(company, []);
  return el("form.gear", { onsubmit: once(async () => {
    fill(wrong);
    fill(said);
    try {
      const seen = await read(`/v1/tenants/${way(company.tenant)}`);
      const id = slug(title.value, account.account, seen.data.integrations.map((one) => one.integration));
      const body = { integration: id, account: account.account, takes: taken.chosen() };
      if (title.value.trim()) body.title = title.value.trim();
      const { data } = await change("POST", `/v1/tenants/${way(company.tenant)}/integrations`, body, seen.tag);
      say(data.in_force ? t("integration.added") : t("saved_later", { why: data.why }), data.in_force ? "good" : "warn");
      if (!data.in_force) return done();
      location.hash = `#/integration/${way(company.tenant)}/${way(id)}`;
    } catch (error) {
      mistakes(error, said, { name: wrong });
    }
  }) }, field(t("integration.title"), title, t("integration.title.hint")), wrong, taken.node, el("p.hint", {}, t("integration.off")), said,
    el("div.row", {}, el("button.primary", { type: "submit" }, t("integration.save")), el("button", { type: "button", onclick: cancel }, t("cancel"))));
}

// The gear of an integration.
export function changeIntegration(company, one, { done, cancel }) {
  const path = `/v1/tenants/${way(company.tenant)}/integrations/${way(one.integration)}`;
  const title = el("input", { name: "title", maxLength: 200, value: one.title || "" });
  const wrong = el("p.mistake", {});
  const said = el("div.mistake", { role: "alert" });
  const taken = pairs(company, one.takes);
  const finish = ({ data }) => { say(data.in_force ? t("saved") : t("saved_later", { why: data.why }), data.in_force ? "good" : "warn"); done(); };
  const seen = read(path);
  const save = once(async () => {
    fill(wrong);
    fill(said);
    try {
      const { tag } = await seen;
      const body = {};
      if (title.value.trim() !== (one.title || "")) body.title = title.value.trim() || null;
      const takes = taken.chosen();
      if (shape(takes) !== shape(one.takes)) body.takes = takes;
      if (!Object.keys(body).length) return cancel();
      finish(await change("PATCH", path, body, tag));
    } catch (error) {
      mistakes(error, said, { name: wrong });
    }
  });
  const remove = async () => {
    if (!await ask(t("integration.remove_sure", { what: one.title || one.integration }), t("remove"), t("cancel"))) return;
    try {
      finish(await change("DELETE", path, undefined, (await seen).tag));
    } catch (error) {
      mistakes(error, said, {});
    }
  };
  return el("form.gear", { onsubmit: save }, el("h3", {}, one.title || one.integration),
    field(t("integration.title"), title, t("integration.title.hint")), wrong, taken.node, said,
    el("div.row", {}, el("button.primary", { type: "submit" }, t("save")), el("button", { type: "button", onclick: cancel }, t("cancel")),
      el("button.danger", { type: "button", onclick: remove }, t("remove"))));
}

const shape = (takes) => JSON.stringify(takes.flatMap((take) => take.kinds.map((kind) => `${take.source} ${kind}`)).sort());

// A company gets a file of its own.
export function addCompany(done, cancel) {
  const name = el("input", { name: "name", maxLength: 200, required: true });
  const zone = el("input", { name: "time_zone", maxLength: 60, required: true, value: Intl.DateTimeFormat().resolvedOptions().timeZone, spellcheck: false });
  const wrong = { name: el("p.mistake", {}), time_zone: el("p.mistake", {}) };
  const said = el("div.mistake", { role: "alert" });
  return el("form.gear.card", { onsubmit: once(async () => {
    Object.values(wrong).forEach((place) => fill(place));
    fill(said);
    try {
      const { items } = await get("/v1/tenants");
      const tenant = slug(name.value, "company", items.map((one) => one.tenant));
      const data = await post("/v1/tenants", { tenant, name: name.value.trim(), time_zone: zone.value.trim(), language });
      say(data.in_force ? t("company.added") : t("saved_later", { why: data.why }), data.in_force ? "good" : "warn");
      done();
    } catch (error) {
      mistakes(error, said, wrong);
    }
  }) }, el("h2", {}, t("company.new")), field(t("company.name"), name), wrong.name, field(t("company.zone"), zone, t("company.zone.hint")), wrong.time_zone, said,
    el("div.row", {}, el("button.primary", { type: "submit" }, t("company.save")), el("button", { type: "button", onclick: cancel }, t("cancel"))));
}
