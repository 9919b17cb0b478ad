/**
 * Which proxy a command is about: a file that one has answered, an admin port, or an agent of this machine by its name.
 */
import type { Arguments, CommandContext } from "../../command/command.ts";
import { chosen } from "../../beside/find-agent.ts";
import { runtimeFolderHere } from "../../config/runtime-folder.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { fetchHttp } from "../../net/http-client.ts";
import { parseHostPort } from "../../net/host-port.ts";
import { announcedAgents } from "../../status/announcement.ts";
import { isClusterMeant } from "../kubernetes/open-cluster.ts";
import { readGivenText } from "../given-text.ts";
import { type ConfigDump, readConfigDump } from "./config-dump.ts";
import { inNamespace } from "./flags.ts";

/** No answer that could be used. The message says who was asked, why there is none and what to do. */
export class ProxyError extends Error {
  override readonly name = "ProxyError";
}

/** One proxy, alive or as a file, until it is disposed. */
export interface ProxySource extends Disposable {
  /** What it is called in messages. */
  readonly name: string;
  /** @throws ProxyError */
  readonly configDump: () => Promise<ConfigDump>;
  /** An answer of Envoy's admin interface as it is; undefined for a file, which has none. @throws ProxyError */
  readonly admin: ((method: "GET" | "POST", url: string) => Promise<string>) | undefined;
}

const timeoutMs = 10_000;

/** Longest dump that is read, in bytes. */
const maxBytes = 512 * 2 ** 20;

/** Nothing of it is kept open. */
const kept = { [Symbol.dispose]: (): void => undefined };

/**
 * @param word the proxy that a word of the call names, such as `web-1.demo` or how that begins; in a cluster a pod, or what has some
 * @returns undefined, and a line on standard error, where it is not clear which one is meant
 * @throws ProxyError where there is none, KubeconfigError, KubernetesError, PodNameError
 */
export async function proxyOf(
  args: Arguments,
  word: string | undefined,
  { env, printError, shutdown }: Pick<CommandContext, "env" | "printError" | "shutdown">,
): Promise<ProxySource | undefined> {
  const name = word === undefined ? undefined : inNamespace(word, args);
  const file = args.optionalString("file");
  if (file !== undefined) return fileSource(file, shutdown);
  const address = args.optionalString("admin-address");
  if (address !== undefined) {
    const place = parseHostPort(address);
    if (place !== undefined) return liveSource(name ?? address, place, shutdown);
    printError(`--admin-address: ${JSON.stringify(address)} is not HOST:PORT`);
    return undefined;
  }
  const agents = announcedAgents(runtimeFolderHere(env));
  if (isClusterMeant(args, { env }, agents.length > 0)) {
    if (word !== undefined) {
      const { podSource } = await import("./pod-source.ts");
      return podSource(args, word, { env, shutdown });
    }
    printError("name a pod of the cluster, POD.NAMESPACE, or what has some, as deploy/NAME.NAMESPACE");
    return undefined;
  }
  const found = chosen(agents, name, { configPath: "", statusPort: 0, adminPort: 0, envoyStatusPort: 0 });
  if (found.kind === "unclear") {
    printError(found.problem.replace(/^--name: /, "").replace("choose with --name one of", "name one of"));
    return undefined;
  }
  if (found.pid === undefined)
    throw new ProxyError(
      "no agent of this user runs here: give --admin-address HOST:PORT of an Envoy, or --file with its config_dump",
    );
  const called = agents.find(({ pid }) => pid === found.pid)?.name ?? name ?? "";
  return liveSource(called, { host: "127.0.0.1", port: found.adminPort }, shutdown);
}

/** Every Envoy of an agent of this machine. */
export function liveSources({
  env,
  shutdown,
}: Pick<CommandContext, "env" | "shutdown">): readonly ProxySource[] {
  return announcedAgents(runtimeFolderHere(env)).map(({ name, adminPort }) =>
    liveSource(name, { host: "127.0.0.1", port: adminPort }, shutdown),
  );
}

/** What is in a file; `-` is standard input. */
export function fileSource(path: string, signal: AbortSignal): ProxySource {
  return {
    ...kept,
    name: path === "-" ? "standard input" : path,
    admin: undefined,
    configDump: async () => {
      let text: string;
      try {
        text = await readGivenText(path, { maxBytes, signal });
      } catch (error) {
        throw new ProxyError(`--file: ${path} cannot be read: ${errorMessage(error)}`, { cause: error });
      }
      return dumpIn(text, `--file: ${path} is no answer of Envoy's /config_dump`);
    },
  };
}

function liveSource(
  name: string,
  target: { readonly host: string; readonly port: number },
  signal: AbortSignal,
): ProxySource {
  const admin = async (method: "GET" | "POST", url: string): Promise<string> => {
    try {
      return await askAdmin(target, method, url, signal);
    } catch (error) {
      throw new ProxyError(
        `the Envoy of ${name} on ${target.host}:${target.port} did not answer ${url}: ${errorMessage(error)}. ` +
          "`outrider status` beside it says how it is",
        { cause: error },
      );
    }
  };
  return { ...kept, ...answering(name, admin) };
}

/** An answer of Envoy's admin interface as it is. @throws Error where it is none */
export async function askAdmin(
  target: { readonly path: string } | { readonly host: string; readonly port: number },
  method: "GET" | "POST",
  url: string,
  signal: AbortSignal,
): Promise<string> {
  const { status, body } = await fetchHttp({ target, method, url, timeoutMs, maxBytes, signal });
  if (status === 200) return body.toString("utf8");
  const [said = ""] = body.toString("utf8").trim().split("\n");
  throw new Error(`status ${status}: ${said}`);
}

/** What an Envoy has, by its admin interface. */
export function answering(
  name: string,
  admin: NonNullable<ProxySource["admin"]>,
): Omit<ProxySource, typeof Symbol.dispose> {
  return {
    name,
    admin,
    configDump: async () =>
      dumpIn(await admin("GET", "/config_dump?include_eds"), `${name} answers with no config_dump`),
  };
}

function dumpIn(text: string, problem: string): ConfigDump {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new ProxyError(`${problem}: ${errorMessage(error)}`, { cause: error });
  }
  const dump = readConfigDump(value);
  if (dump === undefined) throw new ProxyError(`${problem}: it has no "configs"`);
  return dump;
}
