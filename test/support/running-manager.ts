/** A secret manager that runs, with what it says and serves. */
import assert from "node:assert/strict";
import type { IdentityProblem } from "../../src/identity/identity-state.ts";
import type { IdentityOptions } from "../../src/identity/options.ts";
import { SecretManager } from "../../src/identity/secret-manager.ts";
import type { WorkloadSecret } from "../../src/identity/workload-secret.ts";
import { TaskGroup } from "../../src/lifecycle/task-group.ts";
import { Watch } from "../../src/lifecycle/watch.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { eventually } from "./eventually.ts";
import { testLog } from "./test-log.ts";

export interface RunningManager extends AsyncDisposable {
  readonly manager: SecretManager;
  readonly lines: readonly string[];
  readonly metrics: Metrics;
  readonly trustBundles: Watch<readonly string[]>;
  /** The first secret for which `holds`. */
  secret(holds?: (secret: WorkloadSecret) => boolean): Promise<WorkloadSecret>;
  problem(code: IdentityProblem["code"]): Promise<string>;
  /** Set the manager's clock. */
  setClock(aheadMs: number): void;
}

/** @param clockAheadMs of the manager's clock */
export function runManager(options: IdentityOptions, clockAheadMs = 0): RunningManager {
  const { log, lines } = testLog();
  const metrics = new Metrics("istio_agent_");
  const trustBundles = new Watch(options.trustBundles);
  let aheadMs = clockAheadMs;
  const now = (): Date => new Date(Date.now() + aheadMs);
  const manager = SecretManager.create(options, { log, metrics, now, trustBundles });
  const tasks = new TaskGroup();
  tasks.spawn("rotate", (signal) => manager.run(signal));
  const withinMs = 60_000;
  return {
    manager,
    lines,
    metrics,
    trustBundles,
    secret: (holds = () => true) =>
      eventually(
        "a secret",
        () => {
          const { secret } = manager.state.current;
          assert.ok(secret !== undefined && holds(secret), manager.state.current.problem?.message);
          return secret;
        },
        { withinMs, everyMs: 20 },
      ),
    problem: (code) =>
      eventually(
        `the problem ${code}`,
        () => {
          const { problem } = manager.state.current;
          assert.equal(problem?.code, code, problem?.message);
          return problem.message;
        },
        { withinMs, everyMs: 20 },
      ),
    setClock: (ahead) => {
      aheadMs = ahead;
    },
    [Symbol.asyncDispose]: () => tasks[Symbol.asyncDispose](),
  };
}
