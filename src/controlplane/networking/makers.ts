/**
 * Which objects a resource was made of, for whoever is told that a proxy refuses it. Pure.
 *
 * Resources do not say it whole: routes and clusters name their rule, policies are named in filters, everything else is
 * told by the hosts that object and resource have in common. What Envoy quotes of an object decides among those.
 */
import { type ConfigObject, objectId } from "../config/objects.ts";
import { extensionName } from "../model/extensions.ts";

/** Objects that are told; more would hide the one that is meant. */
const most = 3;

/** Shortest text of an object that is taken for quoted, in characters. */
const leastQuoted = 4;

/** A resource that was refused. */
export interface RefusedJson {
  readonly name: string;
  readonly json: object;
  /** Envoy's words. */
  readonly reason: string;
}

/** As `file:line: Kind namespace/name`, those first that Envoy quotes; none where nothing points at any. */
export function makersOf(objects: readonly ConfigObject[], refused: RefusedJson): readonly string[] {
  const texts = new Set([refused.name, ...textsIn(refused.json)]);
  // Policies are named by the keys of filters.
  const all = `${refused.name}\n${JSON.stringify(refused.json)}`;
  const related = objects
    .filter((object) => isRelated(object, texts, all))
    .map((object) => ({ object, rank: rankOf(object, refused) }))
    .toSorted((a, b) => b.rank - a.rank || Number(isLoose(b.object)) - Number(isLoose(a.object)));
  const best = related.filter(({ rank }) => rank === related[0]?.rank);
  const rules = best.filter(({ object }) => object.kind !== "ServiceEntry");
  // A service by itself is seldom bad: its rules say more.
  return (rules.length > 0 ? rules : best)
    .slice(0, most)
    .map(({ object }) => `${placeOf(object)}: ${objectId(object)}`);
}

function placeOf({ source, line }: ConfigObject): string {
  return line === 0 ? source : `${source}:${line}`;
}

function isRelated(object: ConfigObject, texts: ReadonlySet<string>, all: string): boolean {
  const { namespace, name } = object;
  const own = [`/namespaces/${namespace}/${dashed(object.kind)}/${name}`, `ns[${namespace}]-policy[${name}]`];
  if (own.some((text) => all.includes(text))) return true;
  if (object.kind === "WasmPlugin" || object.kind === "TrafficExtension")
    return texts.has(extensionName(object));
  if (object.kind === "EnvoyFilter")
    return (object.spec.configPatches ?? []).some(({ patch }) => {
      const said = textsIn(patch.value);
      return said.length > 0 && said.every((text) => texts.has(text));
    });
  return namesOf(object).some(
    (text) => texts.has(text) || all.includes(`|${text}`) || all.includes(`/${text}`),
  );
}

/** Nothing but Envoy itself judges the whole of it. */
function isLoose({ kind }: ConfigObject): boolean {
  return kind === "EnvoyFilter";
}

/** By what resources may know an object. */
function namesOf(object: ConfigObject): readonly string[] {
  switch (object.kind) {
    case "ServiceEntry":
      return object.spec.hosts.map((host) => host.toLowerCase());
    case "RequestAuthentication":
      return (object.spec.jwtRules ?? []).map(({ issuer }) => issuer);
    case "Secret":
      return [object.name];
    default:
      return [];
  }
}

/** Longer quotations count for more: a host stands in many objects, a bad expression in one. */
function rankOf({ spec }: ConfigObject, { reason }: RefusedJson): number {
  const quoted = textsIn(spec).filter((text) => text.length >= leastQuoted && reason.includes(text));
  return Math.max(0, ...quoted.map((text) => text.length));
}

/** `DestinationRule` as it is in `/apis/…/destination-rule/NAME`, `HTTPRoute` as `http-route`. */
function dashed(kind: string): string {
  return kind.replace(/(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])/g, "-").toLowerCase();
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === "string") return [value];
  if (Array.isArray(value)) return value.flatMap(textsIn);
  if (typeof value !== "object" || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}
