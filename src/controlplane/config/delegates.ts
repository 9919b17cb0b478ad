/**
 * Routes that a VirtualService leaves to another one (`delegate`): each of that one's, within what the first asks for.
 */
import type { HttpMatch, HttpRoute, StringMatch } from "./objects.ts";

/** What of a delegate's routes is left within the root's route. */
export interface DelegatedRoutes {
  readonly routes: readonly HttpRoute[];
  /** Which of the delegate's routes ask for what the root's route excludes; they are never taken. */
  readonly excluded: readonly number[];
}

/** The routes of a delegate in place of the root's route that names it. What both say of a request the delegate says. */
export function delegatedRoutes(root: HttpRoute, delegate: readonly HttpRoute[]): DelegatedRoutes {
  const excluded: number[] = [];
  const routes = delegate.flatMap((route, index): readonly HttpRoute[] => {
    const match = bothMatches(root.match ?? [], route.match ?? []);
    if (match === undefined) {
      excluded.push(index);
      return [];
    }
    const { delegate: _delegate, name: _name, match: _match, ...said } = root;
    const name = joined(root.name, route.name);
    return [
      {
        ...said,
        ...route,
        ...(name === undefined ? {} : { name }),
        ...(match.length === 0 ? {} : { match }),
      },
    ];
  });
  return { routes, excluded };
}

/** Undefined when a match of the delegate is within none of the root's. */
function bothMatches(
  roots: readonly HttpMatch[],
  leaves: readonly HttpMatch[],
): readonly HttpMatch[] | undefined {
  if (roots.length === 0) return leaves;
  if (leaves.length === 0) return roots;
  const merged = leaves.map((leaf) =>
    roots.filter((root) => isWithin(leaf, root)).map((root) => both(root, leaf)),
  );
  return merged.every((list) => list.length > 0) ? merged.flat() : undefined;
}

function both(root: HttpMatch, leaf: HttpMatch): HttpMatch {
  const name = joined(root.name, leaf.name);
  const maps = (["headers", "withoutHeaders", "queryParams", "sourceLabels"] as const).flatMap((field) => {
    const pairs = { ...root[field], ...leaf[field] };
    return Object.keys(pairs).length === 0 ? [] : [[field, pairs] as const];
  });
  const gateways = (leaf.gateways ?? []).length > 0 ? leaf.gateways : root.gateways;
  return {
    ...root,
    ...leaf,
    ...Object.fromEntries(maps),
    ...(name === undefined ? {} : { name }),
    ...(gateways === undefined ? {} : { gateways }),
  };
}

function joined(root: string | undefined, leaf: string | undefined): string | undefined {
  return root === undefined || leaf === undefined ? (leaf ?? root) : `${root}-${leaf}`;
}

function isWithin(leaf: HttpMatch, root: HttpMatch): boolean {
  const single = (["uri", "scheme", "method", "authority"] as const).every((field) =>
    isTextWithin(leaf[field], root[field]),
  );
  const several = (["headers", "withoutHeaders", "queryParams"] as const).every((field) =>
    Object.entries(leaf[field] ?? {}).every(([key, value]) => isTextWithin(value, valueAt(root[field], key))),
  );
  const isSamePort = root.port === undefined || leaf.port === undefined || root.port === leaf.port;
  const isSameNamespace =
    root.sourceNamespace === undefined ||
    leaf.sourceNamespace === undefined ||
    root.sourceNamespace === leaf.sourceNamespace;
  const hasSameLabels = Object.entries(leaf.sourceLabels ?? {}).every(
    ([key, value]) => (valueAt(root.sourceLabels, key) ?? value) === value,
  );
  const rootGateways = root.gateways ?? [];
  const isAtGateways =
    rootGateways.length === 0 || (leaf.gateways ?? []).every((name) => rootGateways.includes(name));
  const isSameCase = (root.ignoreUriCase ?? false) === (leaf.ignoreUriCase ?? false);
  return single && several && isSamePort && isSameNamespace && hasSameLabels && isAtGateways && isSameCase;
}

function valueAt<Value>(values: Readonly<Record<string, Value>> | undefined, key: string): Value | undefined {
  return values !== undefined && Object.hasOwn(values, key) ? values[key] : undefined;
}

/** Expressions are not compared: one of them on either side is within nothing that the other side says. */
function isTextWithin(leaf: StringMatch | undefined, root: StringMatch | undefined): boolean {
  if (leaf === undefined || root === undefined) return true;
  if (leaf.regex !== undefined || root.regex !== undefined) return false;
  if (root.exact !== undefined) return leaf.exact === root.exact;
  const { prefix } = root;
  if (prefix === undefined) return true;
  return (leaf.exact ?? leaf.prefix ?? "").startsWith(prefix);
}
