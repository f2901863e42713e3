// One communication: what happened, what was decided and why, what was done about it.
import { el, fill, badge, say, ask } from "/pages/dom.js";
import { t, word, time, told, language } from "/pages/words.js";
import { get, post, way } from "/pages/api.js";
import { outcomeBadge, clientName, summary, roleName } from "/pages/journal.js";

// The words that this page needs.
export const LISTS = ["journal-"];

const DETAILS = {
  amocrm: { contact: "contacts/detail/", deal: "leads/detail/", company: "companies/detail/" },
  bitrix24: { contact: "crm/contact/details/", deal: "crm/deal/details/", company: "crm/company/details/", lead: "crm/lead/details/" },
};

export async function story(place) {
  const key = place.rest.join("/");
  const again = place.query.has("again");
  const [found, accounts, status] = await Promise.all([
    get(`/v1/communications/${way(key)}?lang=${language}&again=${again}`), get("/v1/accounts"), get("/v1/status")]);
  if (!place.alive()) return;
  const reload = () => story(place);
  const portalOf = (integration) => {
    const one = status.integrations.find((one) => one.key === integration);
    return one && accounts.items.find((account) => account.portal === one.portal && integration.startsWith(`${account.tenant}/`));
  };
  const rehearse = el("button", { type: "button", onclick: async () => {
    rehearse.disabled = true;
    location.hash = again ? `#/story/${way(key)}` : `#/story/${way(key)}?again=1`;
  } }, again ? t("story.not_again") : t("story.again"));
  fill(place.main,
    el("p.way", {}, el("a", { href: "#/journal" }, `← ${t("menu.journal")}`)),
    el("h1", {}, clientName(found.client), " ", outcomeBadge(found.outcome)),
    el("p", {}, summary(found), " · ", el("time", { dateTime: found.started_at }, time(found.started_at)), " · ", el("code", {}, key)),
    el("div.row", {}, rehearse),
    found.not_taken && el("section.card.warn", {}, el("h2", {}, t("story.not_taken")), el("p", {}, found.not_taken)),
    found.works.map(waiting),
    found.integrations.map((one) => part(one, key, portalOf(one.integration), reload)),
    found.recording && el("section.card", {}, el("h2", {}, t("recording")), el("p", {}, word("recording", found.recording.state), found.recording.reason || found.recording.why ? ` · ${found.recording.reason || found.recording.why}` : "")),
    timeline(found),
    el("details.card", {}, el("summary", {}, t("story.raw")),
      el("pre", { tabIndex: 0 }, JSON.stringify(found.snapshot, null, 2))));
}

function waiting(work) {
  const why = work.state.why;
  return el("section.card.warn", {}, el("h2", {}, work.integration),
    el("p", {}, work.state.state === "undecided" ? t("story.undecided") : t("story.under_way")), why && el("p", {}, told(why)));
}

function part(one, key, account, reload) {
  const dead = one.steps.filter((step) => step.state.state === "dead");
  const wish = async (name) => {
    if (name === "drop" && !await ask(t("drop_sure", { count: dead.length }), t("wish.drop"), t("cancel"))) return;
    const items = dead.map((step) => ({ integration: one.integration, communication: key, role: step.role }));
    try {
      const done = await post(`/v1/dead-letters/${name}`, { items });
      const refused = done.refused.map((one) => one.why).join("; ");
      say(refused || t("wish.done", { count: done.done }), refused ? "bad" : "good");
    } catch (error) {
      say(error.message, "bad");
    }
    await reload();
  };
  return el("section.card", {},
    el("h2", {}, t("integration"), " ", el("a", { href: `#/integration/${one.integration}` }, one.integration)),
    one.first_time !== null && el("p", {}, one.first_time ? t("story.first") : t("story.repeat")),
    one.decisions.map(decision),
    one.steps.length > 0 && [el("h3", {}, t("steps")), el("ol.steps", {}, one.steps.map((one) => step(one, account)))],
    dead.length > 0 && el("div.row", {},
      ["retry", "decide-again", "drop"].map((name) =>
        el(name === "retry" ? "button.primary" : "button", { type: "button", title: t(`wish.${name}.hint`), onclick: () => wish(name) }, t(`wish.${name}`)))),
    one.passing.length > 0 && [el("h3", {}, t("passing")), el("ol.steps", {}, one.passing.map((one) =>
      el("li", {}, el("strong", {}, roleName(one.role)), " ", badge("quiet", word("step", one.state)), reasons(one.explanation))))],
    one.notices.length > 0 && [el("h3", {}, t("notices")), el("ol.steps", {}, one.notices.map((one) =>
      el("li", {}, el("strong", {}, roleName(one.role)), " ", badge(one.state === "done" ? "good" : "quiet", word("step", one.state)),
        one.why && el("p", {}, one.why), reasons(one.explanation))))]);
}

const reasons = (list) => el("ul.reasons", {}, list.map((text) => el("li", {}, told(text))));

function decision(one) {
  return el("div.decision", {},
    el("h3", {}, word("phase", one.phase), " ", badge(one.verdict === "planned" ? "good" : "quiet", word("verdict", one.verdict))),
    el("p.hint", {}, `${time(one.at)} · ${t("story.revision", { revision: one.settings_revision })}`,
      one.facts && ` · ${t(`story.facts.${one.facts.origin}`)}`),
    reasons(one.explanation),
    one.again && el("div.again", {},
      one.again.why_not ? el("p", {}, t("story.cannot_again"), " ", one.again.why_not)
        : one.again.same ? el("p", {}, badge("good", t("story.same")))
          : [el("p", {}, badge("warn", t("story.differs"))), reasons([...one.again.differences, ...one.again.explanation])]));
}

export function stepBadge(state) {
  const kind = { done: "good", dead: "bad", waiting: "warn", in_flight: "warn", pending: "warn" }[state] || "quiet";
  return badge(kind, word("step", state));
}

function step(one, account) {
  const { state, result, reason, why, at, until } = one.state;
  return el("li", {},
    el("strong", {}, roleName(one.role)), " ", stepBadge(state), " ",
    (at || until) && el("time", { dateTime: at || until }, time(at || until)),
    result && result.cards.map((card) => [" ", cardLink(card, account)]),
    result && result.adopted && ` · ${t("story.adopted")}`,
    (reason || why || (result && result.note)) && el("p", {}, told(reason || why || result.note)),
    one.attempts > 1 && el("p.hint", {}, t("story.attempts", { count: one.attempts })));
}

export function cardLink(card, account) {
  const text = `${word("entity", card.entity)} ${card.id}`;
  const path = account && DETAILS[account.crm] && DETAILS[account.crm][card.entity];
  if (!path || !/^\d+$/.test(card.id) || !/^https?:\/\//.test(account.address)) return text;
  const href = `${account.address.replace(/\/$/, "")}/${path}${card.id}`;
  return el("a", { href, target: "_blank", rel: "noopener noreferrer" }, text, el("span.hidden", {}, ` ${t("new_tab")}`));
}

function timeline(found) {
  const events = [[found.started_at, t("story.began")], [found.accepted_at, t("story.accepted")]];
  for (const one of found.integrations) {
    for (const made of one.decisions) events.push([made.at, `${one.integration}: ${word("phase", made.phase)} — ${word("verdict", made.verdict)}`]);
    for (const step of one.steps) {
      if (step.first_sent_at) events.push([step.first_sent_at, `${one.integration}: ${roleName(step.role)} — ${t("story.sent")}`]);
      if (step.state.at) events.push([step.state.at, `${one.integration}: ${roleName(step.role)} — ${word("step", step.state.state)}`]);
    }
  }
  for (const note of found.notes) events.push([note.at, told(note.text)]);
  events.sort((a, b) => new Date(a[0]) - new Date(b[0]));
  return el("section.card", {}, el("h2", {}, t("story.timeline")),
    el("ol.timeline", {}, events.map(([at, text]) => el("li", {}, el("time", { dateTime: at }, time(at)), el("span", {}, text)))));
}
