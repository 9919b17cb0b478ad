/** A program of the machine: skipped on a laptop without it, and failed in CI, which must install it. */
import { accessSync, constants } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";

/** True when the test may go on. */
export function hasProgram(t: TestContext, name: string): boolean {
  if ((process.env["PATH"] ?? "").split(":").some((folder) => isExecutable(join(folder, name)))) return true;
  if (process.env["CI"] === "true") throw new Error(`this test needs ${name}, which CI must install`);
  t.skip(`needs ${name}`);
  return false;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
