// The company itself: its name and clocks, the numbers that clients call, and who is asked whom a caller
// should reach.
import { el, fill } from "/pages/dom.js";
import { t } from "/pages/words.js";
import { get, read, change, way } from "/pages/api.js";
import { Declared, Draft, named, written } from "/pages/declared.js";
import { saver } from "/pages/saving.js";

const PARTS = ["company", "numbers", "questions"];

// The words that this page needs: it is drawn with what tabs of an integration are.
export const LISTS = ["sources-", "settings-"];

export async function company(place) {
  const [tenant] = place.rest;
  const path = `/v1/tenants/${way(tenant)}`;
  const [kinds, here, seen, staff] = await Promise.all([
    get("/v1/source-kinds"), get(path), read(`${path}/company`), get(`${path}/employees`)]);
  if (!place.alive()) return;
  const schemas = { company: named(kinds.company.company, "Company"), numbers: named(kinds.company.numbers, "Number"), questions: named(kinds.company.questions, "Questions") };
  const whole = ({ data }) => Object.fromEntries(PARTS.map((part) => [part, data[part]]));
  const draft = new Draft({
    value: whole(seen), tag: seen.tag, beside: { employees: staff.employees },
    // The file calls the company itself `tenant`.
    path: ([root, ...rest]) => root ? written(root === "company" ? "tenant" : root, rest) : "",
    changed: () => saving.touched(), redraw: () => draw(),
  });
  draft.read = async () => { const fresh = await read(`${path}/company`); return { value: whole(fresh), tag: fresh.tag }; };
  const form = new Declared({
    at: draft, defs: {}, variables: {},
    here: { sources: here.sources.map((one) => ({ id: one.source, name: one.name || one.source })), integrations: here.integrations.map((one) => ({ id: one.integration, name: one.title || one.integration })) },
  });
  const saving = saver({
    draft, draw: () => draw(), leave: place.onLeave, again: () => company(place),
    send: () => change("PUT", `${path}/company`, Object.fromEntries(PARTS.filter((part) => JSON.stringify(draft.before[part]) !== JSON.stringify(draft.now[part])).map((part) => [part, draft.now[part]])), draft.tag),
  });
  const body = el("div.stack", {});
  function draw() {
    fill(body,
      el("section.card.stack", {}, el("h2", {}, t("company")), form.table(schemas.company, ["company"], { owner: "Company" })),
      el("section.card.stack", { id: "numbers" }, el("h2", {}, t("numbers")), el("p.hint", {}, t("numbers.hint")),
        form.list(form.resolve(schemas.numbers.items), ["numbers"], "Number", "numbers", t("numbers"), undefined, true)),
      el("section.card.stack", {}, el("h2", {}, t("questions")), el("p.hint", {}, t("questions.hint")), form.table(schemas.questions, ["questions"], { owner: "Questions" })));
  }
  fill(place.main, el("p.way", {}, el("a", { href: "#/accounts" }, `← ${t("menu.accounts")}`)),
    el("h1", {}, draft.before.company.name || tenant), saving.said, body, saving.bar);
  draw();
}
