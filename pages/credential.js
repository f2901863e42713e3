// Accounts: a new one, another title, address or secret, and the CRM's own page where access is permitted.
// What is typed comes from the endpoint, CRM by CRM; nothing here knows one.
import { el, fill, field, select, say, ask } from "/pages/dom.js";
import { t, inLanguage } from "/pages/words.js";
import { get, read, change, way } from "/pages/api.js";
import { slug, mistakes, once } from "/pages/joining.js";
import { accountPath, codeForm, connect, consentWindow } from "/pages/consent.js";

// The fields of one way of being let in; `kept` is what the file says already.
function wayFields(entry, callback, kept) {
  const controls = new Map();
  // Only where nothing of this way is set our own address is what stands there.
  const isNew = entry.fields.every((one) => !kept.secrets.includes(one.key) && kept.settings[one.key] === undefined);
  const parts = entry.fields.map((one) => {
    const there = kept.settings[one.key];
    const isKept = one.kind === "secret" && kept.secrets.includes(one.key);
    const value = there ?? (one.kind === "callback" && isNew ? callback : null) ?? "";
    const input = el("input", {
      name: one.key, required: one.required && !isKept, value: one.kind === "secret" ? "" : String(value || ""),
      type: one.kind === "secret" ? "password" : "text", autocomplete: "off", spellcheck: false,
      inputMode: one.kind === "whole" ? "numeric" : one.kind === "callback" ? "url" : "text",
      maxLength: one.kind === "secret" ? 8000 : 1000, placeholder: isKept ? t("secret.kept") : (one.kind === "callback" && callback) || "",
    });
    if (one.kind === "whole") input.pattern = "[0-9]+";
    const wrong = el("p.mistake", {});
    controls.set(one.key, { one, input, wrong });
    const hint = [inLanguage(one.hint), isKept && t("secret.kept.hint")].filter(Boolean).join(". ");
    return el("div", {}, field(inLanguage(one.title) + (one.required ? "" : ` (${t("optional")})`), input, hint), wrong);
  });
  return { controls, parts };
}

// What was typed, as the endpoint takes it: only what differs from what is there.
function typed(controls, kept) {
  const settings = {}, secrets = {};
  for (const { one, input } of controls.values()) {
    const text = input.value.trim();
    if (one.kind === "secret") {
      if (text) secrets[one.key] = text;
      continue;
    }
    const value = text === "" ? null : one.kind === "whole" ? Number(text) : text;
    if (value !== (kept.settings[one.key] ?? null)) settings[one.key] = value;
  }
  return { settings, secrets };
}

const NOTHING = { settings: {}, secrets: [] };

// Title, address and the way in: the same form for a new account and for one that is there.
function form({ crm, kept, begun, heading, buttons, submit }) {
  const ways = crm.form.ways;
  let entry = ways.find((one) => one.name === begun) || ways[0];
  let fields = null;
  const title = el("input", { value: kept.title || "", maxLength: 200, name: "title" });
  const address = el("input", { value: kept.address || "", required: true, maxLength: 1000, name: "address", inputMode: "url", placeholder: crm.form.example, spellcheck: false });
  const wrong = { url: el("p.mistake", {}), name: el("p.mistake", {}) };
  const said = el("div.mistake", { role: "alert" });
  const body = el("div.gear", {});
  const draw = () => {
    fields = wayFields(entry, crm.callback, kept);
    fill(body, el("p.hint", {}, inLanguage(entry.hint)), fields.parts);
  };
  const choose = ways.length > 1 && field(t("account.way"), select(ways.map((one) => [one.name, inLanguage(one.title)]), entry.name, (next) => {
    entry = ways.find((one) => one.name === next);
    draw();
  }, { name: "way" }));
  draw();
  return el("form.gear", { onsubmit: once(async () => {
    fill(said);
    for (const place of [...Object.values(wrong), ...[...fields.controls.values()].map((one) => one.wrong)]) fill(place);
    const opened = entry.consent && submit.opens(entry, fields) ? consentWindow() : null;
    const all = typed(fields.controls, kept);
    // What belongs to another way would win over what is typed now.
    for (const other of ways) {
      for (const one of other.fields) {
        if (one.kind !== "secret" && !fields.controls.has(one.key) && kept.settings[one.key] !== undefined) all.settings[one.key] = null;
      }
    }
    try {
      await submit({ title: title.value.trim(), address: address.value.trim(), ...all, entry, opened });
    } catch (error) {
      if (opened) opened.close();
      const places = { url: wrong.url, name: wrong.name };
      for (const [key, one] of fields.controls) places[key] = one.wrong;
      mistakes(error, said, places);
    }
  }) },
    heading,
    field(t("account.title"), title, t("account.title.hint")), wrong.name,
    field(inLanguage(crm.form.address), address, t("account.address.hint")), wrong.url,
    choose, body, said, el("div.row", {}, buttons));
}

// A new account (S0-01, S0-02). `done` is told its id.
export function addAccount(tenant, crms, { done, cancel }) {
  const place = el("div", {});
  const draw = (name) => {
    const crm = crms.find((one) => one.form.crm === name);
    const submit = async ({ title, address, settings, secrets, entry, opened }) => {
      const seen = await read(`/v1/tenants/${way(tenant)}`);
      const id = slug(host(address), crm.form.crm, seen.data.accounts.map((one) => one.account));
      const body = { account: id, crm: crm.form.crm, address, settings: filled(settings), secrets };
      if (title) body.title = title;
      const { data } = await change("POST", `/v1/tenants/${way(tenant)}/accounts`, body, seen.tag);
      if (!data.in_force) {
        if (opened) opened.close();
        say(t("saved_later", { why: data.why }), "warn");
        return done(id);
      }
      const one = { tenant, account: id, title: title || id, alarm: "new", credential: null };
      if (!entry.consent) {
        say(t("account.added"));
        return done(id);
      }
      const wrong = el("p.hint", {});
      await connect(one, {
        opened, reload: () => done(id),
        show: (...what) => fill(place, el("p", {}, t("account.added")), what, wrong, codeForm(one, () => done(id)),
          el("div.row", {}, el("button", { type: "button", onclick: () => done(id) }, t("continue")))),
        hint: (text) => fill(wrong, text),
        fail: (error) => { fill(place, el("p.mistake", {}, error.message), el("button", { type: "button", onclick: () => done(id) }, t("continue"))); },
      });
    };
    submit.opens = () => Boolean(crm.callback);
    fill(place, form({
      crm, kept: NOTHING, submit,
      heading: [el("h3", {}, t("account.new")), field(t("account.crm"), select(crms.map((one) => [one.form.crm, one.form.title]), name, choose, { name: "crm" }))],
      buttons: [el("button.primary", { type: "submit" }, t("account.save")), el("button", { type: "button", onclick: cancel }, t("cancel"))],
    }));
  };
  const choose = (name) => {
    draw(name);
    place.querySelector("select").focus();
  };
  draw(crms[0].form.crm);
  return place;
}

// The gear (S0-04, S1-02): title, address, and what lets us in, typed anew; or all of it goes.
export async function changeAccount(one, { done, cancel }) {
  const [seen, known] = await Promise.all([read(accountPath(one)), get("/v1/crms")]);
  const crm = known.items.find((other) => other.form.crm === seen.data.crm);
  if (!crm) throw new Error(t("failed"));
  const kept = seen.data;
  const finish = ({ data }) => { say(data.in_force ? t("saved") : t("saved_later", { why: data.why }), data.in_force ? "good" : "warn"); done(one.account); };
  const submit = async ({ title, address, settings, secrets }) => {
    const body = {};
    if (title !== (kept.title || "")) body.title = title || null;
    if (address !== (kept.address || "")) body.address = address;
    if (Object.keys(settings).length) body.settings = settings;
    if (Object.keys(secrets).length) body.secrets = secrets;
    if (!Object.keys(body).length) return cancel();
    finish(await change("PATCH", accountPath(one), body, seen.tag));
  };
  submit.opens = () => false;
  const remove = async () => {
    if (!await ask(t("remove_sure", { what: one.title || one.account }), t("remove"), t("cancel"))) return;
    try {
      finish(await change("DELETE", accountPath(one), undefined, seen.tag));
    } catch (error) {
      mistakes(error, node.querySelector("[role=alert]"), {});
    }
  };
  const fits = (entry) => entry.fields.filter((other) => other.kind === "secret" ? kept.secrets.includes(other.key) : kept.settings[other.key] !== undefined).length;
  const begun = [...crm.form.ways].sort((a, b) => fits(b) - fits(a))[0].name;
  const node = form({
    crm, kept, begun, submit, heading: null,
    buttons: [el("button.primary", { type: "submit" }, t("save")), el("button", { type: "button", onclick: cancel }, t("cancel")),
      el("button.danger", { type: "button", onclick: remove }, t("remove"))],
  });
  return node;
}

const filled = (settings) => Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== null));

// The first name of an address's host.
function host(address) {
  const bare = address.replace(/^[a-z]+:\/\//i, "").split(/[/?#:]/)[0];
  return bare.split(".")[0];
}
