// The way over the CRM's consent page: its window, what is waited for, and the code to paste.
import { el, fill, field, say } from "/pages/dom.js";
import { t, time } from "/pages/words.js";
import { get, post, way } from "/pages/api.js";

const ASK_AGAIN_MS = 2000;

export const accountPath = (one) => `/v1/tenants/${way(one.tenant)}/accounts/${way(one.account)}`;

// Opens the CRM's page in a window of its own; the list shows what came of it by itself (S0-02, S0-03).
// A window must be opened in the very click: it is empty until the link is there.
export async function connect(one, { reload, show, hint, fail, opened = consentWindow() }) {
  const before = stateOf(one);
  try {
    const { link, until } = await post(`${accountPath(one)}/authorisation/link`);
    if (opened) opened.location.replace(link);
    const waits = el("p", { role: "status" }, t(opened ? "consent.opened" : "consent.open"), " ",
      el("a", { href: link, target: "_blank", rel: "noreferrer" }, t("consent.page")), ` (${t("until")} ${time(until)})`);
    show(waits);
    wait(one, before, new Date(until).getTime(), waits, reload);
  } catch (error) {
    if (opened) opened.close();
    // No page leads back to this box: a code from the CRM serves, where there is one.
    if (error.status === 409) {
      show();
      return hint(error.message);
    }
    fail(error);
  }
}

export function consentWindow() {
  const opened = open("about:blank", "_blank");
  // The CRM's page must not reach this one.
  if (opened) opened.opener = null;
  return opened;
}

const stateOf = (one) => JSON.stringify([one.alarm, one.credential && one.credential.ends_at]);

function wait(one, before, until, waits, reload) {
  setTimeout(async () => {
    if (!waits.isConnected || Date.now() > until) return;
    try {
      const { items } = await get("/v1/accounts");
      const now = items.find((other) => other.tenant === one.tenant && other.account === one.account);
      if (now && !now.alarm && stateOf(now) !== before) {
        say(t("consent.done"));
        return reload();
      }
    } catch {
      // The daemon may be reading its files anew: it is asked again.
    }
    wait(one, before, until, waits, reload);
  }, ASK_AGAIN_MS);
}

// Where no page of the CRM leads back to this box, a person brings its code.
export function codeForm(one, reload) {
  const input = el("input", { type: "password", autocomplete: "off", name: "code", required: true });
  const wrong = el("p.mistake", { role: "alert" });
  return el("form.search", { onsubmit: async (event) => {
    event.preventDefault();
    try {
      await post(`${accountPath(one)}/authorisation`, { code: input.value.trim() });
      say(t("consent.done"));
      reload();
    } catch (error) {
      fill(wrong, error.message);
    }
  } }, field(t("consent.code"), input), el("button", { type: "submit" }, t("consent.use")), wrong);
}
