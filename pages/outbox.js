// Work that is not over, and dead letters: tried again, decided again or dropped, one or many.
import { el, fill, table, badge, say, ask } from "/pages/dom.js";
import { t, word, number, time, told } from "/pages/words.js";
import { get, post } from "/pages/api.js";
import { storyHref, roleName } from "/pages/journal.js";
import { stepBadge } from "/pages/story.js";

// The words that this page needs.
export const LISTS = ["journal-"];

export async function outbox(place) {
  const [open, dead] = await Promise.all([get("/v1/outbox?limit=100"), get("/v1/dead-letters")]);
  if (!place.alive()) return;
  fill(place.main, el("h1", {}, t("menu.outbox")), deadLetters(dead, () => outbox(place)), works(open));
}

function deadLetters({ items, more }, reload) {
  const chosen = new Set();
  const count = el("span.hint", { role: "status" });
  const buttons = ["retry", "decide-again", "drop"].map((name) =>
    el(name === "retry" ? "button.primary" : "button", { type: "button", disabled: true, title: t(`wish.${name}.hint`), onclick: () => wish(name) }, t(`wish.${name}`)));
  const update = () => {
    for (const button of buttons) button.disabled = !chosen.size;
    fill(count, chosen.size ? t("chosen", { count: number(chosen.size) }) : "");
    all.checked = chosen.size === items.length;
    all.indeterminate = chosen.size > 0 && !all.checked;
  };
  const boxes = items.map((one) => el("input", { type: "checkbox", "aria-label": t("choose", { what: `${one.communication} ${roleName(one.role)}` }), onchange: (event) => {
    if (event.target.checked) chosen.add(one); else chosen.delete(one);
    update();
  } }));
  const all = el("input", { type: "checkbox", "aria-label": t("choose_all"), onchange: () => {
    boxes.forEach((box, place) => { box.checked = all.checked; if (all.checked) chosen.add(items[place]); else chosen.delete(items[place]); });
    update();
  } });
  async function wish(name) {
    if (name === "drop" && !await ask(t("drop_sure", { count: number(chosen.size) }), t("wish.drop"), t("cancel"))) return;
    const wanted = [...chosen].map(({ integration, communication, role }) => ({ integration, communication, role }));
    for (const button of buttons) button.disabled = true;
    try {
      const done = await post(`/v1/dead-letters/${name}`, { items: wanted });
      const refused = done.refused.map((one) => `${one.communication}: ${one.why}`).join("; ");
      say(refused || t("wish.done", { count: number(done.done) }), refused ? "bad" : "good");
    } catch (error) {
      say(error.message, "bad");
    }
    await reload();
  }
  const rows = items.map((one, place) => el("tr", {},
    el("td", {}, boxes[place]),
    el("th", { scope: "row" }, el("a", { href: storyHref(one.communication) }, one.communication), el("small", {}, one.integration)),
    el("td", {}, roleName(one.role)),
    el("td", {}, el("time", { dateTime: one.at }, time(one.at))),
    el("td", {}, told(one.reason))));
  return el("section.card", {}, el("h2", {}, t("dead")), el("p.hint", {}, t("dead.hint")),
    table(t("dead"), [items.length ? all : "", t("communication"), t("step"), t("when"), t("reason")], rows, t("dead.none")),
    items.length > 0 && el("div.row", {}, buttons, count), more && el("p.hint", {}, t("dead.more")));
}

function works({ items, total }) {
  const rows = items.map((one) => el("tr", {},
    el("th", { scope: "row" }, el("a", { href: storyHref(one.communication) }, one.communication), el("small", {}, one.integration)),
    el("td", {}, word("phase", one.phase)),
    el("td", {}, one.unreadable ? badge("bad", t("unreadable")) : one.state.state === "undecided" ? badge("warn", t("undecided")) : badge("quiet", t("decided"))),
    el("td", {}, told(one.state.why) || one.steps.filter((step) => step.state.state !== "done").map((step) =>
      el("p", {}, roleName(step.role), " ", stepBadge(step.state.state), " ", told(step.state.why))))));
  return el("section.card", {}, el("h2", {}, t("open_works"), total ? `: ${number(total)}` : ""),
    table(t("open_works"), [t("communication"), t("phase"), t("state"), t("why")], rows, t("open_works.none")),
    total > items.length && el("p.hint", {}, t("first_shown", { count: number(items.length) })));
}
