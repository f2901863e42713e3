// A save that came too late: what somebody else changed meanwhile.
import { el, fill, table, badge } from "/pages/dom.js";
import { t } from "/pages/words.js";
import { read, way } from "/pages/api.js";
import { clone, equal } from "/pages/values.js";

// Somebody else changed the file: shows what, and lets both changes stand.
export async function stale({ tenant, path, state, whole, said, draw, reload }) {
  const [settings, staff] = await Promise.all([read(`${path}/settings`), read(`/v1/tenants/${way(tenant)}/employees`)]);
  const fresh = whole(settings, staff);
  const theirs = differences(state.base, fresh);
  const ours = differences(state.base, state.now);
  const both = theirs.filter((one) => ours.some((mine) => mine.path === one.path || mine.path.startsWith(`${one.path}.`) || one.path.startsWith(`${mine.path}.`)));
  const take = () => {
    const merged = clone(fresh);
    for (const one of ours) put(merged, one.path.split("."), one.after);
    Object.assign(state, { base: fresh, now: merged, tag: settings.tag, path: settings.data.path });
    fill(said);
    draw();
  };
  const show = (value) => value === undefined ? "—" : JSON.stringify(value);
  const rows = theirs.map((one) => el("tr", {}, el("th", { scope: "row" }, el("code", {}, one.path.replace(/^settings\./, "")), both.includes(one) && badge("warn", t("stale.both"))),
    el("td", {}, show(one.before)), el("td", {}, show(one.after))));
  fill(said, el("section.card.warn", {}, el("h2", {}, t("stale")), el("p", {}, t("stale.hint")),
    table(t("stale"), [t("what"), t("before"), t("after")], rows, t("stale.elsewhere")),
    el("div.row", {}, el("button.primary", { type: "button", onclick: take }, t("stale.take")),
      el("button", { type: "button", onclick: reload }, t("stale.drop")))));
  said.focus();
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
