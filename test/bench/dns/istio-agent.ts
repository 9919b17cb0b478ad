/**
 * The DNS proxy of Istio's agent, built from Istio's Go module at the version that the tests against istiod have, and kept in
 * the cache. It has the upstream of `/etc/resolv.conf`, so it runs in a mount namespace with one of its own: as root.
 */
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { type Child, spawnChild } from "../../../src/process/child.ts";
import { temporaryFolder } from "../../support/temporary-folder.ts";

/** Running until it is disposed. */
export interface IstioAgent extends AsyncDisposable {
  readonly pid: number;
}

const [, version = ""] =
  /^version=(\S+)$/m.exec(readFileSync(join(import.meta.dirname, "../../istiod/run.sh"), "utf8")) ?? [];

/** Undefined where it cannot be had, which is said. @param resolvConf the file in place of the system's */
export async function startIstioAgent(
  names: number,
  port: number,
  resolvConf: string,
): Promise<IstioAgent | undefined> {
  let program: string;
  try {
    program = build();
  } catch (error) {
    console.error(`Istio's agent is left out: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
  const ready = Promise.withResolvers<string>();
  const script = `mount --bind '${resolvConf}' /etc/resolv.conf; exec '${program}' ${names} 127.0.0.1:${port}`;
  const child: Child = spawnChild({
    file: "unshare",
    args: ["--mount", "--propagation=private", "sh", "-ec", script],
    env: { PATH: process.env["PATH"] ?? "" },
    stdout: ready.resolve,
    stderr: (line) => {
      console.error(line);
    },
  });
  await Promise.race([ready.promise, child.exited]);
  return {
    pid: child.pid ?? 0,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** The program's path. @throws Error where Go is missing, or says no */
function build(): string {
  const cache = join(
    process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"),
    "outrider",
    `dns-${version}`,
  );
  const built = join(cache, "agent-dns");
  if (existsSync(built)) return built;
  using work = temporaryFolder();
  cpSync(join(import.meta.dirname, "istio"), work.path, { recursive: true });
  const go = (...args: readonly string[]): void => {
    const env = { ...process.env, CGO_ENABLED: "0" };
    execFileSync("go", args, { cwd: work.path, env, stdio: ["ignore", "ignore", "pipe"] });
  };
  go("mod", "init", "dns-for-bench");
  go("get", `istio.io/istio/pkg/dns/client@${version}`);
  go("build", "-ldflags=-s -w", "-o", "agent-dns", ".");
  mkdirSync(cache, { recursive: true });
  renameSync(join(work.path, "agent-dns"), built);
  return built;
}
