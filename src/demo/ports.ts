/**
 * The ports of the demo mesh: given by flag, or free ones.
 */
import { freePorts, portBlock } from "../net/free-ports.ts";
import { describePortOwner, portOwners } from "../net/port-owner.ts";

/** Every port by name; `web` and `api` are the sidecars. */
export const portNames = [
  "control-plane.tls",
  "control-plane.plain",
  "control-plane.http",
  "page",
  ...(["web", "api"] as const).flatMap(
    (name) =>
      [
        `${name}.admin`,
        `${name}.status`,
        `${name}.envoy-status`,
        `${name}.prometheus`,
        `${name}.dns`,
        `${name}.inbound`,
        `${name}.outbound`,
      ] as const,
  ),
] as const;

/** Name of a port. */
export type PortName = (typeof portNames)[number];

/** A number for each name. */
export type Ports = Readonly<Record<PortName, number>>;

/** Ports that were asked for, or every problem with them. */
export type PortChoice =
  | { readonly kind: "chosen"; readonly ports: ReadonlyMap<PortName, number> }
  | { readonly kind: "invalid"; readonly problems: readonly string[] };

/** Read `web.admin=15000,api.status=16020`. */
export function parsePorts(text: string): PortChoice {
  const ports = new Map<PortName, number>();
  const problems: string[] = [];
  for (const item of text.split(",").filter((part) => part.trim() !== "")) {
    const [name = "", value = ""] = item.split("=").map((part) => part.trim());
    const known = portNames.find((candidate) => candidate === name);
    const port = Number(value);
    if (known === undefined) problems.push(`--ports: ${name} is not one of ${portNames.join(", ")}`);
    else if (!Number.isInteger(port) || port < 1 || port > 65_535) {
      problems.push(`--ports: ${item} does not name a port from 1 to 65535`);
    } else if ([...ports.values()].includes(port)) problems.push(`--ports: ${port} is given twice`);
    else ports.set(known, port);
  }
  return problems.length === 0 ? { kind: "chosen", ports } : { kind: "invalid", problems };
}

/**
 * One line per chosen port that somebody else listens on.
 *
 * @param apps ports of the applications, where a folder of configuration has them
 */
export function takenPorts(
  chosen: ReadonlyMap<PortName, number>,
  apps: Readonly<Record<string, number>> = {},
): readonly string[] {
  const named = new Map<string, number>([
    ...chosen,
    ...Object.entries(apps).map(([name, port]): [string, number] => [`${name}.application`, port]),
  ]);
  return portOwners([...named.values()]).map((owner) => {
    const name = [...named].find(([, port]) => port === owner.port)?.[0] ?? "";
    const other = name.endsWith(".application") ? "take another --configDir" : "choose another port";
    return `${describePortOwner(owner, name)}: stop it, or ${other}`;
  });
}

/** Fill in free ports for those that were not chosen. */
export async function completePorts(chosen: ReadonlyMap<PortName, number>, pid: number): Promise<Ports> {
  const missing = portNames.filter((name) => !chosen.has(name));
  const taken = new Set(chosen.values());
  const free = await freePorts(missing.length + taken.size, portBlock(pid));
  const usable = free.filter((port) => !taken.has(port));
  const ports = new Map(chosen);
  for (const [index, name] of missing.entries()) ports.set(name, usable[index] ?? 0);
  return Object.fromEntries(ports) as Ports;
}
