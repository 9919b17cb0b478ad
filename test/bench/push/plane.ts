/** `outrider discovery` on a made mesh, in a process of its own. */
import { get } from "node:http";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { spawnChild } from "../../../src/process/child.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";

export interface Plane extends AsyncDisposable {
  readonly pid: number;
  readonly address: string;
  /** Longest time that `/ready` took since the last call, in milliseconds. */
  longestStall(): number;
}

export interface PlaneOptions {
  /** `main.ts` of this tree or of another one. */
  readonly program: readonly string[];
  readonly configDir: string;
  readonly stateDir: string;
  readonly withinMs?: number;
}

/** Between two looks at `/ready`, in milliseconds. */
const lookEveryMs = 20;

export async function startPlane({
  program,
  configDir,
  stateDir,
  withinMs = 60_000,
}: PlaneOptions): Promise<Plane> {
  const [secure = 0, plain = 0, http = 0] = await freePorts(3);
  const [file = "", ...args] = program;
  const lines: string[] = [];
  const onLine = (line: string): void => {
    if (lines.length < 100) lines.push(line);
  };
  const child = spawnChild({
    file,
    args: [
      ...args,
      "discovery",
      `--configDir=${configDir}`,
      `--stateDir=${stateDir}`,
      `--secureGrpcPort=${secure}`,
      `--grpcPort=${plain}`,
      `--httpPort=${http}`,
    ],
    stdout: onLine,
    stderr: onLine,
  });
  await eventually(
    "the control plane",
    async () => {
      if ((await timeOf(http)) === undefined) throw new Error(lines.join("\n"));
    },
    { withinMs },
  );
  let longest = 0;
  const stop = new AbortController();
  const watch = (async () => {
    while (!stop.signal.aborted) {
      longest = Math.max(longest, (await timeOf(http)) ?? 0);
      await sleep(lookEveryMs, stop.signal);
    }
  })();
  return {
    pid: child.pid ?? 0,
    address: `127.0.0.1:${plain}`,
    longestStall: () => {
      const result = longest;
      longest = 0;
      return result;
    },
    [Symbol.asyncDispose]: async () => {
      stop.abort();
      child.kill("SIGTERM");
      await Promise.race([child.exited, sleep(5_000)]);
      child.kill("SIGKILL");
      await child.exited;
      await watch;
    },
  };
}

/** How long `/ready` takes, in milliseconds; undefined when it does not answer well. */
function timeOf(port: number): Promise<number | undefined> {
  const startedAt = performance.now();
  return new Promise((resolve) => {
    get({ host: "127.0.0.1", port, path: "/ready", agent: false }, (response) => {
      response.resume();
      response.once("end", () => {
        resolve(response.statusCode === 200 ? performance.now() - startedAt : undefined);
      });
    }).once("error", () => {
      resolve(undefined);
    });
  });
}
