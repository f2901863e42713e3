// A template: text, the variables that may stand in it, what it gives (S2-29), and the way back to
// the one that was saved last (S2-30).
import { el, fill, newId } from "/pages/dom.js";
import { t, time, language } from "/pages/words.js";
import { post } from "/pages/api.js";

const LENGTH_MAX = 1000;

// Pictures of the buttons: drawn, so that no font has to have them.
const DRAWN = {
  eye: "M2 12s4-7 10-7 10 7 10 7-4 7-10 7S2 12 2 12zM12 9a3 3 0 1 0 0 6 3 3 0 0 0 0-6z",
  back: "M9 14 4 9l5-5M4 9h10a6 6 0 0 1 0 12h-3",
  plus: "M12 5v14M5 12h14",
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", width: 18, height: 18, fill: "none", stroke: "currentColor", "stroke-width": 2, "aria-hidden": "true" })) svg.setAttribute(key, value);
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", DRAWN[name]);
  svg.append(path);
  return svg;
}

// `saved` is what the file says, `about` the kind of communication, its direction, and what it is for.
export function templateEditor({ label, hint, value, saved, change, about, variables, path, mistakes, way, required }) {
  const id = newId();
  const area = el("textarea", { id, rows: 2, maxLength: LENGTH_MAX, value: value || "", placeholder: required ? undefined : t("default_text"), spellcheck: true, "aria-describedby": `${id}-hint ${id}-seen` });
  const seen = el("div.seen", { id: `${id}-seen`, role: "status" });
  const list = el("div.variables", { id: `${id}-list`, hidden: true });
  const button = (name, what, onclick, more) => el("button.icon", { type: "button", "aria-label": `${t(what)}: ${label}`, title: t(what), onclick, ...more }, icon(name));
  const told = () => {
    change(area.value.trim() ? area.value : undefined);
    back.disabled = (saved || "") === area.value;
    fill(seen);
  };
  const plus = button("plus", "template.plus", () => open(list.hidden), { "aria-expanded": "false", "aria-controls": `${id}-list` });
  const eye = button("eye", "template.eye", () => look());
  const back = button("back", "template.back", () => { area.value = saved || ""; told(); area.focus(); }, { disabled: (saved || "") === (value || "") });
  area.addEventListener("input", told);

  function open(is) {
    list.hidden = !is;
    plus.setAttribute("aria-expanded", is);
    if (is) fill(list, variables.map((one) => el("button.variable", { type: "button", onclick: () => put(one.name) },
      el("code", {}, one.name), el("span", {}, one.meaning), el("small", {}, t("template.sample", { text: one.sample })))));
  }

  // Puts a variable where the caret stands.
  function put(name) {
    const at = area.selectionStart ?? area.value.length;
    area.setRangeText(`{{ ${name} }}`, at, area.selectionEnd ?? at, "end");
    open(false);
    told();
    area.focus();
  }

  async function look() {
    const text = area.value.trim();
    if (!text) return fill(seen, el("p.hint", {}, t(required ? "template.empty" : "template.usual")));
    fill(seen, el("p.hint", {}, t("loading")));
    try {
      const found = await post(`${path}/preview`, { ...about, text: area.value, lang: language });
      fill(seen, found.mistakes.length ? found.mistakes.map((one) => el("p.mistake", {}, one)) : [
        el("p", {}, el("strong", {}, found.sample || "—"), " ", el("small", {}, t("template.made_up"))),
        found.items.length === 0 ? el("p.hint", {}, t("template.none"))
          : el("ul.plain", {}, found.items.map((one) => el("li", {}, one.text ? el("strong", {}, one.text) : el("span.mistake", {}, t("template.no_text", { why: one.why })),
            " ", el("small", {}, `${time(one.started_at)}${one.client ? ` · ${one.client}` : ""}`))))]);
    } catch (error) {
      fill(seen, el("p.mistake", {}, error.status === 404 ? t("template.later") : error.message));
    }
  }

  return el("div.field.wide", { "data-way": way }, el("label", { htmlFor: id }, label),
    el("div.template", {}, area, el("div.row", {}, plus, eye, back)),
    el("p.hint", { id: `${id}-hint` }, hint), mistakes, list, seen);
}
