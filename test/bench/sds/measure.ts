/** What Envoys see of an SDS server, and what they cost it. */
import { create, toBinary } from "@bufbuild/protobuf";
import type { ByteStream } from "../../../src/grpc/channel.ts";
import { GrpcChannel } from "../../../src/grpc/channel.ts";
import { sleep } from "../../../src/lifecycle/sleep.ts";
import { DiscoveryRequestSchema } from "../../../src/proto/agent/discovery_pb.js";
import { typeUrl } from "../../../src/xds/type-urls.ts";
import type { Figure } from "../figure.ts";
import { cpuMsOf, memoryOf } from "../procfs.ts";

export interface Subject {
  readonly name: string;
  /** Path of its SDS socket. */
  readonly socket: string;
  readonly pid: number;
  /** How its secret is rotated, until that is disposed. */
  readonly rotator: () => Rotator;
}

/** Rotates a secret. */
export interface Rotator extends Disposable {
  rotate(): void;
}

/** Rotates at a message on a socket. */
export function rotatedByMessage(socket: string): Rotator {
  const channel = new GrpcChannel({ address: `unix:${socket}`, tls: undefined });
  const control = channel.stream("/bench.Control/Rotate", {});
  return {
    rotate: () => {
      control.enqueue(Buffer.from("now"));
    },
    [Symbol.dispose]: () => {
      channel[Symbol.dispose]();
    },
  };
}

/** The figures of Istio's agent in Go on such a machine. */
const aims: Readonly<Record<string, number>> = {
  "1,000 streams served": 290,
  "1,000 streams, grown": 45,
  "rotation over 500 streams, first to last": 19,
};

/** Each connection's requests fit into its socket: Node's HTTP/2 does not read while it writes, and nor would we. */
const streamsPerConnection = 250;

const method = "/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets";
const request = toBinary(
  DiscoveryRequestSchema,
  create(DiscoveryRequestSchema, {
    node: { id: "sidecar~10.0.0.1~web.demo~demo.svc.cluster.local" },
    typeUrl: typeUrl.secret,
    resourceNames: ["default", "ROOTCA"],
  }),
);

interface Clients extends Rotator {
  readonly streams: readonly AsyncIterator<Buffer>[];
}

function open({ socket, rotator: rotatorOf }: Subject, count: number): Clients {
  const channels: GrpcChannel[] = [];
  const rotator = rotatorOf();
  const calls: ByteStream[] = [];
  while (calls.length < count) {
    const channel = new GrpcChannel({ address: `unix:${socket}`, tls: undefined });
    channels.push(channel);
    for (let index = 0; index < streamsPerConnection && calls.length < count; index += 1)
      calls.push(channel.stream(method, {}));
  }
  for (const call of calls) call.enqueue(request);
  return {
    streams: calls.map((call) => call[Symbol.asyncIterator]()),
    rotate: () => {
      rotator.rotate();
    },
    [Symbol.dispose]: () => {
      rotator[Symbol.dispose]();
      for (const channel of channels) channel[Symbol.dispose]();
    },
  };
}

/** When each stream has its next message. */
function nextOfEach({ streams }: Clients): Promise<readonly number[]> {
  return Promise.all(
    streams.map(async (stream) => {
      const { done } = await stream.next();
      if (done === true) throw new Error("a stream has ended");
      return performance.now();
    }),
  );
}

function figure(subject: Subject, name: string, unit: Figure["unit"], values: readonly number[]): Figure {
  const aim = subject.name === "SDS server" ? aims[name] : undefined;
  return { name, unit, subject: subject.name, values, ...(aim === undefined ? {} : { aim }) };
}

/** Open streams until all of them have both secrets. */
export async function measureStreams(
  subject: Subject,
  count: number,
  runs: number,
): Promise<readonly Figure[]> {
  const [times, cpu, grown]: number[][] = [[], [], []];
  for (let run = 0; run < runs; run += 1) {
    const before = { cpu: cpuMsOf(subject.pid), rss: memoryOf(subject.pid).rss };
    const started = performance.now();
    using clients = open(subject, count);
    await nextOfEach(clients);
    times?.push(performance.now() - started);
    cpu?.push(cpuMsOf(subject.pid) - before.cpu);
    await sleep(500);
    grown?.push(memoryOf(subject.pid).rss - before.rss);
    clients[Symbol.dispose]();
    await sleep(2_000);
  }
  const name = `${count.toLocaleString("en")} streams`;
  return [
    figure(subject, `${name} served`, "ms", times ?? []),
    figure(subject, `${name}, processor time`, "ms", cpu ?? []),
    // The first run counts: later ones find its memory.
    figure(subject, `${name}, grown`, "MiB", grown?.slice(0, 1) ?? []),
  ];
}

/** Rotations over open streams, from the first stream that has the new secret to the last; all have to get it. */
export async function measureRotation(
  subject: Subject,
  count: number,
  runs: number,
): Promise<readonly Figure[]> {
  using clients = open(subject, count);
  await nextOfEach(clients);
  const [spans, cpu]: number[][] = [[], []];
  for (let run = 0; run < runs; run += 1) {
    await sleep(200);
    const before = cpuMsOf(subject.pid);
    const arrivals = nextOfEach(clients);
    clients.rotate();
    const sorted = (await arrivals).toSorted((a, b) => a - b);
    spans?.push((sorted.at(-1) ?? NaN) - (sorted[0] ?? NaN));
    cpu?.push(cpuMsOf(subject.pid) - before);
  }
  return [
    figure(subject, `rotation over ${count} streams, first to last`, "ms", spans ?? []),
    figure(subject, `rotation over ${count} streams, processor time`, "ms", cpu ?? []),
  ];
}

/** Growth over many rotations, each seen by the streams before the next. */
export async function measureManyRotations(subject: Subject, count: number): Promise<readonly Figure[]> {
  using clients = open(subject, 10);
  await nextOfEach(clients);
  const rotate = async (times: number): Promise<void> => {
    for (let rotation = 0; rotation < times; rotation += 1) {
      const arrivals = nextOfEach(clients);
      clients.rotate();
      await arrivals;
    }
  };
  await rotate(count / 10);
  const before = memoryOf(subject.pid).rss;
  await rotate(count);
  return [
    figure(subject, `${count.toLocaleString("en")} rotations, grown`, "MiB", [
      memoryOf(subject.pid).rss - before,
    ]),
  ];
}
