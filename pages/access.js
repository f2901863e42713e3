// Where an integration works: switched off, observing or on, its portal, and the address at which its
// CRM reaches us.
import { el, fill, field, select, say } from "/pages/dom.js";
import { t, word, told } from "/pages/words.js";
import { change, get, post } from "/pages/api.js";
import { account } from "/pages/portal.js";

export function credentials({ path, head, accounts, mine, reload, at }) {
  let chosen = head.data.account;
  const switchTo = async (body) => {
    try {
      const { data } = await change("PATCH", path, body, head.tag);
      say(data.in_force ? t("saved") : t("saved_later", { why: data.why }));
    } catch (error) {
      const text = (error.body.mistakes || []).join("; ");
      say(error.status === 412 ? t("stale.plain") : text || error.message, "bad");
    }
    reload();
  };
  const options = accounts.map((one) => [one.account, `${one.title || one.account} (${one.address})`]);
  const names = ["off", "observe", "on"];
  return [
    el("section.card", {}, el("h2", {}, t("activity")),
      el("fieldset.choices", {}, el("legend.hidden", {}, t("activity")), names.map((name) => el("label.choice", {},
        el("input", { type: "radio", name: "activity", value: name, checked: head.data.activity === name, onchange: () => switchTo({ activity: name }) }),
        el("span", {}, el("strong", {}, word("activity", name)), el("small", {}, t(`activity.${name}.hint`)))))),
      at && at.waiting_for && el("p.hint", {}, told(at.waiting_for))),
    el("section.card", {}, el("h2", {}, t("account")),
      accounts.length === 0 ? el("p.empty", {}, t("no_accounts")) : el("div.search", {},
        field(t("account.choose"), select(options, chosen, (next) => { chosen = next; }), t("account.choose.hint")),
        el("button", { type: "button", onclick: () => switchTo({ account: chosen }) }, t("account.use"))),
      mine && account(mine, reload)),
    webhook(path),
  ];
}

// The address is shown cut off where its secret begins; the whole of it is copied by the button (S2-42).
function webhook(path) {
  const box = el("section.card", {}, el("h2", {}, t("webhook.title")), el("p.loading", {}, t("loading")));
  const shown = el("div", { role: "status" });
  const copy = async () => {
    try {
      const { address } = await post(`${path}/webhook`);
      try {
        await navigator.clipboard.writeText(address);
        say(t("webhook.copied"));
      } catch {
        // No clipboard without https or a permission: it is shown to be copied by hand.
        fill(shown, el("p.hint", {}, t("webhook.by_hand")), el("pre", { tabIndex: 0 }, address));
      }
    } catch (error) {
      fill(shown, el("p.mistake", {}, error.message));
    }
  };
  get(`${path}/webhook`).then((found) => fill(box, el("h2", {}, t("webhook.title")),
    el("p.hint", {}, t(found.asks_for_calls ? "webhook.hint.calls" : "webhook.hint")),
    found.place ? el("div.row", {}, el("code", {}, `${found.place}…`), el("button", { type: "button", onclick: copy }, t("webhook.copy")))
      : el("p.empty", {}, found.why_not || t("webhook.none")), shown),
  (error) => error.status === 404 ? box.remove() : fill(box, el("h2", {}, t("webhook.title")), el("p.mistake", {}, error.message)));
  return box;
}
