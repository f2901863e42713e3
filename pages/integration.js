// One integration: credentials, incoming, outgoing, mapping, other (S1-05), saved as one.
import { el, fill, field, select, table, badge, say } from "/pages/dom.js";
import { t, word } from "/pages/words.js";
import { get, read, change, way } from "/pages/api.js";
import { account, lists } from "/pages/accounts.js";
import { direction, other } from "/pages/calls.js";

const clone = (value) => structuredClone(value);
const equal = (a, b) => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
const sorted = (value) => Array.isArray(value) ? value.map(sorted)
  : value && typeof value === "object" ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])])) : value;

export async function integration(place) {
  const [tenant, id] = place.rest;
  const path = `/v1/tenants/${way(tenant)}/integrations/${way(id)}`;
  const [head, settings, known, status] = await Promise.all([
    read(path), read(`${path}/settings`), get("/v1/accounts"), get("/v1/status")]);
  const accounts = known.items.filter((one) => one.tenant === tenant);
  const mine = accounts.find((one) => one.account === head.data.account);
  const [crm, mapping] = mine ? await Promise.all([
    lists(tenant, mine.account).catch(() => null),
    get(`/v1/tenants/${way(tenant)}/accounts/${way(mine.account)}/mapping`).catch((error) => ({ trouble: error.message })),
  ]) : [null, null];
  if (!place.alive()) return;
  const state = { base: settings.data.settings, now: clone(settings.data.settings), tag: settings.tag, path: settings.data.path, mistakes: [] };
  const reload = () => integration(place);
  const at = status.integrations.find((one) => one.key === `${tenant}/${id}`);

  const blocks = [
    ["credentials", () => credentials(place, { path, head, accounts, mine, reload, at })],
    ["incoming", () => direction(editor("calls", "incoming"))],
    ["outgoing", () => direction(editor("calls", "outgoing"))],
    ["mapping", () => people(mapping)],
    ["other", () => other(editor("calls"))],
  ].filter(([name]) => mine || name === "credentials"); // S0-05: what it does comes after its credentials
  let open = place.query.get("block") || "credentials";
  if (!blocks.some(([name]) => name === open)) open = "credentials";
  const panel = el("div.stack", { role: "tabpanel", id: "panel", tabIndex: 0 });
  const tabs = blocks.map(([name]) => el("button.tab", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "panel", onclick: () => turn(name) }, t(`block.${name}`)));
  const list = el("div.tabs", { role: "tablist", "aria-label": t("blocks"), onkeydown: (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (blocks.findIndex(([name]) => name === open) + step + blocks.length) % blocks.length;
    turn(blocks[next][0]);
    tabs[next].focus();
  } }, tabs);
  const said = el("div", { role: "alert", id: "mistakes", tabIndex: -1 });
  const bar = el("div.savebar", { hidden: true },
    el("span", {}, t("changed")),
    el("button.primary", { type: "button", onclick: () => save() }, t("save")),
    el("button", { type: "button", onclick: () => { state.now = clone(state.base); state.mistakes = []; fill(said); draw(); } }, t("discard")));

  const isChanged = () => !equal(state.base, state.now);
  place.onLeave(() => !isChanged());
  const touched = () => { bar.hidden = !isChanged(); };

  // What a block edits: values by their way, hints of the CRM, and the mistakes beside them.
  function editor(...root) {
    const at = (way, make) => {
      let value = state.now;
      for (const key of way) {
        if (value[key] === undefined || value[key] === null) {
          if (!make) return undefined;
          value[key] = {};
        }
        value = value[key];
      }
      return value;
    };
    return {
      crm, accounts, root, employees: mapping && mapping.mapping ? mapping.mapping : {},
      get: (...way) => at([...root, ...way]),
      set(value, ...way) {
        const all = [...root, ...way];
        const last = all.pop();
        const holder = at(all, true);
        if (value === undefined || value === null || value === "") delete holder[last];
        else holder[last] = value;
        touched();
      },
      mistake(...way) {
        const wanted = `${state.path}.${[...root, ...way].join(".")}`;
        const found = state.mistakes.filter((one) => one.path === wanted || (way.length && one.path.startsWith(`${wanted}.`)) || (way.length && one.path.startsWith(`${wanted}[`)));
        return found.map((one) => one.message);
      },
      touched, draw,
    };
  }

  function turn(name) {
    open = name;
    history.replaceState(null, "", `#/integration/${way(tenant)}/${way(id)}?block=${name}`);
    draw();
  }

  function draw() {
    blocks.forEach(([name], place) => {
      const is = name === open;
      tabs[place].setAttribute("aria-selected", is);
      tabs[place].tabIndex = is ? 0 : -1;
      const wrong = state.mistakes.some((one) => one.path.startsWith(`${state.path}.calls.${name}`));
      tabs[place].classList.toggle("wrong", wrong);
    });
    panel.setAttribute("aria-labelledby", `tab-${open}`);
    fill(panel, blocks.find(([name]) => name === open)[1]());
    touched();
  }

  async function save() {
    fill(said);
    document.getElementById("said").replaceChildren();
    state.mistakes = [];
    try {
      const { data, tag } = await change("PUT", `${path}/settings`, { settings: state.now }, state.tag);
      state.base = clone(state.now);
      state.tag = tag;
      say(data.in_force ? t("saved") : t("saved_later", { why: data.why }), data.in_force ? "good" : "warn");
    } catch (error) {
      if (error.status === 412) return stale();
      state.mistakes = (error.body && error.body.places) || [];
      fill(said, el("section.card.bad", {}, el("h2", {}, state.mistakes.length ? t("mistakes", { count: state.mistakes.length }) : t("failed")),
        state.mistakes.length ? el("ul", {}, state.mistakes.map((one) => el("li", {}, el("code", {}, one.path.replace(`${state.path}.`, "")), ` ${one.message}`))) : el("p", {}, error.message)));
    }
    draw();
    if (said.firstChild) said.focus();
  }

  // Somebody else changed the file: shows what, and lets both changes stand.
  async function stale() {
    const fresh = await read(`${path}/settings`);
    const theirs = differences(state.base, fresh.data.settings);
    const ours = differences(state.base, state.now);
    const both = theirs.filter((one) => ours.some((mine) => mine.path === one.path || mine.path.startsWith(`${one.path}.`) || one.path.startsWith(`${mine.path}.`)));
    const take = () => {
      const merged = clone(fresh.data.settings);
      for (const one of ours) put(merged, one.path.split("."), one.after);
      Object.assign(state, { base: fresh.data.settings, now: merged, tag: fresh.tag, path: fresh.data.path });
      fill(said);
      draw();
    };
    const show = (value) => value === undefined ? "—" : JSON.stringify(value);
    const rows = theirs.map((one) => el("tr", {}, el("th", { scope: "row" }, el("code", {}, one.path), both.includes(one) && badge("warn", t("stale.both"))),
      el("td", {}, show(one.before)), el("td", {}, show(one.after))));
    fill(said, el("section.card.warn", {}, el("h2", {}, t("stale")), el("p", {}, t("stale.hint")),
      table(t("stale"), [t("what"), t("before"), t("after")], rows, t("stale.elsewhere")),
      el("div.row", {}, el("button.primary", { type: "button", onclick: take }, t("stale.take")),
        el("button", { type: "button", onclick: reload }, t("stale.drop")))));
  }

  fill(place.main,
    el("p.way", {}, el("a", { href: "#/accounts" }, `← ${t("menu.accounts")}`)),
    el("h1", {}, `${t("integration")} ${id}`, " ", badge(head.data.activity === "on" ? "good" : head.data.activity === "observe" ? "warn" : "quiet", word("activity", head.data.activity))),
    list, said, panel, bar);
  draw();
}

export function differences(before, after, path = "") {
  if (equal(before, after)) return [];
  const isTable = (value) => value && typeof value === "object" && !Array.isArray(value);
  if (!isTable(before) || !isTable(after)) return [{ path, before, after }];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
    differences(before[key], after[key], path ? `${path}.${key}` : key));
}

function put(table, way, value) {
  const last = way.pop();
  for (const key of way) table = table[key] ??= {};
  if (value === undefined) delete table[last];
  else table[last] = value;
}

function credentials(place, { path, head, accounts, mine, reload, at }) {
  let chosen = head.data.account;
  const switchTo = async (body) => {
    try {
      const { data } = await change("PATCH", path, body, head.tag);
      say(data.in_force ? t("saved") : t("saved_later", { why: data.why }));
    } catch (error) {
      const text = (error.body.mistakes || []).join("; ");
      say(error.status === 412 ? t("stale.plain") : text || error.message, "bad");
    }
    reload();
  };
  const options = accounts.map((one) => [one.account, `${one.title || one.account} (${one.address})`]);
  const names = ["off", "observe", "on"];
  return [
    el("section.card", {}, el("h2", {}, t("activity")),
      el("fieldset.choices", {}, el("legend.hidden", {}, t("activity")), names.map((name) => el("label.choice", {},
        el("input", { type: "radio", name: "activity", value: name, checked: head.data.activity === name, onchange: () => switchTo({ activity: name }) }),
        el("span", {}, el("strong", {}, word("activity", name)), el("small", {}, t(`activity.${name}.hint`)))))),
      at && at.waiting_for && el("p.hint", {}, at.waiting_for)),
    el("section.card", {}, el("h2", {}, t("account")),
      accounts.length === 0 ? el("p.empty", {}, t("no_accounts")) : el("div.search", {},
        field(t("account.choose"), select(options, chosen, (next) => { chosen = next; }), t("account.choose.hint")),
        el("button", { type: "button", onclick: () => switchTo({ account: chosen }) }, t("account.use"))),
      mine && account(mine, reload)),
  ];
}

function people(found) {
  if (!found || found.trouble) return el("section.card.warn", {}, el("h2", {}, t("block.mapping")), el("p", {}, (found && found.trouble) || t("no_accounts")));
  const { pairs, gone, employees_alone, users_alone } = found.mapping;
  const row = (employee, user, kind, state, maybe) => el("tr", {}, el("th", { scope: "row" }, employee), el("td", {}, user), el("td", {}, badge(kind, t(state))), el("td", {}, maybe || "—"));
  const rows = [
    ...pairs.map((one) => row(one.name, `${one.user_name} (${one.user})`, one.active ? "good" : "bad", one.active ? "pair.good" : "pair.shut")),
    ...gone.map((one) => row(one.name, one.user, "bad", "pair.gone")),
    ...employees_alone.map((one) => row(one.name, "—", "warn", "pair.no_user", one.suggestion && `${one.suggestion.user_name} (${one.suggestion.user}), ${t(`likeness.${one.suggestion.by}`)}`)),
    ...users_alone.map((one) => row("—", `${one.name} (${one.user})`, "quiet", "pair.no_employee", one.suggestion)),
  ];
  return el("section.card", {}, el("h2", {}, t("block.mapping")), el("p.hint", {}, t("mapping.hint")),
    table(t("block.mapping"), [t("employee"), t("user"), t("state"), t("mapping.maybe")], rows, t("mapping.none")),
    found.limits && found.limits.length > 0 && el("ul.reasons", {}, found.limits.map((text) => el("li", {}, text))));
}
