/**
 * The folder of the demo mesh's configuration: the demo's own for a run, or the user's, which stays.
 *
 * Its YAML names ports, so a folder that is to be used again keeps them beside it, in a file that the control plane
 * passes over.
 */
import { cpSync, existsSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeOwnFolder } from "../files/own-folder.ts";
import { readRegularText } from "../files/read-regular-file.ts";
import { demoConfiguration } from "./mesh-config.ts";
import { type PortName, portNames, type Ports } from "./ports.ts";

/** Ports of the applications behind the sidecars. */
export type AppPorts = Readonly<Record<"web" | "api", number>>;

const portsFile = ".outrider-up.json";

/** The ports that a folder was written for; undefined for any other folder, and for one that somebody has damaged. */
export function rememberedPorts(
  folder: string,
): { readonly ports: ReadonlyMap<PortName, number>; readonly apps: AppPorts } | undefined {
  try {
    const { ports, apps } = JSON.parse(readRegularText(join(folder, portsFile))) as {
      ports: Partial<Record<string, unknown>>;
      apps: Partial<Record<string, unknown>>;
    };
    const [web, api] = [apps["web"], apps["api"]];
    const known = portNames.flatMap((name): [PortName, number][] => {
      const port = ports[name];
      return isPort(port) ? [[name, port]] : [];
    });
    return isPort(web) && isPort(api) ? { ports: new Map(known), apps: { web, api } } : undefined;
  } catch {
    return undefined;
  }
}

/** Write the demo's configuration into a folder that is not there, or empty; any other is the user's, and left alone. */
export function fillFolder(folder: string, ports: Ports, apps: AppPorts): void {
  if (!existsSync(folder)) mkdirSync(folder);
  if (readdirSync(folder).length > 0) return;
  for (const [name, content] of Object.entries(demoConfiguration(ports, apps)))
    writeFileSync(join(folder, name), content);
  writeFileSync(join(folder, portsFile), JSON.stringify({ ports, apps }));
}

/** What is in the files of a folder, to see later whether somebody has edited it. */
export function contentOf(folder: string): string {
  const names = readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted();
  return JSON.stringify(
    names.map((name) => {
      try {
        return [name, readRegularText(join(folder, name))];
      } catch {
        return [name];
      }
    }),
  );
}

/** Copy a folder that is about to go to where it stays. @returns the copy's path */
export function keepFolder(folder: string, stateDir: string, now: Date): string {
  const kept = join(stateDir, "edited");
  makeOwnFolder(kept);
  const target = join(kept, now.toISOString().replaceAll(/[-:]|\.\d+/g, ""));
  cpSync(folder, target, { recursive: true });
  return target;
}

function isPort(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 1 && Number(value) <= 65_535;
}
