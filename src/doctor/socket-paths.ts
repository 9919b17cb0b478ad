/**
 * Unix sockets of the agent and its Envoys against what the kernel takes.
 */
import { generationPaths } from "../envoy/generation/layout.ts";
import { maxSocketPathBytes } from "../net/unix-socket.ts";
import { failure, type Finding, ok } from "./finding.ts";

/** What the paths are made from. */
export interface SocketPaths {
  readonly configPath: string;
  readonly xds: string;
  readonly sds: string;
  /** Socket of the application; undefined when there is none. */
  readonly application: string | undefined;
}

/** A generation's number has as many digits after years of swaps. */
const highGeneration = 100_000;

/** Every path must fit, also that of a generation to come. */
export function judgeSocketPaths({ configPath, xds, sds, application }: SocketPaths): Finding {
  const name = "socket-paths";
  const paths = [
    xds,
    sds,
    generationPaths(configPath, highGeneration).adminSocket,
    ...(application === undefined ? [] : [application]),
  ];
  const lengths = paths.map((path) => ({ path, bytes: Buffer.byteLength(path) }));
  const tooLong = lengths.filter(({ bytes }) => bytes > maxSocketPathBytes);
  if (tooLong.length === 0) {
    const longest = Math.max(...lengths.map(({ bytes }) => bytes));
    return ok(name, `the longest has ${longest} of ${maxSocketPathBytes} bytes`);
  }
  return failure(
    name,
    tooLong.map(({ path, bytes }) => `${path} has ${bytes} bytes of ${maxSocketPathBytes}`).join("; "),
    "set ProxyConfig configPath to a shorter path, or to one relative to the working directory",
  );
}
