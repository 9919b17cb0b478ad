/** What a client of ADS sees, and what it costs the process in between. */
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { ChannelOptions } from "../../../src/grpc/channel.ts";
import { GrpcChannel } from "../../../src/grpc/channel.ts";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import { grpcFrame } from "../../support/http2-server.ts";
import { inboxOf } from "../../support/inbox.ts";
import { delta } from "../../support/xds-messages.ts";
import type { Figure } from "../figure.ts";
import { cpuMsOf, memoryOf } from "../procfs.ts";

export interface Route {
  readonly subject: string;
  readonly channel: ChannelOptions;
  /** How many responses the control plane has written. */
  readonly sent: () => number;
  /** The process between client and control plane; undefined when there is none, as is what nobody counts there. */
  readonly proxy: { readonly pid: number; readonly responses: (() => number) | undefined } | undefined;
}

const mebibyte = 1_048_576;

/** What the proxy should not exceed: the figures of Istio's agent in Go on such a machine. */
const aims: Readonly<Record<string, number>> = {
  "ping p50": 0.4,
  "10,000 small responses": 250,
  "20 MiB": 134,
  "64 MiB": 360,
  "20 MiB, grown at its peak": 62,
  "64 MiB, grown at its peak": 198,
  "64 MiB, grown after 5 s": 10,
  "taken in for a client that does not read": 5,
};

function figure(route: Route, name: string, unit: Figure["unit"], values: readonly number[]): Figure {
  const aim = route.proxy === undefined ? undefined : aims[name];
  return { name, unit, subject: route.subject, values, ...(aim === undefined ? {} : { aim }) };
}

/** A client that asks for responses and takes them. */
function clientOf(route: Route) {
  const channel = new GrpcChannel(route.channel);
  const stream = channel.stream(
    "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources",
    {},
  );
  const inbox = inboxOf(stream);
  let asked = 0;
  return {
    ask: (count: number, bytes: number) => {
      asked += 1;
      stream.enqueue(
        delta.request({
          typeUrl: typeUrl.endpoint,
          names: [`${count}x${bytes}`],
          unsubscribed: [String(asked)],
        }),
      );
    },
    /** Take `count` responses and acknowledge the last. */
    take: async (count: number) => {
      for (let taken = 0; taken < count; taken += 1) await inbox.next(120_000);
      stream.enqueue(delta.request({ typeUrl: typeUrl.endpoint, nonce: "1" }));
    },
    [Symbol.dispose]: () => {
      stream.cancel();
      channel[Symbol.dispose]();
    },
  };
}

async function timed(work: () => Promise<void>): Promise<number> {
  const started = performance.now();
  await work();
  return performance.now() - started;
}

export async function measurePings(route: Route): Promise<readonly Figure[]> {
  using client = clientOf(route);
  const times: number[] = [];
  const pid = route.proxy?.pid;
  const cpuBefore = pid === undefined ? 0 : cpuMsOf(pid);
  for (let ping = 0; ping < 1_100; ping += 1) {
    times.push(
      await timed(async () => {
        client.ask(1, 10);
        await client.take(1);
      }),
    );
  }
  const sorted = times.slice(100).toSorted((a, b) => a - b);
  return [
    figure(route, "ping p50", "ms", [sorted[500] ?? NaN]),
    figure(route, "ping p99", "ms", [sorted[990] ?? NaN]),
    ...(pid === undefined
      ? []
      : [figure(route, "1,100 pings, processor time", "ms", [cpuMsOf(pid) - cpuBefore])]),
  ];
}

/** Time, processor time and memory of `count` responses of `bytes`, over `runs` streams. */
export async function measureResponses(
  route: Route,
  { name, count, bytes, runs }: { name: string; count: number; bytes: number; runs: number },
): Promise<readonly Figure[]> {
  const times: number[] = [];
  const cpu: number[] = [];
  const peaks: number[] = [];
  const rests: number[] = [];
  for (let run = 0; run < runs; run += 1) {
    using client = clientOf(route);
    client.ask(1, 10);
    await client.take(1);
    const pid = route.proxy?.pid;
    const before = pid === undefined ? undefined : { cpu: cpuMsOf(pid), rss: memoryOf(pid).rss };
    let peak = 0;
    const watch = setInterval(() => {
      if (pid !== undefined) peak = Math.max(peak, memoryOf(pid).rss);
    }, 10);
    times.push(
      await timed(async () => {
        client.ask(count, bytes);
        await client.take(count);
      }),
    );
    if (pid === undefined || before === undefined) {
      clearInterval(watch);
      continue;
    }
    cpu.push(cpuMsOf(pid) - before.cpu);
    await sleep(5_000);
    clearInterval(watch);
    peaks.push(peak - before.rss);
    rests.push(memoryOf(pid).rss - before.rss);
  }
  const all = [figure(route, name, "ms", times)];
  if (route.proxy === undefined) return all;
  return [
    ...all,
    figure(route, `${name}, processor time`, "ms", cpu),
    figure(route, `${name}, grown at its peak`, "MiB", peaks),
    figure(route, `${name}, grown after 5 s`, "MiB", rests),
  ];
}

/** What a client that reads nothing for ten seconds makes the control plane send, and the proxy take in and grow. */
export async function measureSlowReader(route: Route): Promise<readonly Figure[]> {
  const { channel, proxy, sent } = route;
  // HTTP/2's own window of 64 KiB: what goes beyond it is held by somebody else.
  const session = connectHttp2(channel.tls === undefined ? "http://localhost" : "https://localhost", {
    createConnection: () => connection(channel),
  });
  const stream = session.request({
    ":method": "POST",
    ":path": "/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources",
    "content-type": "application/grpc",
    te: "trailers",
  });
  await once(stream, "ready");
  await sleep(1_000);
  const before = { sent: sent(), ...(proxy && { rss: memoryOf(proxy.pid).rss, taken: proxy.responses?.() }) };
  stream.write(grpcFrame(delta.request({ typeUrl: typeUrl.endpoint, names: [`200x${mebibyte}`] })));
  await sleep(10_000);
  const figures = [
    figure(route, "sent to a client that does not read", "MiB", [sent() - before.sent]),
    ...(proxy === undefined
      ? []
      : [
          ...(proxy.responses === undefined
            ? []
            : [
                figure(route, "taken in for a client that does not read", "MiB", [
                  proxy.responses() - (before.taken ?? 0),
                ]),
              ]),
          figure(route, "grown for a client that does not read", "MiB", [
            memoryOf(proxy.pid).rss - (before.rss ?? 0),
          ]),
        ]),
  ];
  session.destroy();
  return figures;
}

function connection({ address, tls }: ChannelOptions): Socket {
  if (address.startsWith("unix:")) return connect(address.slice("unix:".length));
  const [host = "", port] = address.split(":");
  return connectTls({ host, port: Number(port), ca: tls?.rootCertificates ?? "", ALPNProtocols: ["h2"] });
}
