/** A real Prometheus and its tool, Debian's package: skipped on a laptop without, and failed in CI. */
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Deadline } from "../../src/lifecycle/timer.ts";
import { fetchHttp } from "../../src/net/http-client.ts";
import { type Child, spawnChild } from "../../src/process/child.ts";
import { runCommand } from "../../src/process/command.ts";
import { eventually } from "./eventually.ts";
import { freePorts } from "./free-ports.ts";
import { temporaryFolder } from "./temporary-folder.ts";

const [server, tool] = ["/usr/bin/prometheus", "/usr/bin/promtool"];

/** True when the test may go on. */
export function hasPrometheus(t: TestContext): boolean {
  if (existsSync(server) && existsSync(tool)) return true;
  if (process.env["CI"] === "true") throw new Error("this test needs Prometheus, which CI must install");
  t.skip("needs Prometheus");
  return false;
}

/** What `promtool` says, and its exit code: 1 for what it cannot take, 3 for what it does not like. */
export async function promtool(
  args: readonly string[],
  input: string = "",
): Promise<{ readonly code: number | undefined; readonly output: readonly string[] }> {
  using deadline = new Deadline(60_000);
  const { exit, output } = await runCommand({
    ...{ file: tool, args, input, env: { PATH: process.env["PATH"] ?? "" } },
    signal: deadline.signal,
  });
  return { code: exit.kind === "exited" ? exit.code : undefined, output };
}

/** One series of an instant query's answer. */
export interface Series {
  readonly metric: Readonly<Record<string, string>>;
  readonly value: number;
}

/** One that scrapes a target as the job `outrider`. */
export class Prometheus implements AsyncDisposable {
  readonly #child: Child;
  readonly #stack: DisposableStack;
  readonly #port: number;
  readonly lines: readonly string[];

  private constructor(child: Child, stack: DisposableStack, port: number, lines: readonly string[]) {
    this.#child = child;
    this.#stack = stack;
    this.#port = port;
    this.lines = lines;
  }

  /** @param path of the target's metrics @param everySeconds between two scrapes, and the longest that each may take */
  static async start(target: string, path: string, everySeconds: number): Promise<Prometheus> {
    const stack = new DisposableStack();
    const folder = stack.use(temporaryFolder()).path;
    const [port = 0] = await freePorts(1);
    const every = `${everySeconds}s`;
    const scrape = { job_name: "outrider", metrics_path: path, static_configs: [{ targets: [target] }] };
    const config = join(folder, "prometheus.json");
    // JSON is YAML.
    writeFileSync(
      config,
      JSON.stringify({
        global: { scrape_interval: every, scrape_timeout: every },
        scrape_configs: [
          scrape,
          { job_name: "prometheus", static_configs: [{ targets: [`127.0.0.1:${port}`] }] },
        ],
      }),
    );
    const lines: string[] = [];
    const onLine = (line: string): void => void lines.push(line);
    const child = spawnChild({
      file: server,
      args: [
        `--config.file=${config}`,
        `--storage.tsdb.path=${join(folder, "data")}`,
        `--web.listen-address=127.0.0.1:${port}`,
        "--log.level=warn",
      ],
      env: { PATH: process.env["PATH"] ?? "" },
      ...{ stdout: onLine, stderr: onLine },
    });
    return new Prometheus(child, stack, port, lines);
  }

  /** An instant query. @throws Error where it is not answered */
  async query(expression: string): Promise<readonly Series[]> {
    const { status, body } = await fetchHttp({
      target: { host: "127.0.0.1", port: this.#port },
      url: `/api/v1/query?query=${encodeURIComponent(expression)}`,
      timeoutMs: 10_000,
    });
    const text = body.toString("utf8");
    if (status !== 200) throw new Error(`${status}: ${text}`);
    const { data } = JSON.parse(text) as {
      readonly data: {
        readonly result: readonly { metric: Record<string, string>; value: [number, string] }[];
      };
    };
    return data.result.map(({ metric, value: [, value] }) => ({ metric, value: Number(value) }));
  }

  /** What `check` says of an expression, once it has nothing against it. */
  eventually(expression: string, check: (series: readonly Series[]) => void): Promise<void> {
    return eventually(
      expression,
      async () => {
        check(await this.query(expression));
      },
      { withinMs: 30_000, everyMs: 200 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#child.exited;
    this.#stack.dispose();
  }
}
