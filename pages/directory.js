// The directories, and the tester: who would this caller reach, and why.
import { el, fill, field, select, table, badge, say } from "/pages/dom.js";
import { t, word, number, time, told, age, language } from "/pages/words.js";
import { get, post, way } from "/pages/api.js";

// The words that this page needs.
export const LISTS = ["directory-"];

export async function directory(place) {
  const [directories, status] = await Promise.all([get("/v1/directories"), get("/v1/status")]);
  if (!place.alive()) return;
  const sync = async (portal, everything) => {
    try {
      await post("/v1/directories/sync", { portal, everything });
      say(t("directory.asked"));
    } catch (error) {
      say(error.message, "bad");
    }
  };
  const rows = directories.items.map((one) => el("tr", {},
    el("th", { scope: "row" }, one.portal),
    el("td", {}, one.complete ? badge("good", t("directory.complete")) : badge("warn", t("directory.partial")),
      one.reading && el("small", {}, t("directory.reading", { count: number(one.reading.records) }))),
    el("td", {}, number(one.cards), el("small", {}, t("directory.deals", { count: number(one.deals) }))),
    el("td", {}, one.as_of ? t("ago", { age: age(one.age_s) }) : "—", el("small", {}, one.decides ? t("directory.decides") : t("directory.asks"))),
    el("td", {}, one.trouble ? [told(one.trouble), el("small", {}, time(one.trouble_at))] : "—"),
    el("td", {}, el("div.row", {}, el("button", { type: "button", onclick: () => sync(one.portal, false) }, t("directory.sync")),
      el("button", { type: "button", onclick: () => sync(one.portal, true) }, t("directory.sync_all"))))));
  fill(place.main, el("h1", {}, t("menu.directory")),
    el("section.card", {}, el("h2", {}, t("directories")),
      table(t("directories"), [t("account"), t("state"), t("directory.size"), t("directory.age"), t("last_error"), t("actions")], rows, t("directory.none"))),
    tester(status.sources));
}

function tester(sources) {
  if (!sources.length) return null;
  let source = sources[0].key;
  const phone = el("input", { type: "tel", required: true, autocomplete: "off", placeholder: "+7 903 555-00-61", name: "phone" });
  const did = el("input", { type: "tel", autocomplete: "off", name: "did" });
  const answer = el("div.answer", { role: "status" });
  const submit = async (event) => {
    event.preventDefault();
    const [tenant, id] = source.split("/");
    const query = new URLSearchParams({ phone: phone.value.trim(), lang: language });
    if (did.value.trim()) query.set("did", did.value.trim());
    try {
      fill(answer, shown(await get(`/v1/tenants/${way(tenant)}/sources/${way(id)}/lookup?${query}`)));
    } catch (error) {
      fill(answer, el("p.mistake", {}, error.message));
    }
  };
  return el("section.card", {}, el("h2", {}, t("tester")), el("p.hint", {}, t("tester.hint")),
    el("form.search", { onsubmit: submit },
      field(t("source"), select(sources.map((one) => [one.key, `${one.name} (${one.key})`]), source, (next) => { source = next; })),
      field(t("phone"), phone), field(t("did"), did),
      el("button.primary", { type: "submit" }, t("tester.ask"))),
    answer);
}

function shown(one) {
  const line = (label, value) => [el("dt", {}, label), el("dd", {}, value || "—")];
  const safe = one.client && /^https?:\/\//.test(one.client.url || "");
  const client = one.client && (safe ? el("a", { href: one.client.url, target: "_blank", rel: "noopener noreferrer" }, one.client.name || one.client.id) : one.client.name || one.client.id);
  return [
    el("dl.pairs", {}, line(t("tester.extension"), one.extension && el("strong", {}, one.extension)), line(t("tester.route"), one.explanation.text),
      line(t("client"), client), line(t("manager"), one.manager && `${one.manager.name}${one.manager.extension ? ` (${one.manager.extension})` : ""}`),
      line(t("tester.knowledge"), word("knowledge", one.knowledge) + (one.age_s !== null ? ` · ${age(one.age_s)}` : ""))),
    el("ul.reasons", {}, one.explanation.reasons.map((reason) => el("li", {}, reason.text))),
  ];
}
