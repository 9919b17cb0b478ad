/** Programs of others that know what a manifest may say: see validators.txt. */
import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";

const folder = join(homedir(), ".cache/outrider/validators/bin");

/** Run one of them; undefined, and the test skipped, where it is not installed. @throws Error with what it found */
export function validate(t: TestContext, program: string, args: readonly string[]): string | undefined {
  const path = join(folder, program);
  if (!existsSync(path)) {
    const reason = `needs ${program}: see test/support/validators.txt`;
    if (process.env["CI"] === "true") throw new Error(reason);
    t.skip(reason);
    return undefined;
  }
  try {
    return execFileSync(path, args, { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    throw new Error(`${program} refuses it:\n${stdout}${stderr}`, { cause: error });
  }
}
