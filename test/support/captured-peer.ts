/**
 * Whoever calls and is called: a process of some user in some network namespace that answers on ports and makes
 * connections when it is told to.
 *
 * Who answers says what it has seen of the caller. A caller whose address and port have been seen is connected with
 * whoever answers, and any other has Envoy in between: NAT of a destination leaves the source as it is.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createSocket } from "node:dgram";
import { type AddressInfo, connect, createServer } from "node:net";
import { createInterface } from "node:readline";

/** A connection, or a query. */
export interface PeerCall {
  readonly protocol?: "tcp" | "udp";
  readonly host: string;
  readonly port: number;
  readonly localAddress?: string;
  /** How long an answer may take, in milliseconds; enough on a busy machine unless told. */
  readonly timeoutMs?: number;
}

/** What a peer is. */
export interface PeerOptions {
  /** It answers by this name. */
  readonly name: string;
  readonly tcp?: readonly number[];
  readonly udp?: readonly number[];
  /** Where it answers; every address unless told. An answer over UDP leaves from the address that was asked at only so. */
  readonly hosts?: readonly string[];
}

/** Longest wait for an answer, on a busy machine. */
const callMs = 20_000;

/** Long enough for Envoy's inspectors to see that it is neither TLS nor HTTP. */
const question = "who has called?\r\n";

/** `application from 127.0.0.6 through Envoy`, `other from 10.0.0.1 directly`, or `refused`. */
export function callPeer({
  protocol = "tcp",
  host,
  port,
  localAddress,
  timeoutMs = callMs,
}: PeerCall): Promise<string> {
  const from = localAddress === undefined ? {} : { localAddress };
  return new Promise((resolve) => {
    let text = "";
    const refused = (): void => {
      resolve("refused");
    };
    if (protocol === "udp") {
      const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
      const timer = setTimeout(() => socket.close(), timeoutMs);
      socket
        .on("error", () => socket.close())
        .on("close", () => {
          clearTimeout(timer);
          refused();
        })
        .on("message", (message) => {
          resolve(seen(message.toString("utf8"), socket.address()));
          socket.close();
        })
        .connect(port, host, () => socket.send(question));
      return;
    }
    const socket = connect({ host, port, ...from, timeout: timeoutMs });
    let own: Partial<AddressInfo> = {};
    socket
      .on("connect", () => {
        own = socket.address();
        socket.write(question);
      })
      .on("data", (chunk) => (text += chunk.toString("utf8")))
      .on("timeout", () => socket.destroy())
      .on("error", refused)
      .on("close", () => {
        resolve(text === "" ? "refused" : seen(text, own));
      });
  });
}

function seen(text: string, own: Partial<AddressInfo>): string {
  const [name = "", address = "", port = ""] = text.split(" ");
  const isOwn = address === own.address && Number(port) === own.port;
  return `${name} from ${address} ${isOwn ? "directly" : "through Envoy"}`;
}

/** Answers until it is disposed of. */
export async function answerCalls({
  name,
  tcp = [],
  udp = [],
  hosts = ["::"],
}: PeerOptions): Promise<AsyncDisposable> {
  const stack = new AsyncDisposableStack();
  for (const host of hosts) {
    for (const port of tcp) {
      const server = createServer((socket) => {
        const { remoteAddress, remotePort } = socket;
        socket
          .on("error", () => undefined)
          .once("data", () => {
            socket.end(`${name} ${unmapped(remoteAddress)} ${remotePort ?? 0}`);
          });
      });
      await new Promise<void>((resolve, reject) => {
        server.once("error", reject).listen({ host, port }, resolve);
      });
      stack.defer(() => new Promise<void>((resolve) => server.close(() => resolve())));
    }
    for (const port of udp) {
      const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
      socket.on("message", (_, { address, port: from }) => {
        socket.send(`${name} ${unmapped(address)} ${from}`, from, address);
      });
      await new Promise<void>((resolve) => socket.bind(port, host, resolve));
      stack.defer(() => new Promise<void>((resolve) => socket.close(resolve)));
    }
  }
  return stack;
}

/** An IPv4 address as a socket of both families has it. */
function unmapped(address: string | undefined): string {
  return (address ?? "").replace("::ffff:", "");
}

/** A peer in a process of its own. */
export class Peer implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting: ((answer: string) => void)[] = [];

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** @param launcher words before the program, such as `unshare --net` or `setpriv` */
  static async start(launcher: readonly string[], options: PeerOptions): Promise<Peer> {
    const [file, ...args] = [...launcher, process.execPath, import.meta.filename];
    const child = spawn(file, [...args, JSON.stringify(options)], { stdio: ["pipe", "pipe", "inherit"] });
    const peer = new Peer(child);
    const ready = peer.#next();
    createInterface(child.stdout as NodeJS.ReadableStream & typeof child.stdout).on("line", (line) => {
      peer.#waiting.shift()?.(line);
    });
    child.once("exit", () => {
      for (const answer of peer.#waiting.splice(0)) answer("gone");
    });
    if ((await ready) !== "ready") throw new Error(`${options.name} has not started`);
    return peer;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** One after the other; see {@link callPeer}. */
  call(call: PeerCall): Promise<string> {
    const answer = this.#next();
    this.#child.stdin?.write(`${JSON.stringify(call)}\n`);
    return answer;
  }

  #next(): Promise<string> {
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exited = new Promise((resolve) => this.#child.once("exit", resolve));
    this.#child.stdin?.end();
    await exited;
  }
}

if (import.meta.main) {
  const [options = "{}"] = process.argv.slice(2);
  await using _answers = await answerCalls(JSON.parse(options) as PeerOptions);
  console.log("ready");
  for await (const line of createInterface(process.stdin))
    console.log(await callPeer(JSON.parse(line) as PeerCall));
}
