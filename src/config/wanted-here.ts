/**
 * Whether an agent is wanted in the current folder: its usual paths are relative, and who only looks around in a folder
 * does not want `etc` and `var` in it.
 */
import type { ConfigProblem } from "../schema/config-problem.ts";
import { variableOf } from "../schema/own-variables.ts";
import { isDocumented } from "./sources/documented.ts";

/** Variables of people and machines: none of them asks for a sidecar. */
const everybodys = new Set(["HOME", "DOCKER_CONFIG", "ENVOY_PATH", variableOf("runtimeFolder")]);

/** Flags that say where the agent writes, or that a mesh has said so. */
const placeFlags = ["configPath", "meshConfig", "customConfigFile"];

/** What a caller sees of the current folder. */
export interface Surrounding {
  readonly folder: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly flags: Readonly<Record<string, readonly string[]>>;
  readonly exists: (path: string) => boolean;
}

/** Undefined in a container's root, in a folder made for a sidecar, and wherever a variable or a flag is an agent's. */
export function unwantedHere({ folder, env, flags, exists }: Surrounding): ConfigProblem | undefined {
  const isAsked =
    folder === "/" ||
    exists("etc/istio") ||
    exists("var/run/secrets") ||
    placeFlags.some((name) => Object.hasOwn(flags, name)) ||
    Object.entries(env).some(
      ([name, value]) => (value ?? "") !== "" && isDocumented(name) && !everybodys.has(name),
    );
  if (isAsked) return undefined;
  return {
    source: "PROXY_CONFIG",
    path: "configPath",
    message:
      `would be made below ${folder}, and nothing here says that a sidecar is wanted there: set POD_NAME or PROXY_CONFIG ` +
      "as an injector does, name a folder with --configPath, or make ./etc/istio. For a mesh to try, run `outrider up`",
  };
}
