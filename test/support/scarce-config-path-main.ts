/** A sidecar whose Envoy dies while its config path takes nothing, or while there are no descriptors. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFileSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { ChildExit } from "../../src/process/child.ts";
import { errorCode } from "../../src/lifecycle/error-message.ts";
import { eventually } from "./eventually.ts";
import { answerAsProgram } from "./namespaced-program.ts";
import { StandaloneSidecar } from "./standalone-sidecar.ts";
import { temporaryFolder } from "./temporary-folder.ts";

export interface ScarceReport {
  /** Why it was not ready, by what was scarce. */
  readonly readOnly: string | undefined;
  readonly descriptors: string | undefined;
  /** How it ended, asked to stop while its config path was read-only and Envoy dead. */
  readonly exit: ChildExit;
  readonly generationsLeft: readonly string[];
  readonly lines: readonly string[];
}

const withinMs = 60_000;

async function run({ disk }: { readonly disk: string }): Promise<ScarceReport> {
  using folder = temporaryFolder();
  const agentFolder = join(disk, "proxy");
  await using sidecar = await StandaloneSidecar.start({
    folder: folder.path,
    proxyConfig: { configPath: agentFolder },
  });
  await sidecar.ready();
  // Busy while a file there is open for writing.
  const remount = (how: "ro" | "rw"): Promise<unknown> =>
    eventually(
      `remounted ${how}`,
      () => execFileSync("mount", ["-o", `remount,${how}`, disk], { stdio: "pipe" }),
      {
        withinMs,
        everyMs: 20,
      },
    );
  const kill = async (): Promise<void> => {
    process.kill(await sidecar.envoyPid(), "SIGKILL");
  };
  const obstacle = (pattern: RegExp): Promise<string | undefined> =>
    eventually(
      `not ready: ${pattern.source}`,
      async () => {
        const { ready, reason } = await sidecar.report();
        assert.equal(ready, false);
        assert.match(reason ?? "", pattern);
        return reason;
      },
      { withinMs },
    );

  await remount("ro");
  await kill();
  const readOnly = await obstacle(/cannot be started: .*(?:EROFS|read-only)/);
  await remount("rw");
  await sidecar.ready(withinMs);

  const filler = join(disk, "filler");
  fill(filler);
  await kill();
  await eventually(
    "the end of Envoy",
    () => assert.match(sidecar.agent.lines.slice(-5).join("\n"), /Envoy (?:died|cannot be started)/),
    { withinMs },
  );
  // Whatever room the dead Envoy has left.
  fill(filler);
  rmSync(filler);
  await sidecar.ready(withinMs);

  const limit = (descriptors: number): void => {
    execFileSync("prlimit", [`--pid=${sidecar.agent.pid}`, `--nofile=${descriptors}:`]);
  };
  const pid = await sidecar.envoyPid();
  // Those of the standard streams are in use, so there is none, whatever else is closed meanwhile.
  limit(3);
  process.kill(pid, "SIGKILL");
  const said = /Envoy cannot be started, trying again until it can\treason=.*EMFILE/;
  await eventually("it says so", () => assert.match(sidecar.agent.lines.join("\n"), said), { withinMs });
  const descriptors = said.exec(sidecar.agent.lines.join("\n"))?.[0];
  limit(1_024);
  await sidecar.ready(withinMs);
  const generationsLeft = readdirSync(join(agentFolder, "generations"));

  await remount("ro");
  await kill();
  await obstacle(/cannot be started/);
  sidecar.agent.kill("SIGTERM");
  const exit = await sidecar.agent.exitWithin(10_000);
  return { readOnly, descriptors, exit, generationsLeft, lines: sidecar.agent.lines };
}

/** Take all of the disk. */
function fill(path: string): void {
  try {
    for (;;) appendFileSync(path, Buffer.alloc(4_096, 1));
  } catch (error) {
    assert.equal(errorCode(error), "ENOSPC");
  }
}

await answerAsProgram(run);
