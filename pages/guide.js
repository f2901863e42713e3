// What is left to be done until events come in and reach the CRM. Looks again by itself.
import { el, fill, badge, say } from "/pages/dom.js";
import { t, time, told, language, learn } from "/pages/words.js";
import { get, way } from "/pages/api.js";

const AGAIN_MS = 5000;

export async function guide(place) {
  await learn("guide-");
  const box = el("div.stack", {});
  let shown = "";
  const look = async () => {
    const [found, known] = await Promise.all([get(`/v1/guide?lang=${language}`), get("/v1/tenants")]);
    found.without = known.items.filter((one) => !found.sources.some((source) => source.key.startsWith(`${one.tenant}/`)));
    if (!place.alive()) return;
    const text = JSON.stringify(found);
    // Nothing moves under the reader's hand while nothing has changed.
    if (text !== shown) draw(found);
    shown = text;
    setTimeout(() => place.alive() && look().catch(() => setTimeout(() => place.alive() && look(), AGAIN_MS)), AGAIN_MS);
  };
  const draw = (found) => fill(box,
    el("p.hint", {}, t("guide.hint")),
    !found.public_url && el("section.card.warn", {}, el("h2", {}, t("guide.no_address")), el("p", {}, t("guide.no_address.hint"))),
    found.without.map((one) => el("section.card.warn", {}, el("h2", {}, one.name || one.tenant),
      el("p", {}, t("guide.no_sources"), " ", el("a", { href: `#/source/${way(one.tenant)}/+` }, t("guide.add_source"))))),
    found.sources.map((one) => source(one, found)),
    found.integrations.map((one) => crm(one, found)));
  fill(place.main, el("h1", {}, t("menu.guide")), box);
  await look();
}

// Done, to be done, awaited, or nothing that we could see.
const MARKS = new Map([[true, ["good", "guide.done"]], [false, ["bad", "guide.bad"]], [null, ["warn", "guide.waits"]], [undefined, ["quiet", "guide.note"]]]);
const step = (is, name, ...more) => el("li.step", {}, badge(MARKS.get(is)[0], t(MARKS.get(is)[1])), el("div", {}, el("strong", {}, name), ...more));

// A text to be pasted elsewhere.
function paste(text) {
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      say(t("guide.copied"));
    } catch {
      say(t("guide.by_hand"), "warn");
    }
  };
  return el("div.paste", {}, el("pre", { tabIndex: 0 }, text), el("button", { type: "button", onclick: copy }, t("guide.copy")));
}

const link = (seen) => el("p", {}, el("a", { href: `#/story/${way(seen.key)}` }, t("guide.seen", { at: time(seen.accepted_at) })));

function source(one, found) {
  const state = one.state;
  const up = state && state.health === "up";
  return el("section.card", {}, el("h2", {}, el("a", { href: `#/source/${way(one.key)}` }, `${t("source")} ${one.name}`), " ", el("small", {}, `${one.key} · ${one.kind}`)),
    el("ol.checks-list", {},
      one.session && step(up ? true : state && state.last_error ? false : null, t("guide.session"),
        el("p", {}, up ? t("guide.session.up") : state && state.last_error ? told(state.last_error) : t("guide.session.none"))),
      one.address && step(found.public_url ? (one.last ? true : null) : false, t("guide.paste"), el("p.hint", {}, t("guide.secret")), paste(one.address)),
      one.texts.length > 0 && step(one.last ? true : null, t("guide.texts"), one.texts.map((text) => el("details", {}, el("summary", {}, text.title), paste(text.text)))),
      step(one.last ? true : null, t("guide.first"), one.last ? link(one.last) : el("p", {}, t("guide.first.waits"))),
      step(one.taken_by.length > 0 ? true : false, t("guide.taken"), el("p", {}, one.taken_by.length ? one.taken_by.map((key) => [el("a", { href: `#/integration/${way(key)}` }, key), " "]) : t("guide.taken.none")))));
}

function crm(one, found) {
  const state = one.state;
  return el("section.card", {}, el("h2", {}, `${t("integration")} ${one.key.split("/")[1]}`, " ", el("small", {}, one.crm)),
    el("ol.checks-list", {},
      step(one.alarm ? false : true, t("guide.access"), el("p", {}, one.alarm || t("guide.access.good"), one.alarm && [" ", el("a", { href: "#/accounts" }, t("to_accounts"))])),
      step(one.last_success_at ? true : null, t("guide.answers"), el("p", {}, one.last_success_at ? t("guide.seen", { at: time(one.last_success_at) }) : t("guide.answers.none"))),
      one.address && step(found.public_url ? undefined : false, t("guide.tells"), el("p.hint", {}, t("guide.tells.hint")), paste(one.address)),
      step(one.activity === "on" ? true : null, t("guide.on"), el("p", {}, t(`activity.${one.activity}.hint`), " ", el("a", { href: `#/integration/${way(one.key)}` }, t("guide.settings")))),
      state && state.held && step(false, t("guide.held"), el("p", {}, told(state.held))),
      step(one.last_done ? true : null, t("guide.made"), one.last_done ? link(one.last_done) : el("p", {}, t("guide.made.waits")))));
}
