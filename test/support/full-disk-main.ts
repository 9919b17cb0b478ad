/** A workload's certificate while the disk that it is written to is full, and after. */
import assert from "node:assert/strict";
import { appendFileSync, readFileSync, rmSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { outputCerts } from "../../src/identity/output-certs.ts";
import { errorCode } from "../../src/lifecycle/error-message.ts";
import { TaskGroup } from "../../src/lifecycle/task-group.ts";
import { keyFitsCertificate, readCertificate } from "../../src/pki/certificate.ts";
import { Metrics } from "../../src/telemetry/metrics.ts";
import { TestCa } from "./ca.ts";
import { eventually } from "./eventually.ts";
import { identityOptions } from "./identity-options.ts";
import { answerAsProgram } from "./namespaced-program.ts";
import { runManager } from "./running-manager.ts";
import { temporaryFolder } from "./temporary-folder.ts";
import { testLog } from "./test-log.ts";
import { validity } from "./test-pki.ts";

/** Serials, and whether key and chain are a pair, as the files are. */
export interface FilesOnDisk {
  readonly output: string;
  readonly isPair: boolean;
  readonly cached: string;
}

export interface FullDiskReport {
  readonly before: FilesOnDisk;
  readonly whileFull: FilesOnDisk;
  /** Serial of the certificate in memory meanwhile. */
  readonly served: string;
  readonly after: FilesOnDisk;
  readonly lines: readonly string[];
}

const withinMs = 30_000;

const pageBytes = 4_096;

/** Take all of the disk. */
function fill(path: string): void {
  try {
    for (;;) appendFileSync(path, Buffer.alloc(pageBytes, 1));
  } catch (error) {
    assert.equal(errorCode(error), "ENOSPC");
  }
}

async function run({ disk }: { readonly disk: string }): Promise<FullDiskReport> {
  using folder = temporaryFolder();
  await using ca = await TestCa.listen();
  // Renewed every 2 s, and good for long.
  ca.answer = ca.issuing(() => validity(-60_000, 40_000));
  const output = join(disk, "output");
  const cache = { folder: join(disk, "cache"), allowDisk: false };
  const rotation = { gracePeriodRatio: 0.95, gracePeriodJitter: 0 };
  await using running = runManager(identityOptions(folder.path, ca, { cache, rotation }));
  const { log, lines } = testLog();
  await using tasks = new TaskGroup();
  const metrics = new Metrics("istio_agent_");
  tasks.spawn("output", (signal) =>
    outputCerts(
      { folder: output, mode: 0o600, onRotate: undefined },
      running.manager.state,
      { log, metrics },
      signal,
    ),
  );
  const look = (): FilesOnDisk => {
    const chain = readFileSync(join(output, "cert-chain.pem"), "utf8");
    const kept = JSON.parse(readFileSync(join(cache.folder, "identity.secret"), "utf8")) as {
      certificateChainPem: string;
    };
    return {
      output: readCertificate(chain).serial,
      isPair: keyFitsCertificate(readFileSync(join(output, "key.pem"), "utf8"), chain),
      cached: readCertificate(kept.certificateChainPem).serial,
    };
  };
  const served = (): string => running.manager.state.current.secret?.serial ?? "";
  const bothHave = (serial: () => string): Promise<FilesOnDisk> =>
    eventually(
      "the files",
      () => {
        const files = look();
        assert.deepEqual([files.output, files.cached], [serial(), serial()]);
        return files;
      },
      { withinMs, everyMs: 20 },
    );
  await bothHave(served);
  const filler = join(disk, "filler");
  const said = (): string => [...lines, ...running.lines].join("\n");
  const warning = (pattern: RegExp): Promise<void> =>
    eventually("the warning", () => assert.match(said(), pattern), { withinMs });
  fill(filler);
  // A page is left, in which there is room for a key, and none for its chain beside it.
  truncateSync(filler, statSync(filler).size - pageBytes);
  await warning(/the certificate is not written.*ENOSPC/);
  assert.ok(look().isPair);
  fill(filler);
  const before = look();
  await warning(/the certificate is not kept for a restart.*ENOSPC/);
  assert.notEqual(served(), before.output);
  const whileFull = look();
  const servedWhileFull = served();
  rmSync(filler);
  const after = await bothHave(served);
  return { before, whileFull, served: servedWhileFull, after, lines: [...lines, ...running.lines] };
}

await answerAsProgram(run);
