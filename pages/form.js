// Settings as their schema declares them: what the schema gains appears here by itself. A form knows
// no CRM: what can be chosen comes from the portal's lists.
import { el, fill, field, select, badge } from "/pages/dom.js";
import { t, words, language } from "/pages/words.js";
import { conditions } from "/pages/values.js";
import { filterEditor } from "/pages/filter.js";
import { templateEditor } from "/pages/template.js";

// In which order people think of settings; what is new stands behind.
const ORDER = ("id name email account source user extension on answered_unknown missed_unknown answered_known missed_known filtered_numbers method repeat_method "
  + "default_responsible responsible assign card field value update_always action at pipeline stage lead_stage wait deal first_time_only without_contacts update_responsible notify "
  + "contact_name deal_name text due task_type schedule task missed_task lost_task lost_note transcript transcript_to prefer in_closed_chat number list "
  + "days date from to time_zone hours holidays special_days closed calendar pipelines good bad sum_field source_field columns model "
  + "extensions users telephony talker call_history partner_numbers personal_manager popup when").split(" ");
const place = (key) => { const at = ORDER.indexOf(key); return at < 0 ? ORDER.length : at; };
const ordered = (keys) => keys.sort((a, b) => place(a) - place(b));

const DAYS = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

// What must be offered by the CRM for a choice to mean something.
const NEEDS = {
  contact_and_deal: "create_deal", deal_always: "create_deal", unsorted: "create_unsorted", lead_or_deal: "create_lead",
  notify: "notify", update_responsible: "hand_over", lead_stage: "create_lead", lead: "create_lead",
};

// Words of a setting: of its table, else of the name everywhere, else what the schema says.
const known = (keys) => keys.map((key) => words(key)).find((text) => text !== undefined);
const plain = (key) => key.replace(/_/g, " ").replace(/^./, (letter) => letter.toUpperCase());
const told = (text) => (text || "").replace(/`/g, "").replace(/\s*\((?:(?:S\d|V)-\d+[^)]*)\)/g, "").replace(/\s+/g, " ").trim();
const ALIKE = { repeat_method: "method", bad: "good", missed_task: "task", lost_task: "task" };

function label(owner, key) {
  return known([`${owner}.${key}`, `set.${key}`]) ?? plain(key);
}

function hint(owner, key, schema) {
  const own = known([`${owner}.${key}.hint`, `set.${key}.hint`]);
  return own ?? (language === "en" ? told(schema.description) : undefined);
}

function choice(owner, key, word, description) {
  const keys = [`${owner}.${key}=${word}`, `set.${key}=${word}`, `set.${ALIKE[key]}=${word}`];
  return { label: known(keys) ?? plain(word), hint: known(keys.map((one) => `${one}.hint`)) ?? (language === "en" ? told(description) : undefined) };
}

export class Form {
  // `at`: get(way), base(way), set(way, value), mistakes(way); `lists`: of the CRM; `here`: of the
  // integration; `defs`: the named parts of the schema.
  constructor({ at, lists, here, defs, variables, path, account }) {
    this.opened = {};
    Object.assign(this, { at, lists: lists || {}, here: here || {}, defs, variables, path, account });
  }

  // Follows references; what stands beside one goes before what it leads to.
  resolve(schema) {
    const parts = schema.anyOf && schema.anyOf.filter((one) => one.type !== "null");
    if (parts && parts.length === 1) {
      const { anyOf, ...own } = schema;
      return this.resolve({ ...parts[0], ...own });
    }
    if (!schema.$ref) return schema;
    const { $ref, ...own } = schema;
    const name = $ref.split("/").pop();
    return { ...this.resolve(this.defs[name]), ...own, part: name.replace(/\d+$/, "") };
  }

  sorted(keys) { return ordered(keys); }

  type(schema) {
    return Array.isArray(schema.type) ? schema.type.find((one) => one !== "null") : schema.type;
  }

  offers(word) {
    return !this.here.steps || !NEEDS[word] || this.here.steps.includes(NEEDS[word]);
  }

  // What would be refused here anyway: nothing is made at the answer of a call that nobody answered,
  // nor in Unsorted or at every call.
  fits(key, way) {
    const action = this.at.get([...way, "action", "kind"]);
    const late = /^missed_/.test(way[way.length - 1]) || ["unsorted", "deal_always"].includes(action);
    return key !== "at" || !late || this.at.get([...way, key]) !== undefined;
  }

  // Variants of a union that differ by a word, or the words of a choice.
  variants(schema) {
    return (schema.oneOf || []).map((one) => {
      const tag = Object.entries(one.properties || {}).find(([, property]) => "const" in property);
      return tag ? { key: tag[0], word: tag[1].const, schema: one } : "const" in one ? { word: one.const, schema: one } : null;
    }).filter(Boolean);
  }

  // The least that a value may be.
  least(given) {
    const schema = this.resolve(given);
    if (schema.part === "TaskDue") return { kind: "after", hours: 1 };
    if (schema.part === "Interval") return { days: 1 };
    const variants = this.variants(schema);
    if (variants.length) {
      const first = variants.find((one) => this.offers(one.word)) || variants[0];
      return first.key ? { [first.key]: first.word, ...this.least({ ...first.schema, skip: first.key }) } : first.word;
    }
    if (schema.enum) return schema.enum[0];
    switch (this.type(schema)) {
      case "object": return Object.fromEntries((schema.required || []).filter((key) => key !== schema.skip).map((key) => [key, this.least(schema.properties[key])]));
      case "array": return [];
      case "boolean": return false;
      case "integer": return schema.minimum || 0;
      default: return "";
    }
  }

  wrong(way, deep) {
    const found = this.at.mistakes(way, deep);
    return found.length > 0 && el("p.mistake", {}, found.join("; "));
  }

  // Everything that a table holds, but what stands elsewhere.
  table(given, way, { skip = [], owner } = {}) {
    const schema = this.resolve(given);
    const part = owner || schema.part || "";
    const keys = this.sorted(Object.keys(schema.properties || {})).filter((key) => !skip.includes(key) && this.fits(key, way) && (this.offers(key) || this.at.get([...way, key]) !== undefined));
    // Fields that follow each other share their rows.
    const nodes = [];
    let row = null;
    for (const key of keys) {
      const required = (schema.required || []).includes(key);
      const node = this.setting(schema.properties[key], [...way, key], { owner: part, key, required });
      if (!node.classList.contains("field")) {
        row = null;
        nodes.push(node);
      } else {
        if (!row) nodes.push(row = el("div.fields", {}));
        row.append(node);
      }
    }
    return nodes;
  }

  // A card with one setting.
  card(given, way, options) {
    const key = way[way.length - 1];
    const title = options.title || label(options.owner, key);
    return el("section.card", { "data-way": way.join(".") }, el("h2", {}, title), this.setting(given, way, { ...options, key, bare: true }));
  }

  // One setting, whatever it is.
  setting(given, way, { owner = "", key, required = false, bare = false }) {
    const schema = this.resolve(given);
    const shape = schema["x-shape"];
    const name = label(owner, key);
    const why = hint(owner, key, schema);
    if (schema.part === "Filter") return this.filter(schema, way, name, why, bare);
    if (shape === "template") return this.template(way, name, why, required);
    if (schema.part === "Interval" || schema.part === "TaskDue") return this.optional(way, name, why, required, bare, schema, () => this.span(schema, way, name, why));
    const variants = this.variants(schema);
    if (variants.some((one) => one.key)) return this.optional(way, name, why, required || schema.default !== undefined, bare, schema, () => this.union(variants, way, owner, key, name, why, schema.default));
    if (variants.length || schema.enum) return this.choose(schema, variants, way, owner, key, name, why, required);
    switch (this.type(schema)) {
      case "boolean": return this.toggle(schema, way, name, why);
      case "integer": return this.whole(schema, way, name, why);
      case "array": return this.array(schema, way, owner, key, name, why, bare);
      case "object": return this.object(schema, way, name, why, required, bare);
      default: return this.text(schema, way, shape, name, why, required);
    }
  }

  put(way, value, fallback) {
    const had = this.at.base(way) !== undefined;
    this.at.set(way, value === fallback && !had ? undefined : value);
  }

  // A label with its control, and what is wrong with it.
  line(name, control, why, way) {
    const node = field(name, control, why);
    node.dataset.way = way.join(".");
    const wrong = this.wrong(way, true);
    if (wrong) {
      node.append(wrong);
      control.setAttribute("aria-invalid", "true");
    }
    return node;
  }

  switch(name, why, checked, change) {
    const input = el("input", { type: "checkbox", checked, onchange: () => change(input.checked) });
    return el("label.choice", {}, input, el("span", {}, el("strong", {}, name), why && el("small", {}, why)));
  }

  toggle(schema, way, name, why) {
    const usual = schema.default ?? false;
    return el("div", { "data-way": way.join(".") }, this.switch(name, why, this.at.get(way) ?? usual, (on) => this.put(way, on, usual)), this.wrong(way));
  }

  whole(schema, way, name, why) {
    const input = el("input", { type: "number", min: schema.minimum ?? 0, max: schema.maximum, value: this.at.get(way) ?? schema.default ?? "", onchange: () =>
      this.put(way, input.value === "" ? undefined : Number(input.value), schema.default) });
    return this.line(name, input, why, way);
  }

  choose(schema, variants, way, owner, key, name, why, required) {
    const now = this.at.get(way) ?? schema.default ?? "";
    const all = variants.length ? variants : (schema.enum || []).map((word) => ({ word, schema: {} }));
    const offered = all.filter((one) => this.offers(one.word) || one.word === now);
    const told = (word) => choice(owner, key, word, (all.find((one) => one.word === word) || { schema: {} }).schema.description);
    const options = offered.map((one) => [one.word, told(one.word).label]);
    const hints = (word) => [why, word && told(word).hint].filter(Boolean).join(" ");
    const control = select(required || schema.default !== undefined ? options : [["", t("choose_one")], ...options], now, (next) => {
      this.put(way, next || undefined, schema.default);
      if (key === "card") return this.cardChanged(way);
      node.querySelector(".hint").textContent = hints(next);
    });
    // The place of the hint is there before there is one: it changes with the choice.
    const node = this.line(name, control, " ", way);
    node.querySelector(".hint").textContent = hints(now);
    return node;
  }

  text(schema, way, shape, name, why, required) {
    const put = (next) => this.at.set(way, next === "" && required ? "" : next || undefined, required);
    const now = this.at.get(way) ?? "";
    const listed = this.listed(shape, way);
    if (listed) return this.line(name, select([["", required ? t("choose_one") : t("usual_one")], ...listed], now, (next) => {
      put(next);
      if (shape === "pipeline") this.pipelineChanged(way);
      if (shape === "user" || shape === "employee") this.at.changed?.();
    }), why, way);
    const type = { date: "date", time: undefined, date_time: "datetime-local" }[shape];
    const input = el("input", { value: type === "datetime-local" ? String(now).slice(0, 16) : now, type, placeholder: shape === "time" ? "09:00" : undefined, maxLength: 1000, onchange: () => put(input.value.trim()) });
    const byId = ["user", "pipeline", "stage", "field", "task_type"].includes(shape) ? t("by_id") : "";
    return this.line(name, input, [why, byId].filter(Boolean).join(" ") || undefined, way);
  }

  // A field belongs to its sort of card.
  cardChanged(way) {
    const of = [...way.slice(0, -1), "field"];
    if (this.at.get(of)) this.at.set(of, "", true);
    this.at.redraw();
  }

  // A stage belongs to its pipeline: another one has others.
  pipelineChanged(way) {
    const stage = [...way.slice(0, -1), "stage"];
    if (this.at.get(stage)) this.at.set(stage, "", true);
    this.at.redraw();
  }

  // What can be chosen for a text that names something; null where nothing is known of it.
  listed(shape, way) {
    const beside = (key) => this.at.get([...way.slice(0, -1), key]);
    const pairs = (items, id = "id") => items && items.length ? items.map((one) => [String(one[id]), one.name || String(one[id])]) : null;
    const lists = this.lists;
    switch (shape) {
      case "user": {
        const account = beside("account");
        return account && this.account && account !== this.account ? null : pairs((lists.users || []).filter((one) => one.active !== false));
      }
      case "employee": return pairs(this.at.get(["employees"]) || []);
      case "pipeline": return pairs(lists.pipelines);
      case "stage": {
        const of = (lists.pipelines || []).find((one) => String(one.id) === String(beside("pipeline")));
        if (of) return pairs(of.stages);
        if (!lists.pipelines || !lists.pipelines.length) return null;
        return beside("pipeline") === undefined && way.includes("deals") ? pairs((lists.pipelines || []).flatMap((one) => one.stages.map((stage) => ({ id: stage.id, name: `${one.name}: ${stage.name}` })))) : [];
      }
      case "task_type": return pairs(lists.task_types);
      case "schedule": return pairs(this.at.get(["settings", "schedules"]) || [], "name") || [];
      case "source": return pairs(this.here.sources);
      case "account": return this.account ? [[this.account, this.account]] : null;
      case "field": return this.fields((one) => one.entity === beside("card"));
      case "deal_field": return this.fields((one) => one.entity === "deal");
      case "deal_number": return this.fields((one) => one.entity === "deal" && one.takes === "number");
      default: return null;
    }
  }

  fields(is) {
    const found = (this.lists.fields || []).filter(is);
    return found.length ? found.map((one) => [one.id, one.code ? `${one.name} (${one.code})` : one.name]) : null;
  }

  // A time in its largest whole unit.
  span(schema, way, name, why) {
    const units = ["days", "hours", "minutes"];
    const value = this.at.get(way) || {};
    let unit = units.find((one) => value[one]) || "hours";
    const several = units.filter((one) => value[one]).length > 1;
    const kind = schema.part === "TaskDue" ? { kind: value.kind || "after" } : {};
    const put = (next) => this.at.set(way, { ...kind, ...next });
    if (several) {
      return el("div.field", {}, el("span.label", {}, name), el("div.row", {}, units.map((one) => {
        const input = el("input", { type: "number", min: 0, value: value[one] || 0, "aria-label": `${name}: ${t(one)}`, onchange: () => put({ ...this.at.get(way), [one]: Number(input.value) }) });
        return el("label.pair", {}, input, el("span", {}, t(one)));
      })), why && el("p.hint", {}, why), this.wrong(way, true));
    }
    const count = el("input", { type: "number", min: 0, max: 10000, value: value[unit] || 0 });
    const changed = () => put({ [unit]: Number(count.value || 0) });
    count.addEventListener("change", changed);
    const node = this.line(name, count, why, way);
    const pair = el("div.pair", {});
    count.replaceWith(pair);
    pair.append(count, select(units.map((one) => [one, t(one)]), unit, (next) => { unit = next; changed(); }, { "aria-label": `${name}: ${t("unit")}` }));
    return node;
  }

  // Something that may be left out as a whole: a switch, and what it opens.
  optional(way, name, why, required, bare, schema, inside) {
    if (required) return inside();
    const box = el(bare ? "div.stack" : "div.sub", {});
    const draw = () => {
      const is = this.at.get(way) !== undefined;
      fill(box, this.switch(bare ? t("set.on") : name, why, is, (on) => {
        this.at.set(way, on ? this.least(schema) : undefined);
        draw();
      }), is && (bare ? inside() : el("div.sub.inner", {}, inside())));
    };
    draw();
    return box;
  }

  // One of several sorts, each with settings of its own.
  union(variants, way, owner, key, name, why, usual) {
    const box = el("div.sub", {});
    const tag = variants[0].key;
    const draw = () => {
      const value = this.at.get(way) || usual || this.least({ oneOf: variants.map((one) => one.schema) });
      const chosen = variants.find((one) => one.word === value[tag]) || variants[0];
      const offered = variants.filter((one) => this.offers(one.word) || one.word === value[tag]);
      const told = (one) => choice(owner, key, one.word, one.schema.description);
      const control = select(offered.map((one) => [one.word, told(one).label]), chosen.word, (word) => {
        const next = variants.find((one) => one.word === word);
        const fresh = { ...this.least(next.schema), [tag]: word };
        // What both have is kept.
        for (const kept of Object.keys(next.schema.properties)) if (kept !== tag && value[kept] !== undefined) fresh[kept] = value[kept];
        this.at.set(way, fresh);
        draw();
        this.at.changed?.();
      });
      fill(box, el("div.fields", {}, this.line(name, control, [why, told(chosen).hint].filter(Boolean).join(" ") || undefined, [...way, tag]),
        ...this.flat(chosen.schema, way, tag)), this.wrong(way));
    };
    draw();
    return box;
  }

  // The settings of a variant, to stand in the same rows.
  flat(schema, way, tag) {
    const required = schema.required || [];
    return ordered(Object.keys(schema.properties || {})).filter((key) => key !== tag && (this.offers(key) || this.at.get([...way, key]) !== undefined))
      .map((key) => {
        const node = this.setting(schema.properties[key], [...way, key], { key, required: required.includes(key) });
        return node.classList.contains("field") ? node : el("div.wide", {}, node);
      });
  }

  object(schema, way, name, why, required, bare) {
    const toggled = schema.properties && schema.properties.on;
    const owner = schema.part || way[way.length - 1];
    const wholly = required || (schema.default !== undefined && schema.default !== null);
    if (!toggled) return this.optional(way, name, why, wholly, bare, schema, () => el("div.sub", {}, !bare && wholly && el("h3", {}, name), this.wrong(way), this.table(schema, way, { owner })));
    const box = el(bare ? "div.stack" : "div.sub", {});
    const usual = schema.properties.on.default ?? true;
    const draw = () => {
      const value = this.at.get(way);
      const is = value ? value.on ?? usual : wholly && usual;
      fill(box, this.switch(bare ? known([`${owner}.on`]) ?? t("set.on") : name, known([`${owner}.on.hint`]) ?? why ?? hint(owner, "on", schema.properties.on), is, (on) => {
        if (!value) this.at.set(way, on ? this.least(schema) : { ...this.least(schema), on });
        else this.put([...way, "on"], on, usual);
        draw();
        this.at.changed?.();
      }), is && (bare ? this.table(schema, way, { skip: ["on"], owner }) : el("div.sub.inner", {}, this.table(schema, way, { skip: ["on"], owner }))), this.wrong(way));
    };
    draw();
    return box;
  }

  template(way, name, why, required) {
    const [, kind, direction] = way;
    const about = { kind: { calls: "call", requests: "request", chats: "chat" }[kind], purpose: /_name$/.test(way[way.length - 1]) ? "name" : "text" };
    if (["incoming", "outgoing"].includes(direction)) about.direction = direction;
    return templateEditor({
      label: name, hint: why, value: this.at.get(way), saved: this.at.base(way), about, path: this.path,
      way: way.join("."), required, variables: this.variables[about.kind] || [], mistakes: this.wrong(way, true),
      change: (next) => this.at.set(way, next),
    });
  }

  filter(schema, way, name, why, bare) {
    const mark = el("span.mark", {});
    const draw = (value) => fill(mark, conditions(value) ? badge("good", t("filter.set", { count: conditions(value) })) : badge("quiet", t("filter.none")));
    const condition = this.variants(schema).find((one) => one.word === "include").schema.properties.parameter;
    const parameters = this.variants(this.resolve(condition)).map((one) => [one.word, choice("", "parameter", one.word, one.schema.description).label]);
    draw(this.at.get(way));
    const employees = (this.at.get(["employees"]) || []).map((one) => [one.id, one.name || one.id]);
    return el(bare ? "div.stack" : "div.sub", { "data-way": way.join(".") }, el("p", {}, !bare && el("strong", {}, name), " ", mark), why && el("p.hint", {}, why),
      filterEditor(structuredClone(this.at.get(way)), (next) => { this.at.set(way, next); draw(next); this.at.changed?.(); }, { parameters, employees, outgoing: way.includes("outgoing") }),
      this.wrong(way, true));
  }

  array(schema, way, owner, key, name, why, bare) {
    const items = this.resolve(schema.items || {});
    const shape = schema["x-shape"];
    const words = this.variants(items);
    if (words.length && !words.some((one) => one.key)) return this.checks(words.map((one) => [one.word, choice(owner, key, one.word, "").label]), way, name, why, schema.default);
    const from = shape === "pipelines" ? (this.lists.pipelines || []).map((one) => [String(one.id), one.name]) : shape === "deal_fields" ? this.fields((one) => one.entity === "deal")
      : owner === "EmployeeSyncSettings" ? (this.lists.users || []).filter((one) => one.active !== false).map((one) => [String(one.id), one.name || String(one.id)]) : null;
    if (from && from.length) return this.checks(from, way, name, why);
    if (this.type(items) === "object" || words.length) return this.list(items, way, owner, key, name, why, bare);
    const area = el("textarea", { rows: 3, spellcheck: false, value: (this.at.get(way) || []).join("\n"), onchange: () => {
      const lines = area.value.split(/[\n,;]/).map((line) => line.trim()).filter(Boolean);
      this.at.set(way, lines.length || this.at.base(way) ? lines : undefined);
    } });
    return this.line(bare ? t("one_a_line") : `${name} (${t("one_a_line").toLowerCase()})`, area, why, way);
  }

  checks(options, way, name, why, usual) {
    const has = (word) => (this.at.get(way) ?? usual ?? []).includes(word);
    const all = [...options, ...(this.at.get(way) ?? usual ?? []).filter((word) => !options.some(([id]) => id === word)).map((word) => [word, word])];
    return el("fieldset.checks", {}, el("legend", {}, name), all.map(([word, text]) => {
      const input = el("input", { type: "checkbox", checked: has(word), onchange: () => {
        const before = this.at.get(way) ?? usual ?? [];
        // In the order in which they were chosen, but days in the week's.
        let next = input.checked ? [...before.filter((one) => one !== word), word] : before.filter((one) => one !== word);
        if (DAYS.includes(word)) next = DAYS.filter((day) => next.includes(day));
        this.at.set(way, next.length || this.at.base(way) || usual ? next : undefined);
      } });
      return el("label.choice", {}, input, el("span", {}, text));
    }), why && el("p.hint", {}, why), this.wrong(way, true));
  }

  // An ordered list of tables: the first that holds wins, so the order can be changed.
  list(items, way, owner, key, name, why, bare) {
    const box = el("div.stack", { "data-way": way.join(".") });
    const open = this.opened[way.join(".")] ??= new Set();
    const one = words(`add.${key}`) ?? t("list.add");
    const draw = (focus) => {
      const all = this.at.get(way) || [];
      const put = (next) => { this.at.set(way, next.length || this.at.base(way) ? next : undefined); draw(); this.at.changed?.(); };
      const move = (place, step) => {
        const next = [...(this.at.get(way) || [])];
        [next[place], next[place + step]] = [next[place + step], next[place]];
        const moved = new Set([...open].map((at) => at === place ? place + step : at === place + step ? place : at));
        open.clear();
        moved.forEach((at) => open.add(at));
        put(next);
        box.querySelector(`[data-move="${place + step}:${step}"]:not(:disabled)`)?.focus();
      };
      fill(box, !bare && el("h3", {}, name), why && el("p.hint", {}, why), this.wrong(way),
        all.length === 0 && el("p.empty", {}, t("list.none")),
        el("ol.rules", {}, all.map((value, place) => {
          const title = this.title(value, place);
          const head = el("span.title", {}, title);
          const wrong = this.at.mistakes([...way, place], true).length > 0;
          const body = el("div.stack", {}, this.wrong([...way, place]), this.table(items, [...way, place], { owner: items.part || key }));
          const named = [];
          body.addEventListener("change", () => {
            const fresh = this.title(this.at.get([...way, place]) || {}, place);
            fill(head, fresh);
            for (const [button, what] of named) button.setAttribute("aria-label", `${t(what)}: ${fresh}`);
          });
          const details = el("details", { open: open.has(place) || wrong, ontoggle: () => { if (details.open) open.add(place); else open.delete(place); } },
            el("summary", {}, `${place + 1}. `, head, value.on === false && [" ", badge("quiet", t("activity.off"))], wrong && [" ", badge("bad", "!")]), body);
          const button = (text, what, properties) => {
            const node = el("button.icon", { type: "button", "aria-label": `${t(what)}: ${title}`, title: t(what), ...properties }, text);
            named.push([node, what]);
            return node;
          };
          const mover = (text, what, step, at) => button(text, what, { disabled: at, "data-move": `${place}:${step}`, onclick: () => move(place, step) });
          return el("li.rule", {}, details, el("div.row", {}, mover("↑", "list.up", -1, place === 0), mover("↓", "list.down", 1, place === all.length - 1),
            button("✕", "list.remove", { onclick: () => { open.clear(); put((this.at.get(way) || []).filter((_, at) => at !== place)); } })));
        })),
        el("div.row", {}, el("button", { type: "button", onclick: () => {
          open.add(all.length);
          this.at.set(way, [...(this.at.get(way) || []), this.least(items)]);
          draw(true);
          this.at.changed?.();
        } }, `+ ${one}`)));
      if (focus) box.querySelector("ol > li:last-child details input, ol > li:last-child details select")?.focus();
    };
    draw();
    return box;
  }

  // What a table of a list is called: by its name, else by what it says.
  title(value, place) {
    if (typeof value !== "object") return String(value);
    if (value.name) return value.name;
    if (value.field) {
      const of = (this.lists.fields || []).find((one) => one.entity === value.card && [one.id, one.code, one.name].includes(value.field));
      return `${choice("FieldRule", "card", value.card, "").label}: ${of ? of.name : value.field}`;
    }
    const stages = (this.lists.pipelines || []).flatMap((one) => one.stages.map((stage) => ({ id: stage.id, pipeline: one.id, name: `${one.name}: ${stage.name}` })));
    if (value.stage) return (stages.find((one) => one.id === value.stage && (!value.pipeline || one.pipeline === value.pipeline)) || { name: value.stage }).name;
    const told = Object.values(value).flat().filter((one) => ["string", "number"].includes(typeof one) && one !== "");
    const days = (value.days || []).map((day) => choice("", "days", day, "").label).join(", ");
    const rest = told.filter((one) => !(value.days || []).includes(one)).join(" – ");
    return [days, rest].filter(Boolean).join(" ") || t("list.new", { number: place + 1 });
  }
}

export { ordered };
