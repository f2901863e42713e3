// What calls make: the cases of a direction with filter, tasks and names (S1-07 … S1-20), and what
// holds for both (S1-17, S1-21, S1-26, S1-28).
import { el, fill, field, select, badge } from "/pages/dom.js";
import { t } from "/pages/words.js";
import { conditions, filterEditor } from "/pages/filter.js";

const CASES = {
  answered_unknown: ["contact_and_deal", "unsorted", "contact", "lead_or_deal"],
  missed_unknown: ["contact_and_deal", "unsorted", "contact", "lead_or_deal"],
  answered_known: ["contact_and_deal", "deal_always", "unsorted"],
  missed_known: ["contact_and_deal", "deal_always", "unsorted"],
};
const AT_ANSWER = ["answered_unknown", "answered_known"];

export const wrong = (edit, ...way) => {
  const found = edit.mistake(...way);
  return found.length > 0 && el("p.mistake", {}, found.join("; "));
};

export function toggle(label, hint, checked, change) {
  const input = el("input", { type: "checkbox", checked, onchange: () => change(input.checked) });
  return el("label.choice", {}, input, el("span", {}, el("strong", {}, label), hint && el("small", {}, hint)));
}

// A list of the CRM where it is known, else the id by hand.
export function pick(items, value, change, label) {
  if (items && items.length) {
    return field(label, select([["", t("choose_one")], ...items.map((one) => [String(one.id), one.name])], value ?? "", change));
  }
  const input = el("input", { value: value ?? "", inputMode: "numeric", onchange: () => change(input.value.trim()) });
  return field(label, input, t("by_id"));
}

export function pipelines(edit, action, changed, withStage) {
  const list = edit.crm && edit.crm.pipelines;
  const chosen = list && list.find((one) => String(one.id) === action.pipeline);
  const parts = [pick(list, action.pipeline, (next) => { action.pipeline = next; delete action.stage; changed(true); }, t("pipeline"))];
  if (withStage) parts.push(pick(chosen ? chosen.stages : null, action.stage, (next) => { action.stage = next; changed(); }, t("stage")));
  return parts;
}

export function direction(edit) {
  const name = edit.root[1];
  return [
    Object.keys(CASES).map((key) => caseCard(edit, key)),
    listCard(edit, ["filtered_numbers"], t("filtered"), t("filtered.hint")),
    filterCard(edit, name === "outgoing"),
    name === "incoming" && taskCard(edit, "task", t("task"), t("task.hint")),
    taskCard(edit, "missed_task", t("missed_task"), t("missed_task.hint")),
    textsCard(edit),
  ];
}

function caseCard(edit, key) {
  const box = el("section.card", {});
  const draw = () => {
    const value = edit.get(key);
    const isOn = !!value && value.on !== false;
    const action = value && value.action;
    const changed = (again) => { edit.set(value, key); if (again) draw(); };
    const kinds = CASES[key].map((kind) => [kind, t(`action.${kind}`)]);
    fill(box,
      el("h2", {}, t(`case.${key}`)),
      toggle(t("case.on"), t(`case.${key}.hint`), isOn, (on) => {
        if (on && !value) edit.set({ action: { kind: "contact_and_deal", pipeline: "", stage: "" } }, key);
        else if (on) { delete value.on; edit.set(value, key); } else edit.set({ ...value, on: false }, key);
        draw();
      }),
      isOn && action && [
        el("div.fields", {},
          field(t("action"), select(kinds, action.kind, (kind) => {
            const { pipeline, stage } = action;
            const next = { kind };
            if (kind !== "contact") next.pipeline = pipeline ?? "";
            if (kind !== "contact" && kind !== "unsorted") next.stage = stage ?? "";
            value.action = next;
            changed(true);
          }), t(`action.${action.kind}.hint`)),
          action.kind !== "contact" && pipelines(edit, action, changed, action.kind !== "unsorted"),
          action.kind === "contact_and_deal" && key.endsWith("_known") && field(t("wait"), span(action.wait, (next) => {
            if (next) action.wait = next; else delete action.wait;
            changed();
          }), t("wait.hint"))),
        AT_ANSWER.includes(key) && !["unsorted", "deal_always"].includes(action.kind) && toggle(t("at_answer"), t("at_answer.hint"), value.at === "answer", (on) => {
          if (on) value.at = "answer"; else delete value.at;
          changed();
        })],
      wrong(edit, key));
  };
  draw();
  return box;
}

// A time in its largest whole unit.
function span(value, change) {
  const unit = value ? ["days", "hours", "minutes"].find((one) => value[one]) || "minutes" : "days";
  let chosen = unit;
  const count = el("input", { type: "number", min: 0, max: 10000, value: value ? value[unit] || 0 : "", "aria-label": t("how_many") });
  const told = () => change(count.value === "" ? undefined : { [chosen]: Number(count.value) });
  count.addEventListener("change", told);
  return el("div.pair", {}, count,
    select([["minutes", t("minutes")], ["hours", t("hours")], ["days", t("days")]], unit, (next) => { chosen = next; told(); }, { "aria-label": t("unit") }));
}

export function listCard(edit, way, title, hint) {
  const area = el("textarea", { rows: 3, spellcheck: false, value: (edit.get(...way) || []).join("\n"), onchange: () => {
    const lines = area.value.split(/[\n,;]/).map((line) => line.trim()).filter(Boolean);
    const had = edit.get(...way);
    edit.set(lines.length || had ? lines : undefined, ...way);
  } });
  return el("section.card", {}, el("h2", {}, title), field(t("one_a_line"), area, hint), wrong(edit, ...way));
}

function filterCard(edit, outgoing) {
  const mark = el("span", {});
  const draw = (value) => fill(mark, conditions(value) ? badge("good", t("filter.set", { count: conditions(value) })) : badge("quiet", t("filter.none")));
  draw(edit.get("filter"));
  return el("section.card", {}, el("h2", {}, t("filter"), " ", mark), el("p.hint", {}, t("filter.hint")),
    filterEditor(structuredClone(edit.get("filter")), (next) => { edit.set(next, "filter"); draw(next); }, outgoing), wrong(edit, "filter"));
}

function taskCard(edit, key, title, hint) {
  const box = el("section.card", {});
  const draw = () => {
    const value = edit.get(key);
    const isOn = !!value && value.on !== false;
    const due = value && value.due;
    const text = el("textarea", { rows: 2, value: (value && value.text) || "", placeholder: t("default_text"), onchange: () => {
      if (text.value.trim()) value.text = text.value; else delete value.text;
      edit.set(value, key);
    } });
    fill(box, el("h2", {}, title),
      toggle(t("task.on"), hint, isOn, (on) => {
        if (on && !value) edit.set({ due: { kind: "after", hours: 1 } }, key);
        else if (on) { delete value.on; edit.set(value, key); } else edit.set({ ...value, on: false }, key);
        draw();
      }),
      isOn && el("div.fields", {},
        due && due.kind === "after" && field(t("task.due"), span(due, (next) => {
          value.due = { kind: "after", ...(next || { minutes: 0 }) };
          edit.set(value, key);
        })),
        edit.crm && edit.crm.task_types && edit.crm.task_types.length > 0 && pick(edit.crm.task_types, value.task_type, (next) => {
          if (next) value.task_type = next; else delete value.task_type;
          edit.set(value, key);
        }, t("task.type")),
        el("div.wide", {}, field(t("task.text"), text), variables(text))),
      wrong(edit, key));
  };
  draw();
  return box;
}

const VARIABLES = ["client_phone", "client_name", "contact_name", "our_number", "source_name", "event", "employee_name", "extension", "queue", "date", "time", "talk", "miss_reason"];

// Puts a variable where the caret stands.
function variables(area) {
  const chosen = select([["", t("variable")], ...VARIABLES.map((name) => [name, `${t(`variable.${name}`)} — ${name}`])], "", (name) => {
    if (!name) return;
    const at = area.selectionStart ?? area.value.length;
    area.setRangeText(`{{ ${name} }}`, at, area.selectionEnd ?? at, "end");
    area.dispatchEvent(new Event("change"));
    chosen.value = "";
    area.focus();
  }, { "aria-label": t("variable") });
  return chosen;
}

function textsCard(edit) {
  const one = (key) => {
    const input = el("input", { value: edit.get(key) || "", placeholder: t("default_text"), maxLength: 1000, onchange: () => edit.set(input.value.trim() ? input.value : undefined, key) });
    return el("div", {}, field(t(key), input), variables(input), wrong(edit, key));
  };
  return el("section.card", {}, el("h2", {}, t("names")), el("p.hint", {}, t("names.hint")), el("div.fields.two", {}, one("contact_name"), one("deal_name")));
}

export function other(edit) {
  const users = edit.crm && edit.crm.users ? edit.crm.users.filter((one) => one.active !== false).map((one) => ({ id: one.id ?? one.user, name: one.name })) : null;
  const tags = edit.get("tags") || {};
  const setTag = (key, value, fallback) => {
    const next = { ...(edit.get("tags") || {}) };
    if (value === fallback) delete next[key]; else next[key] = value;
    edit.set(Object.keys(next).length ? next : undefined, "tags");
  };
  const words = (key, options, hint) => el("div", {}, field(t(key), select(options.map((one) => [one, t(`${key}.${one}`)]), edit.get(key) || options[0], (next) => edit.set(next, key)), hint), wrong(edit, key));
  const list = el("input", { value: (tags.list || []).join("; "), onchange: () => setTag("list", list.value.split(";").map((one) => one.trim()).filter(Boolean), undefined) });
  return [
    el("section.card", {}, el("h2", {}, t("responsible")),
      pick(users, edit.get("default_responsible"), (next) => edit.set(next, "default_responsible"), t("default_responsible")),
      el("p.hint", {}, t("default_responsible.hint")), wrong(edit, "default_responsible")),
    el("section.card", {}, el("h2", {}, t("how_calls")), el("div.fields", {},
      words("call_history", ["card", "crm_chooses"], t("call_history.hint")),
      words("talker", ["last", "first"], t("talker.hint")),
      words("telephony", ["ours", "another"], t("telephony.hint")))),
    el("section.card", {}, el("h2", {}, t("tags")),
      toggle(t("tags.on"), t("tags.on.hint"), tags.on !== false, (on) => setTag("on", on, true)),
      toggle(t("tags.number"), t("tags.number.hint"), !!tags.number, (on) => setTag("number", on, false)),
      toggle(t("tags.source"), t("tags.source.hint"), !!tags.source, (on) => setTag("source", on, false)),
      field(t("tags.list"), list, t("tags.list.hint")), wrong(edit, "tags")),
    listCard(edit, ["partner_numbers"], t("partners"), t("partners.hint")),
    el("p.hint", {}, t("by_file")),
  ];
}
