/**
 * What the Envoy of a running agent refuses of the control plane's configuration.
 */
import { type Finding, ok, warning } from "./finding.ts";

const name = "refused-configuration";

/** A resource that Envoy refuses. */
export interface RefusedResource {
  /** The last part of its type URL, such as `RouteConfiguration`. */
  readonly type: string;
  readonly name: string;
  /** Envoy's words. */
  readonly reason: string;
  /** ISO 8601. */
  readonly since: string;
  readonly serves: string;
}

/** Findings that are shown one by one. */
const shown = 5;

/** One finding for each, or one that says that all is well. */
export function judgeRefused(refused: readonly RefusedResource[]): readonly Finding[] {
  if (refused.length === 0) return [ok(name, "Envoy refuses nothing of the control plane's configuration")];
  const rest = refused.length - shown;
  return [
    ...refused.slice(0, shown).map(describe),
    ...(rest > 0
      ? [warning(name, `Envoy refuses ${rest} more resources`, "outrider xds shows all of them")]
      : []),
  ];
}

function describe({ type, name: resource, reason, since, serves }: RefusedResource): Finding {
  const consequence =
    serves === "nothing"
      ? "there is none that it accepted before, so that nothing serves in its place"
      : "the last accepted one serves on, and is out of date";
  return warning(
    name,
    `Envoy refuses ${type} ${JSON.stringify(resource)} since ${since} (${reason.trim()}): ${consequence}`,
    "correct what the control plane makes it from: Envoy takes the next version at once",
  );
}
