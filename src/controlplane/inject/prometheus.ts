/**
 * Prometheus is sent to the agent, which adds the application's metrics to Envoy's; where these are is told to the agent (Istio's
 * "Metrics Merging"). Annotations count in each spelling that Prometheus makes the same name of. Pure.
 */
import { configurationLimits } from "../../document/limits.ts";
import { jsonValue } from "../../document/json.ts";
import { isMapping } from "../../document/mapping.ts";
import { shown } from "../../schema/config-problem.ts";
import type { InjectionProblem, Texts } from "./pod.ts";

/** Variable of the proxy that has them. */
export const scrapeVariable = "ISTIO_PROMETHEUS_ANNOTATIONS";

const names = {
  scrape: "prometheus.io/scrape",
  path: "prometheus.io/path",
  port: "prometheus.io/port",
} as const;

const targetsName = "prometheus.istio.io/scrape-targets";
const mergedPath = "/stats/prometheus";
const usualPort = "15020";

/** Of the agent and Envoy (Istio's "Ports used by Istio"). */
const reserved: readonly number[] = [15_000, 15_001, 15_004, 15_006, 15_008, 15_020, 15_021, 15_053, 15_090];

/** The annotations as they are to be, and the text for the variable, where there is something to say. */
export interface MergedMetrics {
  readonly annotations: Texts;
  readonly variable: string | undefined;
  readonly problems: readonly InjectionProblem[];
}

/** @param isEnabled whether the mesh merges where the pod does not say */
export function mergeMetrics(given: Texts, statusPort: number, isEnabled: boolean): MergedMetrics {
  const unchanged = { annotations: given, variable: undefined, problems: [] };
  const merge = given["prometheus.istio.io/merge-metrics"] ?? String(isEnabled);
  const [scrape, path, port] = [find(given, names.scrape), find(given, names.path), find(given, names.port)];
  if (
    merge !== "true" ||
    statusPort === 0 ||
    ["false", "0", "f", "F", "FALSE", "False"].includes(scrape ?? "")
  )
    return unchanged;
  // Whoever sends Prometheus to the agent has merged already.
  if (port === String(statusPort)) return unchanged;
  const merged = { [names.path]: mergedPath, [names.port]: String(statusPort), [names.scrape]: "true" };
  // An injection before this one did, when the agent had its usual port.
  if (port === usualPort && path === mergedPath)
    return { ...unchanged, annotations: { ...without(given), ...merged } };
  const problems: InjectionProblem[] = [];
  const check = (name: string, text: string): void => {
    const number = /^\d{1,5}$/.test(text) ? Number(text) : 0;
    const isPort = number >= 1 && number <= 65_535;
    if (isPort && number !== statusPort && !reserved.includes(number)) return;
    const why = isPort ? "is the sidecar's: name one of the application" : "is no port: write its number";
    problems.push({ path: `metadata.annotations.${name}`, message: `${shown(text)} ${why}` });
  };
  const list = find(given, targetsName);
  const targets = (list ?? "")
    .split(",")
    .map((entry) => entry.trim())
    .filter((entry) => entry !== "")
    .map((entry) => {
      const [, number = "", rest = ""] = /^([^:]*):?(.*)$/s.exec(entry) ?? [];
      check(targetsName, number.trim());
      return { port: number.trim(), path: rest.trim() === "" ? "/metrics" : rest.trim() };
    });
  if (targets.length === 0 && port !== undefined && port !== "") check(names.port, port);
  const [first] = targets;
  const told = {
    scrape: scrape ?? "",
    path: first?.path ?? path ?? "",
    port: first?.port ?? port ?? "",
    ...(targets.length === 0 ? {} : { targets }),
  };
  const isEmpty = told.scrape === "" && told.path === "" && told.port === "";
  return {
    annotations: { ...without(given), ...merged },
    variable: isEmpty ? undefined : JSON.stringify(told),
    problems,
  };
}

/** The annotations as they were before. @param text of the variable; undefined where there was none, and nothing to tell */
export function restoreMetrics(annotations: Texts, text: string | undefined): Texts {
  if (text === undefined || find(annotations, names.path) !== mergedPath) return annotations;
  const told = jsonValue(text, configurationLimits);
  if (!isMapping(told)) return annotations;
  const list = told["targets"];
  const targets = (Array.isArray(list) ? (list as readonly unknown[]) : [])
    .filter(isMapping)
    .map(({ port, path }) => `${String(port)}:${String(path)}`);
  const pairs = (["path", "port", "scrape"] as const).flatMap((name): readonly [string, string][] => {
    const value = told[name];
    const isOfTargets = targets.length > 0 && name !== "scrape";
    return typeof value === "string" && value !== "" && !isOfTargets ? [[names[name], value]] : [];
  });
  return {
    ...without(annotations),
    ...Object.fromEntries(pairs),
    ...(targets.length === 0 ? {} : { [targetsName]: targets.join(",") }),
  };
}

function find(annotations: Texts, name: string): string | undefined {
  return Object.entries(annotations).find(([key]) => sameName(key) === sameName(name))?.[1];
}

function without(annotations: Texts): Texts {
  const ours = [...Object.values(names), targetsName].map(sameName);
  return Object.fromEntries(Object.entries(annotations).filter(([key]) => !ours.includes(sameName(key))));
}

/** As service discovery of Prometheus makes names of labels. */
function sameName(name: string): string {
  return name.replaceAll(/[^a-zA-Z0-9_]/g, "_");
}
