/**
 * A control plane in a storm: a thousand streams connect at once, half of them stall, a quarter refuses everything, and a
 * file changes each 50 ms for a minute. Those who read are served, certificates are issued, `/ready` answers, and memory
 * has a bound.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { create, toBinary } from "@bufbuild/protobuf";
import { openTokenIssuer } from "../../src/controlplane/demo-tokens.ts";
import { GrpcChannel } from "../../src/grpc/channel.ts";
import { createCertificatePath } from "../../src/identity/ca-client.ts";
import { sleep } from "../../src/lifecycle/sleep.ts";
import { createCertificateRequest } from "../../src/pki/certificate-request.ts";
import { IstioCertificateRequestSchema } from "../../src/proto/agent/ca_pb.js";
import { startPart } from "../bench/part.ts";
import { cpuMsOf, memoryOf } from "../bench/procfs.ts";
import { markers, writeMesh, writeService } from "../bench/push/mesh.ts";
import { outrider, stateDir } from "../bench/push/plane.ts";
import { watchPeak } from "../support/peak-memory.ts";
import { summarize } from "../support/summary.ts";
import { temporaryFolder } from "../support/temporary-folder.ts";
import { printFigure, printTable } from "./table.ts";

export interface Storm {
  /** How many connect at once. */
  readonly streams: number;
  readonly services: number;
}

/** How long a file changes, and how often, in milliseconds. */
const [stormMs, changeMs] = [60_000, 50];

/** Longest that anything here may take on a busy machine, in milliseconds. */
const patienceMs = 600_000;

/** A certificate is asked for so often, and waited for so long as an agent waits, in milliseconds. */
const [certificateEveryMs, certificateWithinMs] = [1_000, 10_000];

/** Of a stream that reads nothing, what the kernel and HTTP/2 hold beside the one response that it does not take, in MiB. */
const stalledMiB = 1;

/** The release: what memory is about are its flags too. */
const program = [join(import.meta.dirname, "../../dist/bin/outrider")];

/** False when somebody was not served. */
export async function measureConfigStorm({ streams, services }: Storm): Promise<boolean> {
  using folder = temporaryFolder();
  const subject = outrider("release", program);
  const mesh = { folder: subject.configDir(folder.path), services, endpoints: 5 };
  writeMesh(mesh);
  await using plane = await subject.start(folder.path);
  const idle = memoryOf(plane.pid).rss;
  const peak = watchPeak(plane.pid);
  await using authority = askForCertificates(plane.securePort, folder.path);
  const figures = { idleMiB: idle, connectedMs: 0, lastChangeMs: 0, readyMs: 0, peakMiB: 0, goneMiB: 0 };
  const cpuBefore = cpuMsOf(plane.pid);
  {
    const script = join(import.meta.dirname, "../bench/push/clients.ts");
    await using clients = await startPart(script, [plane.address, "delta", String(streams), "mixed"]);
    const said = async (prefix: string): Promise<void> => {
      for (const until = performance.now() + patienceMs; performance.now() < until;) {
        if (clients.lines.some((line) => line.startsWith(prefix))) return;
        await sleep(20);
      }
      throw new Error(`nobody said "${prefix}": ${clients.lines.slice(-5).join("; ")}`);
    };
    let startedAt = performance.now();
    await said("connected ");
    figures.connectedMs = performance.now() - startedAt;
    startedAt = performance.now();
    let change = 0;
    for (; performance.now() - startedAt < stormMs; change += 1) {
      writeService(mesh, 7, markers.address(change));
      await sleep(changeMs);
    }
    writeService(mesh, 7, markers.address(change));
    startedAt = performance.now();
    await said(`seen ${markers.address(change)} `);
    figures.lastChangeMs = performance.now() - startedAt;
    figures.readyMs = plane.longestStall();
    figures.peakMiB = peak.peakMiB();
  }
  await sleep(5_000);
  figures.goneMiB = memoryOf(plane.pid).rss;
  const { times, failed } = authority;
  printFigure("a control plane in a storm", {
    ...figures,
    cpuMs: cpuMsOf(plane.pid) - cpuBefore,
    certificates: { issued: times.length, failed, ...(times.length > 0 && summarize(times)) },
  });
  const seconds = (ms: number): string => `${(ms / 1_000).toFixed(1)} s`;
  printTable(
    ["control plane in a storm", `${streams} streams, ${services} services`],
    [
      ["until all who read have everything", seconds(figures.connectedMs)],
      [
        `a change each ${changeMs} ms for ${stormMs / 1_000} s: the last one is everywhere after`,
        seconds(figures.lastChangeMs),
      ],
      ["/ready at its longest", seconds(figures.readyMs)],
      [
        "certificates",
        `${times.length} issued, ${failed.length} failed, the slowest ${seconds(Math.max(0, ...times))}`,
      ],
      [
        "memory idle, at its peak, 5 s after all are gone",
        [idle, figures.peakMiB, figures.goneMiB].map((mib) => `${mib.toFixed(0)} MiB`).join(", "),
      ],
    ],
  );
  return failed.length === 0 && times.length > 0 && figures.peakMiB < idle + streams * stalledMiB;
}

/** A certificate each second, as agents ask for them that start meanwhile. */
function askForCertificates(
  port: number,
  folder: string,
): AsyncDisposable & { readonly times: readonly number[]; readonly failed: readonly string[] } {
  const [times, failed]: [number[], string[]] = [[], []];
  const ended = new AbortController();
  const asking = (async () => {
    const issuer = await openTokenIssuer(stateDir(folder));
    const token = await issuer.issue({
      namespace: "demo",
      serviceAccount: "web",
      audience: "istio-ca",
      lifetimeMs: 3_600_000,
    });
    const { requestPem } = await createCertificateRequest(
      { algorithm: "ECDSA", curve: "P256" },
      "spiffe://cluster.local/ns/demo/sa/web",
    );
    const request = toBinary(
      IstioCertificateRequestSchema,
      create(IstioCertificateRequestSchema, { csr: requestPem, validityDuration: 600n }),
    );
    const rootCertificates = readFileSync(join(stateDir(folder), "root-cert.pem"));
    while (!ended.signal.aborted) {
      const startedAt = performance.now();
      try {
        using channel = new GrpcChannel({
          address: `127.0.0.1:${port}`,
          tls: { rootCertificates, serverName: "istiod.istio-system.svc" },
        });
        await channel.unary({
          path: createCertificatePath,
          request,
          metadata: { authorization: `Bearer ${token}` },
          timeoutMs: certificateWithinMs,
        });
        times.push(performance.now() - startedAt);
      } catch (error) {
        failed.push(String(error));
      }
      await sleep(certificateEveryMs, ended.signal);
    }
  })();
  return {
    times,
    failed,
    [Symbol.asyncDispose]: async () => {
      ended.abort();
      await asking;
    },
  };
}
