/**
 * What a registry had, in a file that outlives the control plane: a line about it, then a line for each object.
 *
 * Objects are kept as they were decoded, which nothing decodes again: a file counts only as the same build wrote it, of the
 * same server, to the last character. Secrets are not kept: keys are on no disk.
 */
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isMapping } from "../../document/mapping.ts";
import { writeFileAtomic } from "../../files/atomic-file.ts";
import { makeOwnFolder } from "../../files/own-folder.ts";
import { errorCode, errorMessage } from "../../lifecycle/error-message.ts";
import { inTurns } from "../../lifecycle/in-turns.ts";
import type { Logger } from "../../telemetry/log.ts";
import type { ConfigObject } from "../config/objects.ts";

/** Where states are kept, and what they are bound to. */
export interface KeptFolder {
  /** Made when it is missing. */
  readonly folder: string;
  /** What made this program: what another one wrote is not read. */
  readonly build: string;
  readonly log: Logger;
}

/** Of which registry. */
export interface KeptRegistry {
  readonly name: string;
  /** Where it is: what another server had is not served. */
  readonly server: string;
}

/** What a registry had. */
export interface KeptState {
  /** When it was last written, as a timestamp. */
  readonly at: string;
  readonly objects: readonly ConfigObject[];
}

/** Path of a registry's file. */
export function keptPath({ folder }: KeptFolder, { name }: KeptRegistry): string {
  return join(folder, `${name}.jsonl`);
}

/** Undefined where nothing is kept; what is there and cannot be used is told. */
export function readKept(folder: KeptFolder, registry: KeptRegistry): KeptState | undefined {
  const file = keptPath(folder, registry);
  const tell = (reason: string): undefined => {
    const facts = { registry: registry.name, file, reason };
    folder.log.warn("what was kept of a registry is not served", facts);
    return undefined;
  };
  try {
    const text = readFileSync(file, "utf8");
    const end = text.indexOf("\n");
    const head: unknown = JSON.parse(text.slice(0, end));
    const body = text.slice(end + 1);
    if (!isMapping(head) || typeof head["at"] !== "string") return tell("is no state of a registry");
    if (head["build"] !== folder.build) return tell("another build wrote it");
    if (head["server"] !== registry.server) return tell(`it is of another server than ${registry.server}`);
    if (head["sha256"] !== digestOf(body)) return tell("is not as it was written");
    const objects = body
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line) as ConfigObject);
    return { at: head["at"], objects };
  } catch (error) {
    return errorCode(error) === "ENOENT" ? undefined : tell(errorMessage(error));
  }
}

/** Tells what goes wrong, and is no worse for it. */
export async function writeKept(
  folder: KeptFolder,
  registry: KeptRegistry,
  objects: readonly ConfigObject[],
): Promise<void> {
  const file = keptPath(folder, registry);
  try {
    const body = await inTurns(linesOf(objects));
    const head = { build: folder.build, server: registry.server, at: new Date().toISOString() };
    makeOwnFolder(folder.folder);
    writeFileAtomic(file, `${JSON.stringify({ ...head, sha256: digestOf(body) })}\n${body}`, 0o600);
  } catch (error) {
    folder.log.warn("a registry's state is not kept: a restart has to wait for the registry", {
      registry: registry.name,
      file,
      reason: errorMessage(error),
    });
  }
}

/** Of a large cluster that is long work. */
function* linesOf(objects: readonly ConfigObject[]): Generator<void, string> {
  const lines: string[] = [];
  for (const object of objects) {
    if (object.kind === "Secret") continue;
    lines.push(`${JSON.stringify(object)}\n`);
    yield;
  }
  return lines.join("");
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}
