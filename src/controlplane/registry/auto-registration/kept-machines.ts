/**
 * The registered machines in a file that outlives the control plane: one that starts anew serves them until they had time
 * to come back.
 */
import { jsonValue } from "../../../document/json.ts";
import { isMapping } from "../../../document/mapping.ts";
import { writeFileAtomic } from "../../../files/atomic-file.ts";
import { readRegularText } from "../../../files/read-regular-file.ts";
import { errorCode, errorMessage } from "../../../lifecycle/error-message.ts";
import type { Logger } from "../../../telemetry/log.ts";
import type { Machine } from "./machine.ts";

/** A machine, and whether its workload was well. */
export interface KeptMachine {
  readonly machine: Machine;
  readonly isWell: boolean;
}

/** Several times what `mostMachines` come to. */
const limits = { maxBytes: 2 ** 26, maxDepth: 8, maxParts: 10_000_000 };

/** None where none are kept; a file that cannot be used is told. */
export function readMachines(file: string, log: Logger): readonly KeptMachine[] {
  try {
    const value = jsonValue(readRegularText(file, { maxBytes: limits.maxBytes }), limits);
    const kept = Array.isArray(value) ? (value as readonly unknown[]) : undefined;
    if (kept?.every(isKept) === true) return kept;
    log.warn("registered machines are not known until they connect again", {
      file,
      reason: "is no list of them",
    });
  } catch (error) {
    if (errorCode(error) !== "ENOENT")
      log.warn("registered machines are not known until they connect again", {
        file,
        reason: errorMessage(error),
      });
  }
  return [];
}

/** Tells what goes wrong, and is no worse for it. */
export function writeMachines(file: string, machines: readonly KeptMachine[], log: Logger): void {
  try {
    writeFileAtomic(file, `${JSON.stringify(machines)}\n`, 0o600);
  } catch (error) {
    log.warn("registered machines are not kept: after a restart they are unknown until they connect", {
      file,
      reason: errorMessage(error),
    });
  }
}

function isKept(value: unknown): value is KeptMachine {
  if (!isMapping(value) || typeof value["isWell"] !== "boolean" || !isMapping(value["machine"])) return false;
  const { labels, isChecked, ...texts } = value["machine"];
  const isText = (each: unknown): boolean => typeof each === "string";
  const names = ["group", "namespace", "serviceAccount", "address", "network", "locality"];
  return (
    names.every((name) => isText(texts[name])) &&
    isMapping(labels) &&
    Object.values(labels).every(isText) &&
    typeof isChecked === "boolean"
  );
}
