// One CRM account: its address, whether we are let in, the round arrow, the gear and the check.
import { el, fill, badge } from "/pages/dom.js";
import { t, word, time, told, learn } from "/pages/words.js";
import { get, post, way } from "/pages/api.js";
import { accountPath, codeForm, connect } from "/pages/consent.js";

export function account(one, reload) {
  const more = el("div", {});
  const trouble = el("div", { role: "status" });
  const fail = (error) => fill(trouble, el("p.mistake", {}, error.message, (error.body?.mistakes || []).map((text) => el("p", {}, text))));
  const authorise = () => connect(one, {
    reload,
    show: (...what) => fill(more, what, codeForm(one, reload)),
    hint: (text) => fill(trouble, el("p.hint", {}, text)),
    fail,
  });
  const gear = async () => {
    try {
      const [{ changeAccount }] = await Promise.all([import("/pages/credential.js"), learn("accounts-")]);
      fill(more, await changeAccount(one, { done: reload, cancel: () => fill(more) }));
      more.querySelector("input").focus();
    } catch (error) {
      fail(error);
    }
  };
  const check = async (event) => {
    const button = event.currentTarget;
    button.disabled = true;
    fill(trouble, t("check.asking"));
    try {
      fill(trouble, connection(await post(`${accountPath(one)}/connection`), authorise, gear));
    } catch (error) {
      fail(error);
    }
    button.disabled = false;
  };
  const safe = /^https?:\/\//.test(one.address);
  const credential = one.credential;
  return el("article.account", {},
    el("div.row", {},
      el("h3", {}, one.title || one.account, " ", el("small", {}, one.crm)),
      el("button.icon", { type: "button", "aria-label": t("consent.again", { what: one.title }), title: t("consent.again", { what: one.title }), onclick: authorise }, "↻"),
      el("button.icon", { type: "button", "aria-label": t("gear", { what: one.title }), title: t("gear", { what: one.title }), onclick: gear }, "⚙"),
      el("button", { type: "button", onclick: check }, t("check"))),
    el("p", {}, safe ? el("a", { href: one.address, target: "_blank", rel: "noopener noreferrer" }, one.address) : one.address),
    el("p", {}, one.alarm ? [badge("bad", t("credential.bad")), " ", told(one.alarm)]
      : [badge("good", t("credential.good")), credential && ` ${word("way", credential.way)}`, credential && credential.ends_at && ` · ${t("credential.ends", { at: time(credential.ends_at) })}`]),
    trouble, more);
}

// What the CRM answered just now (V-01): well, or why not and what to do.
function connection(found, authorise, gear) {
  if (found.good) {
    return [el("p", {}, badge("good", t("check.good")), ` ${found.name || ""}`),
      found.limits.length > 0 && [el("p.hint", {}, t("check.limits")), el("ul.reasons", {}, found.limits.map((text) => el("li", {}, text)))]];
  }
  return [el("p", {}, badge("bad", t("check.bad")), ` ${told(found.alarm || found.why)} ${t(`remedy.${found.remedy}`)}`),
    found.remedy !== "wait" && el("div.row", {},
      el("button", { type: "button", onclick: authorise }, t("remedy.do.authorise")),
      el("button", { type: "button", onclick: gear }, t("remedy.do.anew")))];
}
