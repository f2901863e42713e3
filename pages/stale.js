// A save that came too late: shows what somebody else changed, and lets both changes stand.
import { fill } from "/pages/dom.js";
import { t } from "/pages/words.js";
import { read, way } from "/pages/api.js";
import { warning } from "/pages/saving.js";
import { differences, withChanges } from "/pages/values.js";

export async function stale({ tenant, path, state, whole, said, draw, reload }) {
  const [settings, staff] = await Promise.all([read(`${path}/settings`), read(`/v1/tenants/${way(tenant)}/employees`)]);
  const fresh = whole(settings, staff);
  const theirs = differences(state.base, fresh);
  const ours = differences(state.base, state.now);
  const both = theirs.filter((one) => ours.some((mine) => mine.path === one.path || mine.path.startsWith(`${one.path}.`) || one.path.startsWith(`${mine.path}.`)));
  const take = () => {
    Object.assign(state, { base: fresh, now: withChanges(fresh, ours), tag: settings.tag, path: settings.data.path });
    fill(said);
    draw();
  };
  fill(said, warning(theirs, {
    both, none: t("stale.elsewhere"), name: (path) => path.replace(/^settings\./, ""), take, drop: reload }));
  said.focus();
}
