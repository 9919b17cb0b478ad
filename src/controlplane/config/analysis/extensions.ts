/** Images whose credentials are not there: agents fetch nothing, and their filter lets everything pass or nothing. */
import type { ConfigObject } from "../objects.ts";
import type { ConfigProblem } from "../problem.ts";
import { type Refused, whyMissing } from "../refused.ts";
import { dockerConfigOf } from "../secret-contents.ts";
import { warningAt } from "./warning.ts";

type Extension = Extract<ConfigObject, { kind: "WasmPlugin" | "TrafficExtension" }>;
type Secret = Extract<ConfigObject, { kind: "Secret" }>;

/** @param refused those that are written and cannot be taken */
export function extensionWarnings(
  extensions: readonly Extension[],
  secrets: readonly Secret[],
  refused: Refused,
): readonly ConfigProblem[] {
  return extensions.flatMap((object): readonly ConfigProblem[] => {
    const [path, wasm] =
      object.kind === "WasmPlugin" ? ["spec", object.spec] : ["spec.wasm", object.spec.wasm];
    const { imagePullSecret = "" } = wasm ?? {};
    if (imagePullSecret === "") return [];
    const { namespace } = object;
    // Istio takes the name alone, whatever stands before it.
    const name = imagePullSecret.replace(/^.*\//, "");
    const found = secrets.find((secret) => secret.namespace === namespace && secret.name === name);
    if (found !== undefined && dockerConfigOf(found.spec) !== undefined) return [];
    const id = `${namespace}/${name}`;
    const why =
      found === undefined
        ? whyMissing(refused, "Secret", id, `there is no Secret ${id}`)
        : `the Secret ${id} has no configuration of Docker (.dockerconfigjson)`;
    return [warningAt(object, `${path}.imagePullSecret`, `${why}: nothing is fetched`, "IST0101")];
  });
}
