/**
 * Asks a name server who it is (RFC 4892), as whoever wants to know where queries end.
 */
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import { decode, encode } from "dns-packet";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { Timer } from "../../lifecycle/timer.ts";
import type { HostPort } from "../../net/host-port.ts";
import { framed, FrameReader } from "../wire/frames.ts";
import { serverIdName } from "../wire/server-id.ts";

/** What came of it. */
export type WhoAnswers =
  /** Empty where it does not say who it is. */
  { readonly kind: "answered"; readonly id: string } | { readonly kind: "failed"; readonly message: string };

/** Never rejects. @param withinMs in milliseconds */
export function askWhoAnswers(
  server: HostPort,
  protocol: "udp" | "tcp",
  withinMs: number,
): Promise<WhoAnswers> {
  const id = randomInt(65_536);
  const query = encode({
    ...{ type: "query", id, flags: 0x0100 },
    questions: [{ name: serverIdName, type: "TXT", class: "CH" }],
  });
  const { promise, resolve } = Promise.withResolvers<WhoAnswers>();
  const fail = (message: string): void => {
    resolve({ kind: "failed", message });
  };
  const take = (message: Buffer): void => {
    const answer = read(message);
    if (answer?.id === id) resolve({ kind: "answered", id: answer.text });
  };
  const timer = new Timer(withinMs, () => {
    // A process that was held up for so long has not looked yet whether the answer is there.
    setImmediate(() => {
      fail("nobody answered");
    });
  });
  const close = (protocol === "udp" ? overUdp : overTcp)(server, query, take, fail);
  return promise.finally(() => {
    timer.cancel();
    close();
  });
}

type Ask = (
  server: HostPort,
  query: Buffer,
  take: (message: Buffer) => void,
  fail: (message: string) => void,
) => () => void;

const overUdp: Ask = ({ host, port }, query, take, fail) => {
  const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
  const failed = (error: Error): void => {
    fail(errorMessage(error));
  };
  socket.on("error", failed);
  socket.on("message", take);
  socket.connect(port, host, (error?: Error) => {
    if (error !== undefined) failed(error);
    else
      socket.send(query, (unsent) => {
        if (unsent !== null) failed(unsent);
      });
  });
  return () => {
    socket.close();
  };
};

const overTcp: Ask = ({ host, port }, query, take, fail) => {
  const socket = connect({ host, port, noDelay: true });
  const frames = new FrameReader();
  socket.on("connect", () => {
    socket.write(framed(query));
  });
  socket.on("data", (bytes) => {
    for (const message of frames.take(bytes)) take(message);
  });
  socket.on("error", (error) => {
    fail(errorMessage(error));
  });
  socket.on("close", () => {
    fail("it closed the connection");
  });
  return () => {
    socket.destroy();
  };
};

/** Undefined for what is no message. */
function read(message: Buffer): { readonly id: number | undefined; readonly text: string } | undefined {
  try {
    const { id, answers = [] } = decode(message);
    const text = answers.flatMap((record) => (record.type === "TXT" ? record.data : [])).join("");
    return { id, text };
  } catch {
    return undefined;
  }
}
