// Log-in, and how to reach this page from another computer.
import { el, fill, field } from "/pages/dom.js";
import { t } from "/pages/words.js";
import { logIn } from "/pages/api.js";

// The words that this page needs.
export const LISTS = ["login-"];

export function logInPage(main, done) {
  const token = el("input", { type: "password", autocomplete: "current-password", required: true, name: "token", spellcheck: false });
  const wrong = el("p.mistake", { role: "alert" });
  const submit = async (event) => {
    event.preventDefault();
    fill(wrong);
    try {
      await logIn(token.value.trim());
      done();
    } catch (refusal) {
      const text = refusal.status === 401 ? t("login.wrong") : refusal.status === 429 ? t("login.slow") : refusal.message;
      fill(wrong, text);
      token.focus();
    }
  };
  const port = location.port || "80";
  const command = `ssh -L ${port}:127.0.0.1:8460 root@${t("login.server")}`;
  fill(main,
    el("div.login", {},
      el("section.card", {},
        el("h1", {}, t("log_in")),
        el("form", { onsubmit: submit },
          field(t("login.token"), token, t("login.where")), wrong,
          el("button.primary", { type: "submit" }, t("log_in")))),
      el("section.card", {},
        el("h2", {}, t("login.reach")),
        el("p", {}, t("login.reach_why")),
        el("h3", {}, "Linux, macOS, Windows 10+"),
        el("pre", { tabIndex: 0 }, command),
        el("p", {}, t("login.windows")),
        el("h3", {}, "PuTTY"),
        el("p", {}, t("login.putty", { port })),
        el("p", {}, t("login.then", { port })))));
  token.focus();
}
