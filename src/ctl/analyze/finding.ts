/**
 * What an analysis tells: Istio's codes where it has one, the object, the place, and what to do. Pure.
 */
import type { ConfigProblem } from "../../controlplane/config/problem.ts";
import { isOfCluster, placeWords } from "./cluster-place.ts";
import { type ObjectAt, objectPlaces } from "./object-places.ts";
import { istioMessages, type Level } from "../../controlplane/config/analysis/istio-messages.ts";

/** One message. */
export interface Finding {
  readonly level: Level;
  /** Undefined where Istio has no such message. */
  readonly code: string | undefined;
  /** `VirtualService demo/api`; undefined where the place is in no object. */
  readonly object: string | undefined;
  readonly source: string;
  /** Counted from 1; 0 for the file itself. */
  readonly line: number;
  readonly path: string;
  readonly message: string;
}

/** Istio's code for what its schemas refuse, and for what they warn of. */
const schemaCodes = { Error: "IST0106", Warning: "IST0133", Info: undefined } as const;

/** @param textOf the text of a file, where it is at hand */
export function findingsOf(
  problems: readonly ConfigProblem[],
  textOf: (source: string) => string | undefined,
): readonly Finding[] {
  const places = new Map<string, ObjectAt>();
  const objectsOf = (source: string): ObjectAt => {
    const known = places.get(source) ?? objectPlaces(textOf(source) ?? "");
    places.set(source, known);
    return known;
  };
  return problems
    .map(({ source, line, path, message, severity, code }): Finding => {
      const isNoMatterOfOurs = severity === "warning" && path === "kind";
      const ownLevel = isNoMatterOfOurs ? "Info" : severity === "warning" ? "Warning" : "Error";
      // What is refused is an error, whatever Istio calls it, which serves it in part.
      const level = ownLevel === "Error" ? ownLevel : (istioMessages[code ?? ""]?.level ?? ownLevel);
      const object = objectsOf(source)(line);
      return { level, code: code ?? schemaCodes[ownLevel], object, source, line, path, message };
    })
    .toSorted((a, b) => {
      const order = levels.indexOf(a.level) - levels.indexOf(b.level);
      if (order !== 0) return order;
      if (a.source !== b.source) return a.source < b.source ? -1 : 1;
      return a.line - b.line;
    });
}

/** The worst first. */
export const levels: readonly Level[] = ["Error", "Warning", "Info"];

/** `Error [IST0106] (VirtualService demo/api mesh/api.yaml:12) spec.http[0]: …`, as istioctl has it. */
export function findingLine({ level, code, object, source, line, path, message }: Finding): string {
  const place = placeWords({ source, line });
  const where = object === undefined ? place : isOfCluster(source) ? object : `${object} ${place}`;
  return `${level} ${code === undefined ? "" : `[${code}] `}(${where}) ${path === "" ? "" : `${path}: `}${message}`;
}
