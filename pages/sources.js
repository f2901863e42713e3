// The sources of a company: what each is, how it does and who takes it; and the ways to more.
import { el, fill, table, badge } from "/pages/dom.js";
import { t, time, learn, inLanguage, language } from "/pages/words.js";
import { get, way } from "/pages/api.js";

// A card that fills itself.
export function sources(company) {
  const box = el("section.card", {}, el("p.loading", {}, t("loading")));
  draw(company, box).catch((error) => fill(box, el("p.mistake", {}, error.message)));
  return box;
}

async function draw(company, box) {
  const [kinds, guide] = await Promise.all([get("/v1/source-kinds"), get(`/v1/guide?lang=${language}`), learn("sources-")]);
  const rows = company.sources.map((one) => {
    const entry = kinds.items.find((kind) => kind.kind === one.kind);
    const at = guide.sources.find((source) => source.key === `${company.tenant}/${one.source}`);
    const name = one.name || one.source;
    const page = `#/source/${way(company.tenant)}/${way(one.source)}`;
    return el("tr", {},
      el("th", { scope: "row" }, el("a", { href: page }, name)),
      el("td", {}, entry ? inLanguage(entry.title) : one.kind),
      el("td", {}, how(at)),
      el("td", {}, at && at.taken_by.length ? at.taken_by.map((key) => key.split("/")[1]).join(", ") : t("source.nobody")),
      el("td", {}, el("a.button.icon", { href: page, "aria-label": t("gear", { what: name }), title: t("gear", { what: name }) }, "⚙")));
  });
  fill(box, el("h2", {}, t("sources")), el("p.hint", {}, t("sources.hint")),
    table(t("sources"), [t("source"), t("source.kind"), t("state"), t("source.takers"), ""], rows, t("sources.none")),
    el("div.row", {}, el("a.button", { href: `#/source/${way(company.tenant)}/+` }, t("source.add")),
      el("a.button", { href: `#/company/${way(company.tenant)}` }, t("company.open"))));
}

function how(at) {
  if (!at) return badge("warn", t("source.not_yet"));
  const up = at.state && at.state.health === "up";
  return [at.session && badge(up ? "good" : "bad", up ? t("source.up") : t("source.down")), " ",
    at.last ? t("source.last", { at: time(at.last.accepted_at) }) : t("source.silent")];
}
