/**
 * The flags of `proxy`, read: the command line before the pod's annotations before the environment before the default;
 * of guarded ones the environment before the annotations.
 * What pilot-agent has too is a flag and nothing else, as it is there.
 */
import type { ConfigProblem } from "../../schema/config-problem.ts";
import { refuseInto, textsOfFlag } from "../../schema/flag-texts.ts";
import {
  type GivenTexts,
  readSettings,
  readText,
  type Setting,
  type SettingValues,
} from "../../schema/setting.ts";
import type { ConfigSources } from "./config-sources.ts";
import { istioFlags } from "./istio-flags.ts";
import { logFlags } from "./log-flags.ts";
import { givenAs, textsOfVariable } from "../../schema/own-variables.ts";
import { annotationOf, guardedFlags, ownFlags } from "./own-flags.ts";
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
  return {
    ...readSettings(proxyFlags, givenIn(sources), refuseInto(problems)),
    pilot: pilotFlagValues(sources.flags),
  };
}

/** The text of a flag that is in effect, and where it stands. */
export interface FlagOrigin {
  readonly name: string;
  readonly texts: readonly string[];
  /** Undefined for the default. */
  readonly source: string | undefined;
}

/** Every flag of the table, in its order. */
export function proxyFlagOrigins(
  sources: Pick<ConfigSources, "env" | "flags" | "readFile">,
): readonly FlagOrigin[] {
  const given = givenIn(sources);
  return Object.entries<Setting<unknown>>(proxyFlags).map(([name, setting]) => {
    const found = given(name, setting);
    const texts = setting.parseAll === undefined ? found?.texts.slice(-1) : found?.texts;
    const isRead = texts?.every((text) => readText(setting, text).kind === "read") === true;
    if (found === undefined || texts === undefined || !isRead)
      return { name, texts: [setting.defaultText], source: undefined };
    return { name, texts, source: found.source };
  });
}

type Given = (name: string, setting: Setting<unknown>) => GivenTexts | undefined;

function givenIn(sources: Pick<ConfigSources, "env" | "flags" | "readFile">): Given {
  const { env, flags } = sources;
  // A line that cannot be read is told of by whoever reads all of them.
  const annotations = readPodInfo(sources, paths.podAnnotations, []) ?? {};
  return (name, setting) =>
    textsOfFlag(flags, name, setting) ??
    (Object.hasOwn(ownFlags, name) ? elsewhere(name, annotations, env) : undefined);
}

function elsewhere(
  flag: string,
  annotations: Readonly<Record<string, string>>,
  env: ConfigSources["env"],
): GivenTexts | undefined {
  const annotation = annotationOf(flag);
  const annotated = givenAs(`${paths.podAnnotations}: ${annotation}`, annotations[annotation]);
  const set = textsOfVariable(env, flag);
  return guardedFlags.has(flag) ? (set ?? annotated) : (annotated ?? set);
}
