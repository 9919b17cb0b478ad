/**
 * `proxy-status` as text. Pure.
 */
import { formatDuration } from "../lifecycle/format-duration.ts";
import {
  type Column,
  columns,
  type ProxyStatus,
  type RegistryStatus,
  type TypeStatus,
} from "./control-plane/control-plane.ts";
import { table } from "./table.ts";

const names = Object.keys(columns) as readonly Column[];

/** istioctl's table, and below it a line for each type that is not as it should be. */
export function proxyStatusLines(proxies: readonly ProxyStatus[], now: Date): readonly string[] {
  const rows = proxies.map(({ name, cluster, types, controlPlane, version }) => [
    name,
    shown(cluster),
    ...names.map((column) => types[column].state),
    controlPlane.id,
    shown(version),
  ]);
  const troubles = proxies.flatMap((proxy) => troublesOf(proxy, now));
  return [
    ...table([["NAME", "CLUSTER", ...names, "ISTIOD", "VERSION"], ...rows]),
    ...(troubles.length === 0 ? [] : ["", ...troubles]),
  ];
}

/** A line for each registry that does not answer: all proxies have what it had. */
export function registryLines(registries: readonly RegistryStatus[]): readonly string[] {
  return registries
    .filter(({ isUp }) => !isUp)
    .map(
      ({ name, ageSeconds }) =>
        `registry ${name}: does not answer; what it had ${formatDuration(ageSeconds * 1_000)} ago is served`,
    );
}

function troublesOf({ name, types, unhealthy }: ProxyStatus, now: Date): readonly string[] {
  const lines = names.flatMap((column) => {
    const words = troubleOf(types[column], now);
    return words === undefined ? [] : [`${name} ${column}: ${words}`];
  });
  return unhealthy === undefined ? lines : [...lines, `${name}: takes no traffic: ${unhealthy}`];
}

function troubleOf({ state, since, reason }: TypeStatus, now: Date): string | undefined {
  if (state !== "ERROR" && state !== "STALE") return undefined;
  const what = state === "ERROR" ? "refused" : "not acknowledged";
  const time =
    since === undefined ? "" : ` for ${formatDuration(now.getTime() - Date.parse(since))}, since ${since}`;
  return `${what}${time}${reason === undefined ? "" : `: ${reason}`}`;
}

function shown(text: string): string {
  return text === "" ? "-" : text;
}
