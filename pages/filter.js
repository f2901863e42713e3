// Conditions of a filter: groups of AND and OR within each other (S2-25), an empty one lets all pass.
import { el, fill, select } from "/pages/dom.js";
import { t, word } from "/pages/words.js";

const PARAMETERS = ["our_number", "employee", "result", "direction", "tag", "queue", "scenario", "last_operation", "group", "campaign", "first_campaign", "site", "source"];
const OUTGOING = ["our_number", "employee", "result", "direction", "tag"];
const DEPTH_MAX = 8;

// How many conditions a filter has: a set one is marked.
export const conditions = (one) => !one ? 0 : one.of ? one.of.reduce((sum, part) => sum + conditions(part), 0) : 1;

export function filterEditor(value, change, outgoing) {
  let root = value && value.of ? value : value ? { kind: "all", of: [value] } : { kind: "all", of: [] };
  const box = el("div.filter", {});
  const changed = () => { change(root.of.length ? root : undefined); };
  const draw = () => fill(box, group(root, 1, null));
  const redraw = () => { changed(); draw(); };

  function group(one, depth, remove) {
    return el("fieldset.group", {},
      el("legend.hidden", {}, t("filter.group")),
      el("div.row", {}, select([["all", t("filter.all")], ["any", t("filter.any")]], one.kind, (next) => { one.kind = next; changed(); }, { "aria-label": t("filter.join") }),
        el("button", { type: "button", onclick: () => { one.of.push({ kind: "include", parameter: "our_number", values: [] }); redraw(); } }, `+ ${t("filter.condition")}`),
        depth < DEPTH_MAX && el("button", { type: "button", onclick: () => { one.of.push({ kind: one.kind === "all" ? "any" : "all", of: [] }); redraw(); } }, `+ ${t("filter.group")}`),
        remove && el("button.icon", { type: "button", "aria-label": t("filter.remove_group"), title: t("filter.remove_group"), onclick: remove }, "✕")),
      one.of.length === 0 ? el("p.hint", {}, t("filter.empty")) : one.of.map((part, place) => {
        const gone = () => { one.of.splice(place, 1); redraw(); };
        return part.of ? group(part, depth + 1, gone) : condition(part, gone);
      }));
  }

  function condition(one, remove) {
    const values = el("input", { value: (one.values || []).join("; "), "aria-label": t("filter.values"), placeholder: t("filter.values"), onchange: () => {
      one.values = values.value.split(";").map((text) => text.trim()).filter(Boolean);
      changed();
    } });
    return el("div.condition", {},
      select((outgoing ? OUTGOING : PARAMETERS).map((name) => [name, word("parameter", name)]), one.parameter, (next) => { one.parameter = next; changed(); }, { "aria-label": t("filter.parameter") }),
      select([["include", t("filter.include")], ["exclude", t("filter.exclude")]], one.kind, (next) => { one.kind = next; changed(); }, { "aria-label": t("filter.how") }),
      values,
      el("button.icon", { type: "button", "aria-label": t("filter.remove"), title: t("filter.remove"), onclick: remove }, "✕"));
  }

  draw();
  return box;
}
