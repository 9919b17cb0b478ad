/** Queries to a DNS server, on real sockets. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { connect, isIPv6 } from "node:net";
import { type DecodedPacket, decode, encode, type RecordType } from "dns-packet";
import { framed, FrameReader } from "../../src/dns/wire/frames.ts";
import { Timer } from "../../src/lifecycle/timer.ts";

/** Where, and how. */
export interface DnsTarget {
  readonly host: string;
  readonly port: number;
  readonly overTcp?: boolean;
}

/** An answer, read and as it came. */
export interface DnsReply {
  readonly packet: DecodedPacket & { readonly rcode?: string };
  readonly bytes: Buffer;
  /** `203.0.113.7`, one after the other as they came. */
  readonly data: readonly string[];
}

/** A query. `ednsBytes` adds EDNS. */
export function queryBytes(
  name: string,
  type: RecordType | number = "A",
  { id = 4_711, ednsBytes, dnssec = false }: QueryChoices = {},
): Buffer {
  const bytes = encode({
    ...{ type: "query", id, flags: 0x0100 },
    questions: [{ name, type: typeof type === "number" ? "A" : type }],
    ...(ednsBytes === undefined
      ? {}
      : {
          additionals: [
            {
              ...{ type: "OPT", name: ".", udpPayloadSize: ednsBytes, extendedRcode: 0, ednsVersion: 0 },
              ...{ flags: dnssec ? 0x8000 : 0, flag_do: dnssec, options: [] },
            },
          ],
        }),
  });
  if (typeof type === "number") {
    let at = 12;
    while ((bytes[at] ?? 0) !== 0) at += 1 + (bytes[at] ?? 0);
    bytes.writeUInt16BE(type, at + 1);
  }
  return bytes;
}

/** What else a query says. */
export interface QueryChoices {
  readonly id?: number;
  readonly ednsBytes?: number;
  readonly dnssec?: boolean;
}

/** Ask; rejects when nothing comes within ten seconds. */
export async function askDns(
  target: DnsTarget,
  name: string,
  type: RecordType | number = "A",
  choices: QueryChoices = {},
): Promise<DnsReply> {
  return askBytes(target, queryBytes(name, type, choices));
}

/** The same with a message of the test's own. */
export async function askBytes(target: DnsTarget, query: Buffer, withinMs = 10_000): Promise<DnsReply> {
  const bytes = await (target.overTcp === true ? overTcp : overUdp)(target, query, withinMs);
  const packet = decode(bytes);
  const data = (packet.answers ?? []).map((answer) =>
    "data" in answer && typeof answer.data === "string" ? answer.data : answer.type,
  );
  return { packet, bytes, data };
}

async function overUdp({ host, port }: DnsTarget, query: Buffer, withinMs: number): Promise<Buffer> {
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
  const controller = new AbortController();
  using _ = new Timer(withinMs, () => {
    controller.abort(new Error("no answer"));
  });
  try {
    socket.send(query, port, host);
    const [bytes] = (await once(socket, "message", { signal: controller.signal })) as [Buffer];
    return bytes;
  } finally {
    socket.close();
  }
}

async function overTcp({ host, port }: DnsTarget, query: Buffer, withinMs: number): Promise<Buffer> {
  const socket = connect({ host, port });
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  using _ = new Timer(withinMs, () => {
    reject(new Error("no answer"));
  });
  const frames = new FrameReader();
  socket.on("error", reject);
  socket.on("close", () => {
    reject(new Error("the connection was closed"));
  });
  socket.on("data", (bytes) => {
    for (const message of frames.take(bytes)) resolve(message);
  });
  socket.write(framed(query));
  try {
    return await promise;
  } finally {
    socket.destroy();
  }
}
