// Settings of a company's file outside of integrations, drawn from their schema. What stands in the
// schema appears here by itself: no source, number or question is known by name.
import { el, fill, field, select } from "/pages/dom.js";
import { t, words } from "/pages/words.js";
import { Form } from "/pages/form.js";
import { clone, equal } from "/pages/values.js";

// Gives every table of a schema a name, under which its words stand.
export function named(schema, part) {
  if (!schema || typeof schema !== "object") return schema;
  const own = { ...schema };
  if (own.properties) {
    own.part = part;
    own.properties = Object.fromEntries(Object.entries(own.properties).map(([key, inner]) => [key, named(inner, inner.properties ? `${part}.${key}` : inner.items ? `${part}.${key}` : part)]));
  }
  if (own.items) own.items = named(own.items, part);
  return own;
}

// What is edited: as it was read, as it stands on the page, and what was said against it.
export class Draft {
  // `path` says with what mistakes begin that are about a value, by its way.
  constructor({ value, tag, path, beside = {}, changed = () => {}, redraw = () => {} }) {
    Object.assign(this, { tag, path, beside, changed, redraw, wrong: [] });
    this.take(value);
  }

  take(value) {
    this.before = value;
    this.now = clone(value);
  }

  differs() { return !equal(this.before, this.now); }

  follow(root, way) { return way.reduce((value, key) => value === undefined || value === null ? undefined : value[key], root); }

  get(way) { return way[0] in this.beside ? this.follow(this.beside, way) : this.follow(this.now, way); }

  base(way) { return this.follow(this.before, way); }

  set(way, value, empty) {
    const gone = value === undefined || value === null || (value === "" && !empty);
    if (gone && this.follow(this.now, way.slice(0, -1)) === undefined) return;
    let holder = this.now;
    way.slice(0, -1).forEach((key, place) => { holder = holder[key] ??= typeof way[place + 1] === "number" ? [] : {}; });
    const last = way[way.length - 1];
    if (gone) delete holder[last];
    else holder[last] = value;
    this.changed();
  }

  mistakes(way, deep) {
    const wanted = this.path(way);
    return this.wrong.filter((one) => one.path === wanted || (deep && (one.path.startsWith(`${wanted}.`) || one.path.startsWith(`${wanted}[`)))).map((one) => one.message);
  }
}

// A way as mistakes write it.
export const written = (root, way) => way.reduce((text, key) => typeof key === "number" ? `${text}[${key}]` : text ? `${text}.${key}` : key, root);

// In which order people think of them; what is new stands behind.
const ORDER = "name number source scenario employee owner time_zone region language profile kind trunks extensions trunk_contexts from to length_min default no_manager redirect_failed incoming outgoing folder url exits".split(" ");
const place = (key) => { const at = ORDER.indexOf(key); return at < 0 ? ORDER.length : at; };

// What has a line of its own stands in rows, before what opens.
export function rows(nodes) {
  const lines = nodes.filter((node) => node && node.classList.contains("field"));
  return [lines.length > 0 && el("div.fields", {}, lines), ...nodes.filter((node) => node && !lines.includes(node))];
}

export class Declared extends Form {
  sorted(keys) { return keys.sort((a, b) => place(a) - place(b)); }

  table(given, way, options) {
    return rows(super.table(given, way, options).flatMap((node) => node.classList.contains("fields") ? [...node.children] : [node])).filter(Boolean);
  }

  setting(given, way, options) {
    const schema = this.resolve(given);
    const name = words(`${options.owner}.${options.key}`) ?? options.key;
    if (schema["x-shape"] === "integrations") return this.order(way, name, words(`${options.owner}.${options.key}.hint`));
    const isOpen = this.type(schema) === "object" && !schema.properties && !schema.oneOf;
    if (isOpen || (this.type(schema) === "array" && !schema.items)) return this.byHand(way, name);
    return super.setting(given, way, options);
  }

  // What may be left out has what is usual, not nothing.
  choose(schema, variants, way, owner, key, name, why, required) {
    const node = super.choose(schema, variants, way, owner, key, name, why, required);
    const none = node.querySelector("option[value='']");
    if (none && !required) none.textContent = t("usual_one");
    return node;
  }

  // An item of a list is called by what is asked of it first.
  title(value, at) {
    return ORDER.map((key) => value[key]).find((text) => typeof text === "string" && text) || super.title(value, at);
  }

  // What no field is made for yet: shown as it is, and left alone.
  byHand(way, name) {
    const value = this.at.get(way);
    return el("div.sub", {}, el("strong", {}, name), el("p.hint", {}, t("declared.by_hand")), value !== undefined && el("pre", { tabIndex: 0 }, JSON.stringify(value, null, 1)));
  }

  // Some of what there is, in an order.
  order(way, name, why) {
    const box = el("div.stack", { "data-way": way.join(".") });
    const all = this.here.integrations || [];
    const nameOf = (id) => (all.find((one) => one.id === id) || { name: id }).name;
    const draw = (focus) => {
      const chosen = this.at.get(way) || [];
      const put = (next, at) => { this.at.set(way, next.length ? next : undefined); draw(at); };
      const move = (place, step) => {
        const next = [...chosen];
        [next[place], next[place + step]] = [next[place + step], next[place]];
        put(next, `[data-move="${place + step}:${step}"]:not(:disabled)`);
      };
      const rest = all.filter((one) => !chosen.includes(one.id));
      const mover = (text, what, place, step, at) => el("button.icon", { type: "button", "aria-label": `${t(what)}: ${nameOf(chosen[place])}`, title: t(what), disabled: at, "data-move": `${place}:${step}`, onclick: () => move(place, step) }, text);
      fill(box, el("h3", {}, name), why && el("p.hint", {}, why), this.wrong(way, true),
        chosen.length === 0 && el("p.empty", {}, t("order.usual")),
        el("ol.rules", {}, chosen.map((id, place) => el("li.rule", {}, el("span", {}, nameOf(id)), el("div.row", {},
          mover("↑", "list.up", place, -1, place === 0), mover("↓", "list.down", place, 1, place === chosen.length - 1),
          el("button.icon", { type: "button", "aria-label": `${t("list.remove")}: ${nameOf(id)}`, title: t("list.remove"), onclick: () => put(chosen.filter((one) => one !== id), "select") }, "✕"))))),
        rest.length > 0 && field(t("order.add"), select([["", t("choose_one")], ...rest.map((one) => [one.id, one.name])], "", (id) => id && put([...chosen, id], "select"))));
      if (focus) (box.querySelector(focus) || box.querySelector("button:not(:disabled)"))?.focus();
    };
    draw();
    return box;
  }
}
