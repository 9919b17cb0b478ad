/**
 * The flags of `proxy`, read: the command line before the pod's annotations before the environment before the default;
 * of guarded ones the environment before the annotations.
 * What pilot-agent has too is a flag and nothing else, as it is there.
 */
import type { ConfigProblem } from "../../schema/config-problem.ts";
import { refuseInto, textsOfFlag } from "../../schema/flag-texts.ts";
import { type GivenTexts, readSettings, type Setting, type SettingValues } from "../../schema/setting.ts";
import type { ConfigSources } from "./config-sources.ts";
import { istioFlags } from "./istio-flags.ts";
import { logFlags } from "./log-flags.ts";
import { annotationOf, guardedFlags, ownFlags, variableOf } from "./own-flags.ts";
import { paths } from "./paths.ts";
import { type PilotFlagValues, pilotFlagValues } from "./pilot-flags.ts";
import { readPodInfo } from "./pod-info.ts";

/** All of them, but for those that set a field of ProxyConfig or mean nothing. */
export const proxyFlags = { ...istioFlags, ...ownFlags, ...logFlags } as const;

/** Their values. */
export type ProxyFlags = SettingValues<typeof proxyFlags> & { readonly pilot: PilotFlagValues };

/** Everything that is given, where it is given; what cannot be used is a problem and counts as not given. */
export function readProxyFlags(
  sources: Pick<ConfigSources, "env" | "flags" | "readFile">,
  problems: ConfigProblem[],
): ProxyFlags {
  const { env, flags } = sources;
  // A line that cannot be read is told of by whoever reads all of them.
  const annotations = readPodInfo(sources, paths.podAnnotations, []) ?? {};
  const given = (name: string, setting: Setting<unknown>): GivenTexts | undefined =>
    textsOfFlag(flags, name, setting) ??
    (Object.hasOwn(ownFlags, name) ? elsewhere(name, annotations, env) : undefined);
  return { ...readSettings(proxyFlags, given, refuseInto(problems)), pilot: pilotFlagValues(flags) };
}

/** An empty text is none: a template has nothing else to write for what nobody has set. */
function elsewhere(
  flag: string,
  annotations: Readonly<Record<string, string>>,
  env: ConfigSources["env"],
): GivenTexts | undefined {
  const [annotation, variable] = [annotationOf(flag), variableOf(flag)];
  const annotated = givenAs(`${paths.podAnnotations}: ${annotation}`, annotations[annotation]);
  const set = givenAs(variable, env[variable]);
  return guardedFlags.has(flag) ? (set ?? annotated) : (annotated ?? set);
}

function givenAs(source: string, text: string | undefined): GivenTexts | undefined {
  return text === undefined || text.trim() === "" ? undefined : { source, texts: [text] };
}
