// Who of the company is who in the CRM (S1-06): the pairs with what is wrong with them, proposals to
// take over, and the people themselves.
import { el, fill, table, badge, say } from "/pages/dom.js";
import { t, time, number } from "/pages/words.js";
import { get, post, way } from "/pages/api.js";

const LETTERS = Object.fromEntries("а:a б:b в:v г:g д:d е:e ё:e ж:zh з:z и:i й:y к:k л:l м:m н:n о:o п:p р:r с:s т:t у:u ф:f х:h ц:c ч:ch ш:sh щ:sch ъ: ы:y ь: э:e ю:yu я:ya".split(" ").map((pair) => pair.split(":")));

// An identifier that nobody has: the surname in Latin letters.
function idOf(name, taken) {
  const latin = [...String(name).toLowerCase().split(/\s+/)[0]].map((letter) => LETTERS[letter] ?? letter).join("").replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "");
  const stem = latin || "employee";
  let id = stem;
  for (let number = 2; taken.includes(id); number += 1) id = `${stem}-${number}`;
  return id;
}

export function people({ form, at, mapping, employee, sources, tenant, account, path, settings, redraw }) {
  const all = at.get(["employees"]) || [];
  const taken = all.map((one) => one.id);
  const pair = (id, user) => {
    const place = all.findIndex((one) => one.id === id);
    if (place < 0) return;
    const users = (all[place].users || []).filter((one) => one.account !== account);
    at.set(["employees", place, "users"], [...users, { account, user: String(user) }]);
    redraw();
  };
  const add = (person) => {
    at.set(["employees"], [...all, { id: person.id && !taken.includes(person.id) ? person.id : idOf(person.name || person.extension, taken), ...person, ...(person.id && taken.includes(person.id) ? { id: idOf(person.name, taken) } : {}) }]);
    redraw();
  };
  const userOf = (one) => (one.users || []).find((pair) => pair.account === account)?.user;
  return [
    fromCrm(form, path, settings),
    el("section.card", {}, el("h2", {}, t("mapping.title")), el("p.hint", {}, t("mapping.hint")), report()),
    sources.length > 0 && phones(),
    el("section.card", {}, el("h2", {}, t("people")), el("p.hint", {}, t("people.hint")),
      form.list(form.resolve(employee), ["employees"], "Employee", "employees", t("people"), undefined, true)),
  ];

  // Pairs as they stand on this page, with what the CRM says of their users.
  function report() {
    if (!mapping || mapping.trouble) return el("p", {}, (mapping && mapping.trouble) || t("no_accounts"));
    const { pairs, gone, employees_alone, users_alone } = mapping.mapping;
    const users = new Map([...pairs.map((one) => [one.user, { name: one.user_name, active: one.active }]), ...users_alone.map((one) => [one.user, { name: one.name, active: true }]),
      ...(form.lists.users || []).map((one) => [String(one.id), { name: one.name, active: one.active !== false }])]);
    const row = (name, user, kind, state, maybe) => el("tr", {}, el("th", { scope: "row" }, name), el("td", {}, user), el("td", {}, badge(kind, t(state))), el("td", {}, maybe || "—"));
    const rows = all.map((one) => {
      const user = userOf(one);
      const found = users.get(user);
      const proposed = (employees_alone.find((alone) => alone.employee === one.id || alone.name === one.name) || {}).suggestion;
      if (user === undefined) return row(one.name || one.id, "—", "warn", "pair.no_user", proposed && el("button", { type: "button", onclick: () => pair(one.id, proposed.user) }, t("mapping.take", { who: `${proposed.user_name} (${t(`likeness.${proposed.by}`)})` })));
      if (!found) return row(one.name || one.id, user, mapping.users_listed && gone.some((lost) => lost.user === user) ? "bad" : "quiet", mapping.users_listed ? "pair.gone" : "pair.good");
      return row(one.name || one.id, `${found.name} (${user})`, found.active ? "good" : "bad", found.active ? "pair.good" : "pair.shut");
    });
    const paired = new Set(all.map(userOf).filter((one) => one !== undefined));
    const alone = users_alone.filter((one) => !paired.has(one.user));
    return [table(t("block.mapping"), [t("employee"), t("user"), t("state"), t("mapping.maybe")], rows, t("mapping.none")),
      alone.length > 0 && el("details", {}, el("summary", {}, t("mapping.users", { count: alone.length })),
        el("ul.plain", {}, alone.map((one) => el("li.row", {}, el("span", {}, `${one.name} (${one.user})`),
          el("button", { type: "button", onclick: () => add({ name: one.name, users: [{ account, user: String(one.user) }] }) }, t("people.add")))))),
      mapping.limits && mapping.limits.length > 0 && el("ul.reasons", {}, mapping.limits.map((text) => el("li", {}, text)))];
  }

  // The people whom a phone system lists, to be taken over.
  function phones() {
    const box = el("div.stack", { role: "status" });
    const look = async (source) => {
      fill(box, el("p.hint", {}, t("loading")));
      try {
        const roster = await get(`/v1/tenants/${way(tenant)}/sources/${way(source.id)}/roster`);
        const has = (named) => (at.get(["employees"]) || []).some((one) => (one.extensions || []).some((own) => own.source === source.id && own.extension === named));
        const fresh = roster.employees.filter((one) => one.named && !has(one.named));
        fill(box, el("h3", {}, roster.system), fresh.length === 0 ? el("p.empty", {}, t("roster.none")) : el("ul.plain", {}, fresh.map((one) => el("li.row", {},
          el("span", {}, [one.name || one.named, one.extension && one.extension !== one.name && `(${one.extension})`].filter(Boolean).join(" ")),
          el("button", { type: "button", onclick: () => add({ ...(one.id ? { id: one.id } : {}), name: one.name || one.named, ...(one.email ? { email: one.email } : {}), extensions: [{ source: source.id, extension: one.named }] }) }, t("people.add"))))),
        [...roster.limits, ...roster.remarks].length > 0 && el("ul.reasons", {}, [...roster.limits, ...roster.remarks].map((text) => el("li", {}, text))));
      } catch (error) {
        fill(box, el("p.mistake", {}, error.message));
        if (error.status === 0) say(error.message, "bad");
      }
    };
    return el("section.card", {}, el("h2", {}, t("roster")), el("p.hint", {}, t("roster.hint")),
      el("div.row", {}, sources.map((one) => el("button", { type: "button", onclick: () => look(one) }, t("roster.read", { source: one.name })))), box);
  }
}

// Employees who come from the CRM: the switch, who came, and the button that reads them now (S2-04 …
// S2-07, V-02).
function fromCrm(form, path, settings) {
  const box = el("div.stack", { role: "status" });
  const look = async () => {
    try {
      const { state, employees } = await get(`${path}/employees`);
      fill(box, state.on ? came(state, employees) : el("p.empty", {}, t("sync.off")));
    } catch (error) {
      fill(box, error.status === 404 ? el("p.empty", {}, t("sync.absent")) : el("p.mistake", {}, error.message));
    }
  };
  const came = (state, employees) => [
    el("p", {}, state.manual_at ? t("sync.last", { at: time(state.read_at || state.manual_at), count: number(employees.length) }) : t("sync.never")),
    el("p.hint", {}, t(`sync.${state.manner}`)),
    state.trouble && el("p.mistake", {}, state.trouble),
    state.manual_at && state.remark && el("p.hint", {}, state.remark),
    state.under_way ? el("p.hint", {}, t("sync.under_way")) : null,
    employees.length > 0 && el("details", {}, el("summary", {}, t("sync.who", { count: number(employees.length) })),
      el("ul.plain", {}, employees.map((one) => el("li", {}, `${one.name || one.user} (${one.user})`, one.in_file && [" ", el("small", {}, t("sync.in_file"))])))),
    el("div.row", {}, el("button", { type: "button", onclick: sync, disabled: state.under_way }, t("sync.now")),
      state.under_way && el("button", { type: "button", onclick: look }, t("sync.look"))),
  ];
  const sync = async (event) => {
    event.currentTarget.disabled = true;
    fill(box, el("p.hint", {}, t("sync.asking")));
    try {
      const { report, not_in_force } = await post(`${path}/employees/sync`);
      if (!report) say(t("sync.under_way"), "warn");
      else say([t("sync.done", { added: report.added.length, changed: report.changed.length, removed: report.removed.length }), not_in_force].filter(Boolean).join(" "), not_in_force ? "warn" : "good");
    } catch (error) {
      say(error.message, "bad");
    }
    await look();
  };
  look();
  return el("section.card", {}, el("h2", {}, t("sync")), el("p.hint", {}, t("sync.hint")), settings(), box);
}
