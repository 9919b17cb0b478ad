/** A real API of Kubernetes with players in the place of its controllers, and outriderctl beside it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before } from "node:test";
import { servedKinds } from "../../../src/ctl/install/cluster/foreign-objects.ts";
import { listObjects } from "../../../src/ctl/install/cluster/objects.ts";
import { objectName } from "../../../src/ctl/install/difference.ts";
import { severalAtOnce } from "../../../src/lifecycle/several-at-once.ts";
import { eventually } from "../eventually.ts";
import { type CtlRun, runCtlOf } from "../outriderctl.ts";
import { temporaryFolder } from "../temporary-folder.ts";
import { PlayedControllers } from "./played-controllers.ts";
import { RealCluster } from "./real-cluster.ts";

/** For a suite, and while it runs. */
export interface InstallationCluster {
  readonly cluster: RealCluster;
  readonly controllers: PlayedControllers;
  /** For files of the suite's own. */
  readonly folder: string;
  /** Run outriderctl of this release on the cluster. */
  readonly ctl: (release: string, ...words: readonly string[]) => Promise<CtlRun>;
  /** Every object that there is, but for what only says something of others. */
  readonly everything: () => Promise<readonly string[]>;
  /** Take everything of outriderctl's away. */
  readonly purged: () => Promise<void>;
  /** Remove the control plane's namespace, and wait until it is gone. */
  readonly withoutNamespace: () => Promise<void>;
}

const { signal } = new AbortController();

/** A cluster that starts before the tests of the suite that calls this, and ends after them. @param timeout of each, in milliseconds */
export function installationCluster(timeout: number): InstallationCluster {
  const stack = new AsyncDisposableStack();
  let started: Pick<InstallationCluster, "cluster" | "controllers" | "folder"> | undefined;
  const running = (): Pick<InstallationCluster, "cluster" | "controllers" | "folder"> => {
    assert.ok(started !== undefined, "the cluster has not started");
    return started;
  };
  before(
    async () => {
      const folder = stack.use(temporaryFolder()).path;
      const cluster = stack.use(await RealCluster.start(join(folder, "cluster")));
      started = { cluster, controllers: stack.use(new PlayedControllers(cluster)), folder };
    },
    { timeout },
  );
  after(() => stack.disposeAsync(), { timeout });
  const ctl = (release: string, ...words: readonly string[]): Promise<CtlRun> =>
    runCtlOf(release, [...words, "--kubeconfig", running().cluster.kubeconfig()]);
  return {
    get cluster() {
      return running().cluster;
    },
    get controllers() {
      return running().controllers;
    },
    get folder() {
      return running().folder;
    },
    ctl,
    everything: () => objectsOf(running().cluster),
    purged: async () => {
      succeeded(await ctl("0.1.0", "uninstall", "--purge"));
    },
    withoutNamespace: async () => {
      const path = "/api/v1/namespaces/istio-system";
      const { cluster } = running();
      await cluster.remove(path);
      await eventually("the end of the namespace", () => assert.rejects(cluster.get(path)), {
        withinMs: 30_000,
      });
    },
  };
}

/** @throws AssertionError with what it printed when it has not */
export function succeeded({ code, lines, errors }: CtlRun): void {
  assert.equal(code, 0, [...lines, ...errors].join("\n"));
}

async function objectsOf({ api }: RealCluster): Promise<readonly string[]> {
  const kinds = (await servedKinds(api, signal)).filter(
    ({ kind, group }) =>
      !["Event", "APIService", "Lease", "IPAddress"].includes(kind) && !group.startsWith("flowcontrol."),
  );
  const lists = await severalAtOnce(kinds, 8, (row) =>
    // A kind that has just been removed may be told still.
    listObjects(api, row, {}, signal).catch(() => []),
  );
  return (
    lists
      .flat()
      .map(objectName)
      // The server makes its own when it finds the time.
      .filter((name) => !/ (?:default\/)?kubernetes$/.test(name))
      .toSorted((a, b) => (a < b ? -1 : 1))
  );
}
