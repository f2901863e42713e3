// Small means to build a page: elements from values, never from text that is read as HTML.

export function el(name, properties, ...children) {
  const [tag, ...classes] = name.split(".");
  const node = document.createElement(tag || "div");
  if (classes.length) node.className = classes.join(" ");
  for (const [key, value] of Object.entries(properties || {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (key in node && key !== "list" && key !== "form") node[key] = value;
    else node.setAttribute(key, value === true ? "" : value);
  }
  append(node, children);
  return node;
}

function append(node, children) {
  for (const child of children.flat(9)) {
    if (child === undefined || child === null || child === false) continue;
    node.append(child instanceof Node ? child : String(child));
  }
}

export function fill(node, ...children) {
  const fresh = document.createDocumentFragment();
  append(fresh, children);
  node.replaceChildren(fresh);
  return node;
}

let counter = 0;
export const newId = () => `f${++counter}`;

// A labelled field; the hint and a mistake are told to screen readers with it.
export function field(label, control, hint) {
  const id = control.id || newId();
  control.id = id;
  const parts = [el("label", { htmlFor: id }, label), control];
  if (hint) {
    const hintId = `${id}-hint`;
    parts.push(el("p.hint", { id: hintId }, hint));
    control.setAttribute("aria-describedby", hintId);
  }
  return el("div.field", {}, parts);
}

export function select(options, value, change, properties) {
  const known = options.some(([one]) => one === value);
  const all = known || value === undefined || value === null ? options : [...options, [value, value]];
  const node = el("select", properties, all.map(([one, text]) =>
    el("option", { value: one, selected: one === (value ?? "") }, text)));
  node.addEventListener("change", () => change(node.value));
  return node;
}

export function table(caption, heads, rows, empty) {
  if (!rows.length) return el("p.empty", {}, empty);
  // On a narrow screen each row stands as a block of its own, and each cell says what it is.
  for (const row of rows) {
    row.setAttribute("role", "row");
    [...row.children].forEach((cell, place) => {
      cell.setAttribute("role", cell.tagName === "TH" ? "rowheader" : "cell");
      if (cell.tagName !== "TH" && typeof heads[place] === "string") cell.dataset.label = heads[place];
    });
  }
  return el("div.scroll", { tabIndex: 0, role: "region", "aria-label": caption },
    el("table", { role: "table" },
      el("caption.hidden", {}, caption),
      el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, heads.map((head) => el(head ? "th" : "td", head ? { scope: "col", role: "columnheader" } : { role: "cell" }, head)))),
      el("tbody", { role: "rowgroup" }, rows)));
}

export const badge = (kind, text) => el(`span.badge.${kind}`, {}, text);

// Tells what happened, also to screen readers.
export function say(text, kind = "good") {
  const place = document.getElementById("said");
  if (!place) return;
  const note = el(`div.toast.${kind}`, {}, text);
  place.append(note);
  setTimeout(() => note.remove(), kind === "bad" ? 12000 : 5000);
}

// Asks before something that cannot be undone.
export function ask(text, yes, no) {
  return new Promise((resolve) => {
    const title = newId();
    const dialog = el("dialog", { "aria-labelledby": title },
      el("p", { id: title }, text),
      el("div.row", {},
        el("button.primary", { type: "button", onclick: () => dialog.close("yes") }, yes),
        el("button", { type: "button", onclick: () => dialog.close("no") }, no)));
    dialog.addEventListener("close", () => { dialog.remove(); resolve(dialog.returnValue === "yes"); });
    document.body.append(dialog);
    dialog.showModal();
  });
}
