/**
 * `--set PATH=VALUE`, in the notation of Istio and Helm: `components.ingressGateways[0].enabled=true`, and `\.` for a dot that is
 * part of a name. Pure.
 */
import { configurationLimits } from "../../../document/limits.ts";
import { readYaml } from "../../../document/yaml.ts";
import type { Json, JsonObject } from "../../../controlplane/config/json-value.ts";

/** What was set. */
export interface SetValue {
  /** Names of fields and places in lists. */
  readonly path: readonly (string | number)[];
  readonly value: string;
}

/** Places in lists are small: a list up to that place is made. */
const mostPlaces = 100;

/** @returns the reason where it cannot be read */
export function parseSet(text: string): SetValue | string {
  const split = /^((?:[^=\\]|\\.)*)=(.*)$/s.exec(text);
  const [, written = "", value = ""] = split ?? [];
  if (split === null || written === "") return "is not PATH=VALUE, such as profile=demo";
  const path = pathOf(written);
  return path === undefined
    ? `${JSON.stringify(written)} is no path such as components.ingressGateways[0].enabled`
    : { path, value };
}

function pathOf(written: string): readonly (string | number)[] | undefined {
  const path: (string | number)[] = [];
  const step = /(?:^|\.)((?:[^.[\]\\]|\\.)+)((?:\[\d{1,3}\])*)/gsy;
  let end = 0;
  for (const match of written.matchAll(step)) {
    const [whole, name = "", places = ""] = match;
    path.push(
      name.replaceAll(/\\(.)/gs, "$1"),
      ...[...places.matchAll(/\d+/g)].map(([digits]) => Number(digits)),
    );
    end = match.index + whole.length;
  }
  const isWhole = end === written.length && path.length > 0;
  return isWhole && path.every((part) => typeof part === "string" || part < mostPlaces) ? path : undefined;
}

/** The specification that says nothing but this. @param isText the value is text, whatever it looks like */
export function specOf({ path, value }: SetValue, isText: boolean): JsonObject {
  return path.reduceRight<Json>(
    (inner, part) =>
      typeof part === "number"
        ? [...Array.from({ length: part }, () => null), inner]
        : Object.fromEntries([[part, inner]]),
    isText ? value : plainValue(value),
  ) as JsonObject;
}

/** As YAML reads it: `true`, `3`, `{a: b}`, `[x, y]`, or text. */
function plainValue(value: string): Json {
  const read = readYaml(value, configurationLimits);
  return read.kind === "read" ? (read.value as Json) : value;
}
