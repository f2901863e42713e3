// Values as the settings hold them: copies, comparisons, and how many conditions a filter has.
export const clone = (value) => structuredClone(value);
export const equal = (a, b) => JSON.stringify(sorted(a)) === JSON.stringify(sorted(b));
const sorted = (value) => Array.isArray(value) ? value.map(sorted)
  : value && typeof value === "object" ? Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])])) : value;

// A filter that is set is marked.
export const conditions = (one) => !one ? 0 : one.of ? one.of.reduce((sum, part) => sum + conditions(part), 0) : 1;
