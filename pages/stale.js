// A save that came too late: shows what somebody else changed, and lets both changes stand.
import { el, fill, table, badge } from "/pages/dom.js";
import { t } from "/pages/words.js";
import { read, way } from "/pages/api.js";
import { differences, withChanges } from "/pages/values.js";

export async function stale({ tenant, path, state, whole, said, draw, reload }) {
  const [settings, staff] = await Promise.all([read(`${path}/settings`), read(`/v1/tenants/${way(tenant)}/employees`)]);
  const fresh = whole(settings, staff);
  const theirs = differences(state.base, fresh);
  const ours = differences(state.base, state.now);
  const both = theirs.filter((one) => ours.some((mine) => mine.path === one.path || mine.path.startsWith(`${one.path}.`) || one.path.startsWith(`${mine.path}.`)));
  const take = () => {
    Object.assign(state, { base: fresh, now: withChanges(fresh, ours), tag: settings.tag, path: settings.data.path });
    fill(said);
    draw();
  };
  fill(said, warning(theirs, {
    both, none: t("stale.elsewhere"), name: (path) => path.replace(/^settings\./, ""), take, drop: reload }));
  said.focus();
}

// What was changed, and the choice of what becomes of it.
export function warning(theirs, { both = [], none, name = (path) => path, take, drop }) {
  const show = (value) => value === undefined ? "—" : JSON.stringify(value);
  const rows = theirs.map((one) => el("tr", {}, el("th", { scope: "row" }, el("code", {}, name(one.path)), both.includes(one) && badge("warn", t("stale.both"))),
    el("td", {}, show(one.before)), el("td", {}, show(one.after))));
  return el("section.card.warn", {}, el("h2", {}, t("stale")), el("p", {}, t("stale.hint")),
    table(t("stale"), [t("what"), t("before"), t("after")], rows, none),
    el("div.row", {}, el("button.primary", { type: "button", onclick: take }, t("stale.take")),
      el("button", { type: "button", onclick: drop }, t("stale.drop"))));
}
