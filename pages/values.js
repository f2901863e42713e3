// Values of settings: copied, compared, changed; how many conditions a filter has.
export const clone = (value) => structuredClone(value);
export const equal = (a, b) => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
const isTable = (value) => value && typeof value === "object" && !Array.isArray(value);
const sorted = (value) => Array.isArray(value) ? value.map(sorted)
  : isTable(value) ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])])) : value;

// What differs, value by value.
export function differences(before, after, path = "") {
  if (equal(before, after)) return [];
  if (!isTable(before) || !isTable(after)) return [{ path, before, after }];
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].flatMap((key) =>
    differences(before[key], after[key], path ? `${path}.${key}` : key));
}

// The state with these; what is nothing after goes.
export function withChanges(state, changes) {
  const changed = clone(state);
  for (const { path, after } of changes) {
    const way = path.split(".");
    const last = way.pop();
    const table = way.reduce((holder, key) => holder[key] ??= {}, changed);
    if (after === undefined) delete table[last];
    else table[last] = after;
  }
  return changed;
}

// A filter that is set is marked.
export const conditions = (one) => !one ? 0 : one.of ? one.of.reduce((sum, part) => sum + conditions(part), 0) : 1;
