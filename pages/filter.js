// Conditions of a filter: groups of AND and OR within each other (S2-25), an empty one lets all pass
// (S2-26). What can be compared comes from the schema.
import { el, fill, select } from "/pages/dom.js";
import { t } from "/pages/words.js";

// Of calls to clients less is known (V-07).
const OUTGOING = ["our_number", "employee", "result", "direction", "tag"];
const KNOWN = { direction: ["incoming", "outgoing"], result: ["answered", "missed"], contacts: ["left", "none"] };
const DEPTH_MAX = 8;

// `parameters` are pairs of word and label, `employees` of id and name.
export function filterEditor(value, change, { parameters, employees, outgoing }) {
  let root = value && value.of ? value : value ? { kind: "all", of: [value] } : { kind: "all", of: [] };
  const offered = parameters.filter(([name]) => !outgoing || OUTGOING.includes(name));
  const first = (offered.find(([name]) => name === "our_number") || offered[0])[0];
  const box = el("div.filter", {});
  const changed = () => { change(root.of.length ? root : undefined); };
  const draw = () => fill(box, group(root, 1, null));
  const redraw = () => { changed(); draw(); };

  function group(one, depth, remove) {
    return el("fieldset.group", {},
      el("legend.hidden", {}, t("filter.group")),
      el("div.row", {}, select([["all", t("filter.all")], ["any", t("filter.any")]], one.kind, (next) => { one.kind = next; changed(); }, { "aria-label": t("filter.join") }),
        el("button", { type: "button", onclick: () => { one.of.push({ kind: "include", parameter: first, values: [] }); redraw(); } }, `+ ${t("filter.condition")}`),
        depth < DEPTH_MAX && el("button", { type: "button", onclick: () => { one.of.push({ kind: one.kind === "all" ? "any" : "all", of: [] }); redraw(); } }, `+ ${t("filter.group")}`),
        remove && el("button.icon", { type: "button", "aria-label": t("filter.remove_group"), title: t("filter.remove_group"), onclick: remove }, "✕")),
      one.of.length === 0 ? el("p.hint", {}, t("filter.empty")) : one.of.map((part, place) => {
        const gone = () => { one.of.splice(place, 1); redraw(); };
        return part.of ? group(part, depth + 1, gone) : condition(part, gone);
      }));
  }

  function condition(one, remove) {
    return el("div.condition", {},
      select(offered, one.parameter, (next) => {
        if (KNOWN[next] || KNOWN[one.parameter] || next === "employee" || one.parameter === "employee") one.values = [];
        one.parameter = next;
        redraw();
      }, { "aria-label": t("filter.parameter") }),
      select([["include", t("filter.include")], ["exclude", t("filter.exclude")]], one.kind, (next) => { one.kind = next; changed(); }, { "aria-label": t("filter.how") }),
      values(one),
      el("button.icon", { type: "button", "aria-label": t("filter.remove"), title: t("filter.remove"), onclick: remove }, "✕"));
  }

  function values(one) {
    const known = KNOWN[one.parameter] ? KNOWN[one.parameter].map((word) => [word, t(`value.${word}`)])
      : one.parameter === "employee" ? employees : [];
    if (known.length) {
      const has = (word) => (one.values || []).includes(word);
      const all = [...known, ...(one.values || []).filter((word) => !known.some(([id]) => id === word)).map((word) => [word, word])];
      return el("fieldset.checks", {}, el("legend.hidden", {}, t("filter.values")), all.map(([word, label]) => {
        const input = el("input", { type: "checkbox", checked: has(word), onchange: () => {
          one.values = all.map(([id]) => id).filter((id) => id === word ? input.checked : has(id));
          changed();
        } });
        return el("label.choice", {}, input, el("span", {}, label));
      }));
    }
    const input = el("input", { value: (one.values || []).join("; "), "aria-label": t("filter.values"), placeholder: t("filter.values"), onchange: () => {
      one.values = input.value.split(";").map((text) => text.trim()).filter(Boolean);
      changed();
    } });
    return input;
  }

  draw();
  return box;
}
