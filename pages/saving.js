// Saving a draft: what is wrong stands beside its field and in one list, and what somebody else changed
// meanwhile is shown before anything is laid over it.
import { el, fill, table, badge, say } from "/pages/dom.js";
import { t } from "/pages/words.js";
import { differences, withChanges } from "/pages/values.js";

export function saver({ draft, send, again, draw, leave }) {
  const said = el("div", { role: "alert", id: "mistakes", tabIndex: -1 });
  const bar = el("div.savebar", { hidden: true },
    el("span", {}, t("changed")),
    el("button.primary", { type: "button", onclick: () => save() }, t("save")),
    el("button", { type: "button", onclick: () => { draft.take(draft.before); draft.wrong = []; fill(said); draw(); touched(); } }, t("discard")));
  const touched = () => { bar.hidden = !draft.differs() && !(draft.typed && draft.typed()); };
  leave(() => bar.hidden);

  async function save() {
    fill(said);
    draft.wrong = [];
    try {
      const { data } = await send();
      say(data.in_force ? t("saved") : t("saved_later", { why: data.why }), data.in_force ? "good" : "warn");
      bar.hidden = true;
      return again();
    } catch (error) {
      if (error.status === 412) return stale();
      refused(error);
    }
    draw();
    said.focus();
  }

  function refused(error) {
    draft.wrong = (error.body && error.body.places) || [];
    const root = draft.path([]);
    fill(said, el("section.card.bad", {}, el("h2", {}, draft.wrong.length ? t("mistakes", { count: draft.wrong.length }) : t("failed")),
      draft.wrong.length ? el("ul", {}, draft.wrong.map((one) => el("li", {}, el("code", {}, root && one.path.startsWith(`${root}.`) ? one.path.slice(root.length + 1) : one.path), ` ${one.message}`)))
        : el("p", {}, error.status === 0 ? t("no_answer") : error.message)));
  }

  async function stale() {
    const fresh = await draft.read();
    const theirs = differences(draft.before, fresh.value);
    const take = () => {
      const mine = withChanges(fresh.value, differences(draft.before, draft.now));
      draft.take(fresh.value);
      draft.now = mine;
      draft.tag = fresh.tag;
      fill(said);
      draw();
      touched();
    };
    const drop = () => { bar.hidden = true; again(); };
    fill(said, warning(theirs, { none: t("stale.here"), take, drop }));
    said.focus();
  }

  return { said, bar, touched, refused };
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
