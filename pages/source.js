// One source: what it is and how it does, everything that can be set of it, and a look around in it.
import { el, fill, field, select, table, badge, say, ask } from "/pages/dom.js";
import { t, word, words, time, teach, inLanguage, language } from "/pages/words.js";
import { get, read, change, way } from "/pages/api.js";
import { Declared, Draft, named, rows, written } from "/pages/declared.js";
import { saver } from "/pages/saving.js";

const NEW = "+";
const SECRET = "SECRET";

// What was just typed as the secret of an address: shown once, to be pasted.
const typedHooks = new Map();
const shownOnce = (key) => {
  const hook = typedHooks.get(key);
  typedHooks.delete(key);
  return hook;
};

// The words that this page needs: it is drawn with what tabs of an integration are.
export const LISTS = ["sources-", "settings-"];

export async function source(place) {
  const [tenant, id] = place.rest;
  const company = `/v1/tenants/${way(tenant)}`;
  const path = `${company}/sources/${way(id)}`;
  const isNew = id === NEW;
  const [kinds, here, seen, staff, guide] = await Promise.all([
    get("/v1/source-kinds"), read(company), isNew ? null : read(path), get(`${company}/employees`), get(`/v1/guide?lang=${language}`)]);
  if (!place.alive()) return;
  const at = guide.sources.find((one) => one.key === `${tenant}/${id}`);
  const draw = (kind, carried) => editor(place, { carried, tenant, id, company, path, isNew, kinds, kind, here, seen, staff, at, redraw: draw });
  draw(isNew ? kinds.items[0].kind : seen.data.kind);
}

function editor(place, { carried, tenant, id, company, path, isNew, kinds, kind, here, seen, staff, at, redraw }) {
  const entry = kinds.items.find((one) => one.kind === kind);
  if (!entry) return fill(place.main, back(), el("h1", {}, id), el("p.mistake", {}, t("source.unknown", { kind })));
  const part = `@${kind}`;
  teach(Object.fromEntries(entry.titles.flatMap(({ key, title, hint_ru: hint }) => [[`${part}.${key}`, inLanguage(title)], ...(hint && language === "ru" ? [[`${part}.${key}.hint`, hint]] : [])])));
  const settings = named(entry.settings, part);
  const common = named(kinds.source, "Source");
  const kept = isNew ? [] : seen.data.secrets;
  const root = isNew ? `sources[${here.data.sources.length}]` : seen.data.path;
  const draft = new Draft({
    value: isNew ? {} : seen.data.values, tag: isNew ? here.tag : seen.tag, path: (way) => written(root, way),
    beside: { employees: staff.employees }, changed: () => saving.touched(), redraw: () => show(),
  });
  // What was typed before another kind was chosen.
  if (carried) draft.now = carried;
  const secrets = {};
  draft.typed = () => Object.values(secrets).some((value) => value !== undefined);
  draft.read = async () => { const fresh = await read(isNew ? company : path); return { value: isNew ? {} : fresh.data.values, tag: fresh.tag }; };
  const form = new Declared({ at: draft, here: { sources: here.data.sources.map((one) => ({ id: one.source, name: one.name || one.source })) }, defs: {}, variables: {} });
  const saving = saver({
    draft, draw: () => show(), leave: place.onLeave,
    again: () => isNew ? undefined : source(place),
    send: async () => {
      const answer = await change("PUT", path, { values: draft.now, secrets: { ...secrets } }, draft.tag);
      remember(id);
      return answer;
    },
  });
  const remember = (source) => { if (secrets.hook) typedHooks.set(`${tenant}/${source}`, secrets.hook); };

  const first = (key) => entry.first.includes(key);
  const keys = Object.keys(settings.properties || {});
  const needed = (key) => (settings.required || []).includes(key);
  const one = (key) => form.setting(settings.properties[key], ["settings", key], { owner: part, key, required: needed(key) });
  const secret = (name) => secretField({ name, part, entry, kept: kept.includes(name), secrets, draft, isFirst: first(`secrets.${name}`), touched: () => saving.touched() });
  const main = el("div.stack", {});
  const more = el("div.stack", {});
  const rest = el("div.stack", {});
  const deeper = (title, box) => el("details", {}, el("summary", {}, el("h2", {}, title)), box);
  const details = [deeper(t("source.more"), more), deeper(t("source.common"), rest)];

  function show() {
    const names = entry.secrets.map((one) => one.name);
    fill(main, rows([form.setting(common.properties.name, ["name"], { owner: "Source", key: "name" }),
      ...entry.first.filter((key) => !key.startsWith("secrets.") || names.includes(key.slice(8))).map((key) => key.startsWith("secrets.") ? secret(key.slice(8)) : one(key))]));
    fill(more, rows([...keys.filter((key) => !first(key)).map(one), ...names.filter((name) => !first(`secrets.${name}`)).map(secret)]));
    fill(rest, rows(Object.keys(common.properties).filter((key) => key !== "name").map((key) => form.setting(common.properties[key], [key], { owner: "Source", key }))));
    // What was refused is not hidden.
    details[0].open ||= Boolean(more.querySelector(".mistake"));
    details[1].open ||= Boolean(rest.querySelector(".mistake"));
  }

  async function add() {
    fill(saving.said);
    draft.wrong = [];
    try {
      const { slug } = await import("/pages/joining.js");
      const seenNow = await read(company);
      draft.tag = seenNow.tag;
      const fresh = slug(draft.now.name || kind, kind, seenNow.data.sources.map((one) => one.source));
      const typed = Object.fromEntries(Object.entries(secrets).filter(([, value]) => value));
      const { data } = await change("POST", `${company}/sources`, { source: fresh, kind, values: draft.now, secrets: typed }, draft.tag);
      remember(fresh);
      place.onLeave(() => true);
      say(data.in_force ? t("source.added") : t("saved_later", { why: data.why }), data.in_force ? "good" : "warn");
      location.hash = `#/source/${way(tenant)}/${way(fresh)}`;
    } catch (error) {
      saving.refused(error);
      show();
      saving.said.focus();
    }
  }

  const remove = async () => {
    if (!await ask(t("source.remove_sure", { what: draft.before.name || id }), t("remove"), t("cancel"))) return;
    try {
      const { data } = await change("DELETE", path, undefined, draft.tag);
      say(data.in_force ? t("source.removed") : t("saved_later", { why: data.why }), data.in_force ? "good" : "warn");
      place.onLeave(() => true);
      location.hash = "#/accounts";
    } catch (error) {
      saving.refused(error);
      saving.said.focus();
    }
  };

  const choose = (next) => { redraw(next, draft.now.name ? { name: draft.now.name } : undefined); place.main.querySelector("select[name=kind]").focus(); };
  const settingsCard = el("section.card.stack", {},
    isNew ? [el("h2.hidden", {}, t("source.settings")), field(t("source.kind"), select(kinds.items.map((one) => [one.kind, inLanguage(one.title)]), kind, choose, { name: "kind" }), inLanguage(entry.hint))] : [el("h2", {}, t("source.settings")), el("p.hint", {}, inLanguage(entry.hint))],
    main, details);
  fill(place.main, back(),
    el("h1", {}, isNew ? t("source.new") : `${t("source")} ${draft.before.name || id}`, " ", !isNew && el("small", {}, inLanguage(entry.title))),
    saving.said, !isNew && state(at, shownOnce(`${tenant}/${id}`)),
    !isNew && at && at.session && discovery({ path, draft, show: () => { show(); saving.touched(); } }),
    settingsCard,
    isNew ? el("div.row", {}, el("button.primary", { type: "button", onclick: once(add) }, t("source.save")), el("a.button", { href: "#/accounts" }, t("cancel")))
      : el("div.row.last", {}, el("button.danger", { type: "button", onclick: remove }, t("source.remove"))),
    !isNew && saving.bar);
  show();
}

const once = (work) => async (event) => {
  const button = event.currentTarget;
  button.disabled = true;
  await work();
  button.disabled = false;
};

const back = () => el("p.way", {}, el("a", { href: "#/accounts" }, `← ${t("menu.accounts")}`));

// A secret: typed once, never shown; one that stands in an address can be made up here.
function secretField({ name, part, entry, kept, secrets, draft, isFirst, touched }) {
  const about = entry.secrets.find((one) => one.name === name);
  const title = words(`${part}.secrets.${name}`) ?? words(`Source.secrets.${name}`) ?? name;
  const own = words(`${part}.secrets.${name}.hint`) ?? words(`Source.secrets.${name}.hint`);
  const hint = [own ?? (language === "en" ? (about.description || "").replace(/`/g, "") : undefined), kept && t("secret.kept.hint")].filter(Boolean).join(" ");
  const input = el("input", {
    name: `secret-${name}`, type: "password", value: secrets[name] || "", autocomplete: "off", spellcheck: false, maxLength: 8000, placeholder: kept ? t("secret.kept") : "",
    oninput: () => { secrets[name] = input.value.trim() || undefined; touched(); },
  });
  const node = field(title + (isFirst || kept ? "" : ` (${t("optional")})`), input, hint || undefined);
  if (/^hook/.test(name)) {
    node.append(el("button", { type: "button", onclick: () => {
      input.type = "text";
      input.value = secrets[name] = [...crypto.getRandomValues(new Uint8Array(24))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      touched();
    } }, t("secret.make")));
  }
  if (kept && !isFirst) {
    const box = el("input", { type: "checkbox", checked: secrets[name] === null, onchange: () => { secrets[name] = box.checked ? null : undefined; input.disabled = box.checked; input.value = ""; touched(); } });
    node.append(el("label.choice", {}, box, el("span", {}, t("secret.forget"))));
  }
  const wrong = draft.mistakes(["secrets", name], true);
  if (wrong.length) {
    node.append(el("p.mistake", {}, wrong.join("; ")));
    input.setAttribute("aria-invalid", "true");
  }
  return node;
}

// How it does, who takes it, and what is pasted on its other side.
function state(at, hook) {
  if (!at) return el("section.card", {}, el("p.hint", {}, t("source.not_in_force")));
  const health = at.state && at.state.health;
  const address = at.address && (hook ? at.address.replace(SECRET, hook) : at.address);
  return el("section.card.stack", {}, el("h2", {}, t("state")),
    at.session && el("p", {}, badge(health === "up" ? "good" : "bad", health === "up" ? t("source.up") : t("source.down")), " ", health !== "up" && at.state && at.state.last_error),
    el("p", {}, at.last ? el("a", { href: `#/story/${way(at.last.key)}` }, t("source.last", { at: time(at.last.accepted_at) })) : t("source.silent")),
    el("p", {}, at.taken_by.length ? [t("source.taken"), " ", at.taken_by.map((key, place) => [place > 0 && ", ", el("a", { href: `#/integration/${way(key)}` }, key.split("/")[1])])] : t("source.taken.none")),
    address && [el("h3", {}, t("source.address")), el("p.hint", {}, hook ? t("source.address.once") : t("source.address.hint")), el("div.paste", {}, el("pre", { tabIndex: 0 }, address), copier(address))],
    el("p", {}, el("a", { href: "#/guide" }, t("source.guide"))));
}

const copier = (text) => el("button", { type: "button", onclick: async () => {
  try {
    await navigator.clipboard.writeText(text);
    say(t("copy.done"));
  } catch {
    say(t("copy.by_hand"), "warn");
  }
} }, t("copy"));

// A look around in a phone system: what is there, and what follows for the settings.
function discovery({ path, draft, show }) {
  const box = el("div.stack", { role: "status" });
  const look = once(async () => {
    fill(box, el("p.hint", {}, t("look.asking")));
    try {
      fill(box, found(await get(`${path}/discovery?lang=${language}`)));
    } catch (error) {
      fill(box, el("p.mistake", {}, error.message));
    }
  });
  const found = (all) => {
    const proposed = Object.entries(all.settings);
    const rows = all.endpoints.map((one) => el("tr", {}, el("th", { scope: "row" }, one.name, one.shown_name && el("small", {}, ` ${one.shown_name}`)), el("td", {}, word("role", one.role)),
      el("td", {}, word("certainty", one.certainty)), el("td", {}, one.taken_for === one.role ? badge("good", word("role", one.taken_for)) : badge("warn", word("role", one.taken_for)))));
    const take = () => {
      for (const [key, value] of proposed) {
        const before = draft.get(["settings", key]);
        const isTable = value && typeof value === "object" && !Array.isArray(value);
        draft.set(["settings", key], isTable ? { ...before, ...value } : value);
      }
      show();
      say(t("look.taken"));
    };
    return [el("h3", {}, all.system), !all.complete && el("p", {}, badge("warn", t("look.partly"))),
      [...all.limits, ...all.remarks].length > 0 && el("ul.reasons", {}, [...all.limits, ...all.remarks].map((text) => el("li", {}, text))),
      proposed.length > 0 && [el("p", {}, t("look.proposed")), el("pre", { tabIndex: 0 }, JSON.stringify(all.settings, null, 1)), el("div.row", {}, el("button.primary", { type: "button", onclick: take }, t("look.take")))],
      table(t("look.endpoints"), [t("look.endpoint"), t("look.role"), t("look.sure"), t("look.now")], rows, t("look.nothing"))];
  };
  return el("section.card.stack", {}, el("h2", {}, t("look")), el("p.hint", {}, t("look.hint")), el("div.row", {}, el("button", { type: "button", onclick: look }, t("look.do"))), box);
}
