/** A control plane on a made mesh, in a process of its own: `outrider discovery`, or a real istiod. */
import { get } from "node:http";
import { join } from "node:path";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { spawnChild } from "../../../src/process/child.ts";
import { eventually } from "../../support/eventually.ts";
import { freePorts } from "../../support/free-ports.ts";
import { startIstiod } from "../../support/istiod/istiod.ts";

export interface Plane extends AsyncDisposable {
  readonly pid: number;
  /** Of discovery in plain text. */
  readonly address: string;
  readonly httpPort: number;
  /** Of discovery and certificates. */
  readonly securePort: number;
  /** Longest time that `/ready` took since the last call, in milliseconds. */
  longestStall(): number;
  /** Longest turn of its event loop since the last call, in milliseconds; undefined for one that does not tell. */
  longestTurn(): Promise<number | undefined>;
}

/** Who is measured. */
export interface Subject {
  readonly name: string;
  /** Where it reads the mesh, in its own folder. */
  readonly configDir: (folder: string) => string;
  readonly start: (folder: string) => Promise<Plane>;
}

/** Between two looks at `/ready`, in milliseconds: they are part of the processor time that is measured. */
const lookEveryMs = 50;

/** A large mesh is read and translated for the first time, in milliseconds. */
const startMs = 120_000;

/** Where outrider has its root and the key of its tokens. */
export function stateDir(folder: string): string {
  return join(folder, "state");
}

/** @param program outrider's, with arguments before the command's own */
export function outrider(name: string, program: readonly string[]): Subject {
  const configDir = (folder: string): string => join(folder, "mesh");
  return {
    name,
    configDir,
    start: async (folder) => {
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
          `--configDir=${configDir(folder)}`,
          `--stateDir=${stateDir(folder)}`,
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
        { withinMs: startMs },
      );
      return watched({
        pid: child.pid ?? 0,
        address: `127.0.0.1:${plain}`,
        httpPort: http,
        securePort: secure,
        stop: async () => {
          child.kill("SIGTERM");
          await Promise.race([child.exited, sleep(20_000)]);
          child.kill("SIGKILL");
          await child.exited;
        },
      });
    },
  };
}

/** The one that ISTIOD_PATH names. */
export const istiod: Subject = {
  name: "istiod",
  configDir: (folder) => join(folder, "config"),
  start: async (folder) => {
    const started = await startIstiod(folder, {});
    return watched({
      pid: started.pid,
      address: `127.0.0.1:${started.ports.plain}`,
      httpPort: started.ports.http,
      securePort: started.ports.tls,
      stop: async () => {
        await started[Symbol.asyncDispose]();
      },
    });
  },
};

interface Running extends Pick<Plane, "pid" | "address" | "httpPort" | "securePort"> {
  readonly stop: () => Promise<void>;
}

function watched({ stop, ...plane }: Running): Plane {
  let longest = 0;
  const ended = new AbortController();
  const watch = (async () => {
    while (!ended.signal.aborted) {
      longest = Math.max(longest, (await timeOf(plane.httpPort)) ?? 0);
      await sleep(lookEveryMs, ended.signal);
    }
  })();
  return {
    ...plane,
    longestStall: () => {
      const result = longest;
      longest = 0;
      return result;
    },
    longestTurn: () => longestTurnOf(plane.httpPort),
    [Symbol.asyncDispose]: async () => {
      ended.abort();
      await stop();
      await watch;
    },
  };
}

/** What the control plane says of it since it was asked last. */
async function longestTurnOf(port: number): Promise<number | undefined> {
  const response = await fetch(`http://127.0.0.1:${port}/metrics`);
  const found = /^nodejs_eventloop_lag_max_seconds (\S+)$/m.exec(await response.text());
  return found === null ? undefined : Number(found[1]) * 1_000;
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
