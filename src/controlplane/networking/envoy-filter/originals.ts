/**
 * What a resource was before EnvoyFilters changed it: that is sent where Envoy would refuse what they make of it.
 */
const originals = new WeakMap<object, object>();

/** Note what `patched` was made of. */
export function patchedFrom<Patched extends object>(patched: Patched, original: object): Patched {
  if (patched !== original) originals.set(patched, original);
  return patched;
}

/** Undefined for what no EnvoyFilter changed. */
export function originalOf(json: object): object | undefined {
  return originals.get(json);
}
