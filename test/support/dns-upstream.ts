/** An upstream DNS server whose answers a test makes, over UDP and TCP. */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket as Connection } from "node:net";
import { type Answer, decode, type DecodedPacket, encode, type Packet } from "dns-packet";
import { framed, FrameReader } from "../../src/dns/wire/frames.ts";

/** A query as such a server sees it. */
export interface UpstreamQuery {
  readonly packet: DecodedPacket;
  readonly bytes: Buffer;
  readonly name: string;
  readonly type: string;
  readonly overTcp: boolean;
  readonly from: RemoteInfo | undefined;
  /** The server's own socket, for who answers otherwise. */
  readonly udp: Socket;
  /** Its connection, for who frames otherwise; undefined over UDP. */
  readonly connection: Connection | undefined;
  /** Send what the test likes. */
  readonly send: (bytes: Buffer) => void;
}

/** Running until it is disposed. */
export interface DnsUpstream extends AsyncDisposable {
  readonly host: string;
  readonly port: number;
  readonly queries: UpstreamQuery[];
  /** Replaced by tests as they like; undefined says nothing. */
  respond: (query: UpstreamQuery) => Buffer | undefined;
  /** False refuses connections. */
  takesTcp: boolean;
}

/** An answer to a query with these records, or with a code. */
export function answerTo(
  { packet, bytes }: UpstreamQuery,
  answers: readonly Answer[],
  more: Partial<Packet> & { readonly rcode?: number } = {},
): Buffer {
  const { rcode = 0, ...rest } = more;
  const message = encode({
    ...{ type: "response", id: packet.id ?? 0, flags: 0x0180, questions: packet.questions ?? [] },
    answers: [...answers],
    ...rest,
  });
  message[3] = ((message[3] ?? 0) & 0xf0) | rcode;
  // The codec may write a name otherwise than it came.
  const end = questionEnd(bytes);
  bytes.copy(message, 12, 12, end);
  return message;
}

function questionEnd(bytes: Buffer): number {
  let at = 12;
  while ((bytes[at] ?? 0) !== 0) at += 1 + (bytes[at] ?? 0);
  return at + 5;
}

/** Answers every A query with 203.0.113.7 for a minute. */
export function usualAnswer(query: UpstreamQuery): Buffer {
  const { name, type } = query;
  if (type === "A") return answerTo(query, [{ type, name, data: "203.0.113.7", ttl: 60 }]);
  return answerTo(query, [], { authorities: [soa(name)] });
}

/** What says how long that there is nothing may be remembered. */
export function soa(name: string, minimum = 60): Answer {
  return {
    ...{ type: "SOA", name, ttl: 60 },
    data: { mname: "ns.test", rname: "admin.test", serial: 1, refresh: 1, retry: 1, expire: 1, minimum },
  };
}

/** @param port 0 for one that is free */
export async function startDnsUpstream(host: string, port = 0): Promise<DnsUpstream> {
  const udp = createSocket("udp4");
  const connections = new Set<Connection>();
  const upstream = {
    ...{ host, port, queries: [] as UpstreamQuery[], takesTcp: true },
    respond: usualAnswer as DnsUpstream["respond"],
  };
  const take = (
    bytes: Buffer,
    { from, connection }: { readonly from?: RemoteInfo; readonly connection?: Connection },
    send: (bytes: Buffer) => void,
  ): void => {
    const packet = decode(bytes);
    const [question] = packet.questions ?? [];
    const query: UpstreamQuery = {
      ...{ packet, bytes, name: question?.name ?? "", type: question?.type ?? "" },
      ...{ overTcp: from === undefined, from, udp, connection, send },
    };
    upstream.queries.push(query);
    const answer = upstream.respond(query);
    if (answer !== undefined) send(answer);
  };
  udp.on("message", (bytes, from) => {
    take(bytes, { from }, (answer) => {
      udp.send(answer, from.port, from.address, () => undefined);
    });
  });
  const tcp = createServer((connection) => {
    if (!upstream.takesTcp) {
      connection.resetAndDestroy();
      return;
    }
    connections.add(connection);
    const frames = new FrameReader();
    connection.on("error", () => undefined);
    connection.on("close", () => connections.delete(connection));
    connection.on("data", (bytes) => {
      for (const message of frames.take(bytes))
        take(message, { connection }, (answer) => connection.write(framed(answer)));
    });
  });
  tcp.listen(port, host);
  await once(tcp, "listening");
  const bound = (tcp.address() as AddressInfo).port;
  udp.bind(bound, host);
  await once(udp, "listening");
  upstream.port = bound;
  let isClosed = false;
  return Object.assign(upstream, {
    [Symbol.asyncDispose]: async () => {
      if (isClosed) return;
      isClosed = true;
      udp.close();
      for (const connection of connections) connection.destroy();
      await new Promise((resolve) => tcp.close(resolve));
    },
  });
}
