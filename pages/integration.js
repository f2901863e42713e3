// One integration: its portal, and everything that it does, in tabs (S1-05), saved as one with the
// people of the company. What stands in a tab comes from the schema of the settings.
import { el, fill, badge, say } from "/pages/dom.js";
import { t, word, told, learn, language } from "/pages/words.js";
import { get, read, change, way } from "/pages/api.js";
import { clone, equal, conditions } from "/pages/values.js";

// The words that this page needs.
export const LISTS = ["integration-"];

// Where settings of calls, requests and chats stand together.
const KINDS = [["calls", "call"], ["requests", "request"], ["chats", "chat"]];
const TAB_OF = { filter: "filters", contact_name: "templates", deal_name: "templates", missed_deal_name: "templates", default_responsible: "responsibles", responsible: "responsibles", pipelines: "pipelines", fields: "fields", tags: "tags" };
const TOGETHER = Object.keys(TAB_OF);
const TABS = ["credentials", "incoming", "outgoing", "requests", "chats", "filters", "templates", "responsibles", "pipelines", "fields", "tags", "schedule", "mapping", "deals", "other"];

// The files of a tab, and the lists of its words: they are loaded when the tab is opened first.
const NEEDS = {
  credentials: ["access", "portal-"],
  incoming: ["form", "settings-", "settings-calls-"],
  outgoing: ["form", "settings-", "settings-calls-"],
  requests: ["form", "settings-", "settings-requests-"],
  chats: ["form", "settings-", "settings-requests-"],
  filters: ["form", "settings-", "settings-rules-"],
  templates: ["form", "settings-", "settings-rules-"],
  responsibles: ["form", "settings-", "settings-rules-"],
  pipelines: ["form", "settings-", "settings-rules-"],
  fields: ["form", "settings-", "settings-rules-"],
  tags: ["form", "settings-", "settings-rules-"],
  schedule: ["form", "settings-", "settings-hours-"],
  mapping: ["form", "people", "settings-", "settings-people-"],
  deals: ["form", "settings-", "settings-deals-"],
  other: ["form", "settings-", "settings-other-"],
};

// The tab of a setting, by its way.
function tabOf([root, kind, key, inner]) {
  if (root === "employees") return "mapping";
  if (["schedules", "schedule"].includes(kind)) return "schedule";
  if (kind === "employees") return "mapping";
  if (kind === "deals") return "deals";
  if (kind === "calls") return ["incoming", "outgoing"].includes(key) ? TAB_OF[inner] || key : TAB_OF[key] || "other";
  return ["requests", "chats"].includes(kind) ? TAB_OF[key] || kind : "other";
}

export async function integration(place) {
  const [tenant, id] = place.rest;
  const path = `/v1/tenants/${way(tenant)}/integrations/${way(id)}`;
  const none = (error) => { if (error.status === 404) return null; throw error; };
  const [head, settings, staff, known, status, form, here] = await Promise.all([
    read(path), read(`${path}/settings`), read(`/v1/tenants/${way(tenant)}/employees`), get("/v1/accounts"), get("/v1/status"),
    get(`/v1/settings/form?lang=${language}`), get(`${path}/form`).catch(none)]);
  const accounts = known.items.filter((one) => one.tenant === tenant);
  const mine = accounts.find((one) => one.account === head.data.account);
  const ofAccount = (what) => get(`/v1/tenants/${way(tenant)}/accounts/${way(mine.account)}/${what}`);
  const [crm, mapping] = mine ? await Promise.all([
    // Pipelines, users and fields, live from the CRM; null where this daemon cannot tell.
    ofAccount("lists").catch((error) => error.status === 503 ? { fresh: false, why_not: error.message, pipelines: [], users: [], fields: [], task_types: [] } : null),
    ofAccount("mapping").catch((error) => ({ trouble: error.message })),
  ]) : [null, null];
  if (!place.alive()) return;
  const whole = (settings, staff) => ({ settings: settings.data.settings, employees: staff.data.employees });
  const base = whole(settings, staff);
  const state = { base, now: clone(base), tag: settings.tag, path: settings.data.path, mistakes: [] };
  const reload = () => integration(place);
  const at = status.integrations.find((one) => one.key === `${tenant}/${id}`);
  const schema = form.settings;

  // What a form edits: values by their way, and the mistakes beside them.
  const follow = (root, way) => way.reduce((value, key) => value === undefined || value === null ? undefined : value[key], root);
  const written = ([root, ...rest]) => rest.reduce((text, key) => typeof key === "number" ? `${text}[${key}]` : `${text}.${key}`, root === "settings" ? state.path : root);
  const values = {
    get: (way) => follow(state.now, way),
    base: (way) => follow(state.base, way),
    set(way, value, empty) {
      const gone = value === undefined || value === null || (value === "" && !empty);
      if (gone && follow(state.now, way.slice(0, -1)) === undefined) return;
      let holder = state.now;
      way.slice(0, -1).forEach((key, place) => { holder = holder[key] ??= typeof way[place + 1] === "number" ? [] : {}; });
      const last = way[way.length - 1];
      if (gone) delete holder[last];
      else holder[last] = value;
      touched();
    },
    mistakes(way, deep) {
      const wanted = written(way);
      return state.mistakes.filter((one) => one.path === wanted || (deep && (one.path.startsWith(`${wanted}.`) || one.path.startsWith(`${wanted}[`)))).map((one) => one.message);
    },
    changed: () => touched(),
    redraw: () => draw(),
  };
  // What the tabs that were opened have loaded; `one` is the form, which most of them need.
  const loaded = {};
  const ready = new Set();
  let one, ordered;
  async function load(name) {
    await Promise.all(NEEDS[name].map(async (part) => part.endsWith("-") ? learn(part) : loaded[part] = await import(`/pages/${part}.js`)));
    if (loaded.form && !one) {
      ordered = loaded.form.ordered;
      one = new loaded.form.Form({ at: values, lists: crm, here, defs: { ...schema.$defs }, variables: form.variables, path, account: head.data.account });
    }
    ready.add(name);
  }

  // The schema of a setting, by its way.
  const schemaOf = (way) => way.reduce((part, key) => one.resolve(one.resolve(part).properties[key]), schema);
  const offers = (kind) => !here || !here.kinds || here.kinds.includes(kind);
  const has = (way) => values.get(["settings", ...way]) !== undefined;
  const card = (way, title) => {
    const holder = schemaOf(way.slice(0, -1));
    const key = way[way.length - 1];
    return one.card(holder.properties[key], ["settings", ...way], { owner: holder.part, title, required: (holder.required || []).includes(key) });
  };
  const kinds = (draw) => KINDS.filter(([kind, word]) => has([kind]) || (kind === "calls" && offers(word))).map(([kind]) => draw(kind, t(`kind.${kind}`)));
  const off = (list) => list.length ? list : el("p.empty", {}, t("kinds.none"));

  function direction(name) {
    const holder = schemaOf(["calls", name]);
    return ordered(Object.keys(holder.properties)).filter((key) => !TOGETHER.includes(key)).map((key) => card(["calls", name, key]));
  }

  function communications(kind, word) {
    if (!offers(word) && !has([kind])) return el("p.empty", {}, t("kinds.not_offered"));
    const holder = schemaOf([kind]);
    return el("section.card", {}, el("h2", {}, t(`kind.${kind}`)), has([kind]) && !values.get(["settings", kind, "default_responsible"]) && el("p.hint", {}, t("kinds.responsible")),
      kindSwitch(kind, holder));
  }

  // The switch of requests or chats, and what stands in no other tab.
  function kindSwitch(kind, holder) {
    const is = has([kind]) && values.get(["settings", kind, "on"]) !== false;
    return [one.switch(t(`kind.${kind}.on`), t(`kind.${kind}.on.hint`), is, (on) => {
      if (!has([kind])) values.set(["settings", kind], one.least(holder));
      else one.put(["settings", kind, "on"], on, true);
      draw();
    }), is && one.table(holder, ["settings", kind], { skip: ["on", ...TOGETHER] }), one.wrong(["settings", kind])];
  }

  // One setting of every kind of communication, in a card each.
  const together = (key, only = KINDS.map(([kind]) => kind)) => off(kinds((kind, title) => only.includes(kind) && card([kind, key], title)).filter(Boolean));

  function filters() {
    const cards = kinds((kind, title) => kind === "calls"
      ? ["incoming", "outgoing"].map((name) => card(["calls", name, "filter"], `${title}: ${t(`block.${name}`).toLowerCase()}`))
      : card([kind, "filter"], title));
    return off(cards);
  }

  function templates() {
    const names = (way, title) => el("section.card", {}, el("h2", {}, title), el("div.fields.one", {}, ["contact_name", "deal_name", "missed_deal_name"].filter((key) => schemaOf(way).properties[key]).map((key) => {
      const holder = schemaOf(way);
      return one.setting(holder.properties[key], ["settings", ...way, key], { owner: holder.part, key });
    })));
    return [el("p.hint", {}, t("templates.hint")), off(kinds((kind, title) => kind === "calls"
      ? ["incoming", "outgoing"].map((name) => names(["calls", name], `${title}: ${t(`block.${name}`).toLowerCase()}`)) : names([kind], title)))];
  }

  function responsibles() {
    return off(kinds((kind, title) => {
      const holder = schemaOf([kind]);
      const inner = (key, required) => one.setting(holder.properties[key], ["settings", kind, key], { owner: holder.part, key, required });
      return el("section.card", {}, el("h2", {}, title), el("div.fields", {}, inner("default_responsible", true)), inner("responsible"), one.wrong(["settings", kind]));
    }));
  }

  function pipelines() {
    return off(kinds((kind, title) => {
      if (kind === "calls") return null;
      const method = values.get(["settings", kind, "method", "kind"]);
      const rules = values.get(["settings", kind, "pipelines"]) || [];
      if (method !== "contact_and_deal" && rules.length === 0) return el("section.card", {}, el("h2", {}, title), el("p.hint", {}, t("pipelines.method")));
      return card([kind, "pipelines"], title);
    }).filter(Boolean));
  }

  function schedule() {
    const holder = schema;
    const inner = (key) => one.setting(holder.properties[key], ["settings", key], { owner: "IntegrationSettings", key });
    return el("section.card", {}, el("h2", {}, t("block.schedule")), el("div.fields", {}, inner("schedule")), inner("schedules"));
  }

  function other() {
    const calls = schemaOf(["calls"]);
    const rest = ordered(Object.keys(schema.properties)).filter((key) => !KINDS.some(([kind]) => kind === key) && tabOf(["settings", key]) === "other");
    const plain = (key) => !one.resolve(schema.properties[key]).properties;
    return [offers("call") && el("section.card", {}, el("h2", {}, t("kind.calls")), one.table(calls, ["settings", "calls"], { skip: ["incoming", "outgoing", ...TOGETHER] })),
      rest.filter((key) => !plain(key)).map((key) => card([key])),
      el("section.card", {}, el("h2", {}, t("block.other")), el("div.fields", {}, rest.filter(plain).map((key) => one.setting(schema.properties[key], ["settings", key], { owner: "IntegrationSettings", key }))))];
  }

  const blocks = {
    credentials: () => loaded.access.credentials({ path, head, accounts, mine, reload, at }),
    incoming: () => direction("incoming"),
    outgoing: () => direction("outgoing"),
    requests: () => communications("requests", "request"),
    chats: () => communications("chats", "chat"),
    filters, templates, responsibles, pipelines,
    fields: () => together("fields"),
    tags: () => together("tags"),
    schedule,
    mapping: () => loaded.people.people({ form: one, at: values, mapping, employee: form.employee, sources: (here && here.sources) || [], tenant, account: head.data.account, path, redraw: draw, settings: () => one.setting(schema.properties.employees, ["settings", "employees"], { owner: "IntegrationSettings", key: "employees", bare: true, required: true }) }),
    deals: () => card(["deals"], t("block.deals")),
    other,
  };
  const shownTabs = TABS.filter((name) => mine || name === "credentials") // S0-05: what it does comes after its credentials
    .filter((name) => !["requests", "chats"].includes(name) || has([name]) || offers(name.slice(0, -1)));
  let open = shownTabs.includes(place.query.get("block")) ? place.query.get("block") : "credentials";
  const panel = el("div.stack", { role: "tabpanel", id: "panel", tabIndex: 0 });
  const tabs = Object.fromEntries(shownTabs.map((name) => [name, el("button.tab", { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "panel", onclick: () => turn(name) }, t(`block.${name}`))]));
  const list = el("div.tabs", { role: "tablist", "aria-label": t("blocks"), onkeydown: (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = shownTabs[(shownTabs.indexOf(open) + step + shownTabs.length) % shownTabs.length];
    turn(next);
    tabs[next].focus();
  } }, Object.values(tabs));
  const said = el("div", { role: "alert", id: "mistakes", tabIndex: -1 });
  const bar = el("div.savebar", { hidden: true },
    el("span", {}, t("changed")),
    el("button.primary", { type: "button", onclick: () => save() }, t("save")),
    el("button", { type: "button", onclick: () => { state.now = clone(state.base); state.mistakes = []; fill(said); draw(); } }, t("discard")));

  const isChanged = () => !equal(state.base, state.now);
  place.onLeave(() => !isChanged());
  const filterWays = [["calls", "incoming"], ["calls", "outgoing"], ["requests"], ["chats"]];
  function touched() {
    bar.hidden = !isChanged();
    const isSet = filterWays.some((way) => conditions(values.get(["settings", ...way, "filter"])) > 0);
    tabs.filters.classList.toggle("set", isSet);
    tabs.filters.title = isSet ? t("filter.some") : "";
  }

  function turn(name) {
    open = name;
    history.replaceState(null, "", `#/integration/${way(tenant)}/${way(id)}?block=${name}`);
    draw();
  }

  // The way of a mistake, from how the file's mistakes name it.
  const wayOf = (path) => (path.startsWith(`${state.path}.`) ? `settings.${path.slice(state.path.length + 1)}` : path).split(/[.[\]]+/).filter(Boolean);

  function draw() {
    const wrong = state.mistakes.map((one) => tabOf(wayOf(one.path)));
    for (const name of shownTabs) {
      const is = name === open;
      tabs[name].setAttribute("aria-selected", is);
      tabs[name].tabIndex = is ? 0 : -1;
      tabs[name].classList.toggle("wrong", wrong.includes(name));
    }
    panel.setAttribute("aria-labelledby", `tab-${open}`);
    if (!ready.has(open)) {
      const wanted = open;
      fill(panel, el("p.loading", {}, t("loading")));
      load(wanted).then(() => wanted === open && draw(), (error) => say(error.message, "bad"));
      return touched();
    }
    const top = scrollY;
    const focus = panel.contains(document.activeElement) && document.activeElement.closest("[data-way]")?.dataset.way;
    fill(panel, blocks[open]());
    scrollTo({ top });
    if (focus) panel.querySelector(`[data-way="${CSS.escape(focus)}"] :is(select, input, textarea)`)?.focus({ preventScroll: true });
    touched();
  }

  async function save() {
    fill(said);
    document.getElementById("said").replaceChildren();
    state.mistakes = [];
    const steps = [
      ["employees", `/v1/tenants/${way(tenant)}/employees`, () => ({ employees: state.now.employees })],
      ["settings", `${path}/settings`, () => ({ settings: state.now.settings })],
    ].filter(([key]) => !equal(state.base[key], state.now[key]));
    // Who goes must not be named any more; who comes must be there before being named.
    const gone = state.base.employees.some((one) => !state.now.employees.some((other) => other.id === one.id));
    if (gone) steps.reverse();
    try {
      for (const [key, place, body] of steps) {
        const { data, tag } = await change("PUT", place, body(), state.tag);
        state.base[key] = clone(state.now[key]);
        state.tag = tag;
        if (key === steps[steps.length - 1][0]) say(data.in_force ? t("saved") : t("saved_later", { why: data.why }), data.in_force ? "good" : "warn");
      }
    } catch (error) {
      if (error.status === 412) {
        const { stale } = await import("/pages/stale.js");
        return stale({ tenant, path, state, whole, said, draw, reload });
      }
      state.mistakes = (error.body && error.body.places) || [];
      fill(said, el("section.card.bad", {}, el("h2", {}, state.mistakes.length ? t("mistakes", { count: state.mistakes.length }) : t("failed")),
        state.mistakes.length ? el("ul", {}, state.mistakes.map((one) => {
          const tab = tabOf(wayOf(one.path));
          return el("li", {}, tabs[tab] && [el("button.link", { type: "button", onclick: () => turn(tab) }, t(`block.${tab}`)), ": "], el("code", {}, one.path.replace(`${state.path}.`, "")), ` ${one.message}`);
        })) : el("p", {}, error.message)));
      const first = state.mistakes.map((one) => tabOf(wayOf(one.path))).find((tab) => tabs[tab]);
      if (first && !state.mistakes.some((one) => tabOf(wayOf(one.path)) === open)) open = first;
    }
    draw();
    if (said.firstChild) said.focus();
  }

  fill(place.main,
    el("p.way", {}, el("a", { href: "#/accounts" }, `← ${t("menu.accounts")}`)),
    el("h1", {}, `${t("integration")} ${id}`, " ", badge(head.data.activity === "on" ? "good" : head.data.activity === "observe" ? "warn" : "quiet", word("activity", head.data.activity))),
    crm && !crm.fresh && el("section.card.warn", {}, el("p", {}, t("lists.stale", { why: told(crm.why_not) }))),
    list, said, panel, bar);
  draw();
}
