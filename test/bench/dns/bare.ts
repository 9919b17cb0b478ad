/**
 * What Node.js itself takes for a datagram: each query is sent back as its own answer, or passed to the upstream and back
 * on one socket. Nothing is looked at but the ID. Prints its ports.
 */
import { createSocket, type RemoteInfo, type Socket } from "node:dgram";
import { once } from "node:events";

const [upstreamHost = "127.0.0.1", upstreamPort = "53"] = process.argv.slice(2);
const ignore = (): void => undefined;

async function bound(): Promise<Socket> {
  const socket = createSocket({
    type: "udp4",
    lookup: (address, _options, found) => {
      found(null, address, 4);
    },
  });
  // It may be bound before `bind` returns.
  const listening = once(socket, "listening");
  socket.bind(0, "127.0.0.1");
  await listening;
  return socket;
}

const echo = await bound();
echo.on("message", (message, { port, address }) => {
  message[2] = (message[2] ?? 0) | 0x80;
  echo.send(message, port, address, ignore);
});

const relay = await bound();
const upstream = createSocket("udp4");
const connected = once(upstream, "connect");
upstream.connect(Number(upstreamPort), upstreamHost);
await connected;
const waiting = new Map<number, { readonly from: RemoteInfo; readonly id: number }>();
let last = 0;
relay.on("message", (message, from) => {
  last = (last + 1) & 0xffff;
  waiting.set(last, { from, id: message.readUInt16BE(0) });
  message.writeUInt16BE(last, 0);
  upstream.send(message, ignore);
});
upstream.on("message", (message) => {
  const asked = waiting.get(message.readUInt16BE(0));
  if (asked === undefined) return;
  waiting.delete(message.readUInt16BE(0));
  message.writeUInt16BE(asked.id, 0);
  relay.send(message, asked.from.port, asked.from.address, ignore);
});
console.log(`echo ${echo.address().port} relay ${relay.address().port}`);
