/**
 * Which control plane a command asks: the one that is named, else the one that says that it runs on this machine.
 */
import { join } from "node:path";
import type { Arguments, CommandContext } from "../../command/command.ts";
import { runtimeFolderHere } from "../../config/runtime-folder.ts";
import { readRegularText } from "../../files/read-regular-file.ts";
import type { CallMetadata, ChannelTls } from "../../grpc/channel.ts";
import { errorMessage } from "../../lifecycle/error-message.ts";
import { parseHostPort } from "../../net/host-port.ts";
import { announcedControlPlanes } from "../../status/control-plane-announcement.ts";
import { type ControlPlaneClient, ControlPlaneError } from "./control-plane.ts";

/** Every problem with the flags is a line on standard error; undefined then. @throws ControlPlaneError where none runs here */
export async function controlPlaneOf(
  args: Arguments,
  { env, printError, shutdown }: Pick<CommandContext, "env" | "printError" | "shutdown">,
): Promise<ControlPlaneClient | undefined> {
  const problems: string[] = [];
  const place = (flag: string): { readonly host: string; readonly port: number } | undefined => {
    const text = args.optionalString(flag);
    const found = text === undefined ? undefined : parseHostPort(text);
    if (text !== undefined && found === undefined)
      problems.push(`--${flag}: ${JSON.stringify(text)} is not HOST:PORT`);
    return found;
  };
  const [http, xds] = [place("http-address"), place("xds-address")];
  if (http !== undefined && xds !== undefined)
    problems.push("--http-address: --xds-address names a control plane too: leave one of both out");
  const tls = args.boolean("plaintext") ? undefined : tlsOf(args, problems);
  const metadata = metadataOf(args, problems);
  if (problems.length > 0) {
    for (const problem of problems) printError(problem);
    return undefined;
  }
  if (xds !== undefined) {
    const { xdsClient } = await import("./xds-client.ts");
    return xdsClient({ address: `${bracketed(xds.host)}:${xds.port}`, tls }, metadata, shutdown);
  }
  const { pagesClient } = await import("./pages-client.ts");
  if (http !== undefined) return pagesClient(http, shutdown);
  const folder = runtimeFolderHere(env);
  const [only, ...others] = announcedControlPlanes(folder);
  if (only !== undefined && others.length === 0)
    return pagesClient({ host: "127.0.0.1", port: only.httpPort }, shutdown);
  if (only === undefined)
    throw new ControlPlaneError(
      "no control plane of this user runs here: name one with --xds-address HOST:PORT (15012 of istiod), or --http-address",
    );
  printError(
    `several control planes run here: choose with --http-address one of ${[only, ...others]
      .map(({ httpPort, configFolder }) => `127.0.0.1:${httpPort} (${configFolder})`)
      .join(", ")}`,
  );
  return undefined;
}

function bracketed(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}

function tlsOf(args: Arguments, problems: string[]): ChannelTls {
  const read = (path: string, flag: string): Buffer | undefined => readPem(path, flag, problems);
  const folder = args.optionalString("cert-dir");
  const ca = args.optionalString("ca-file");
  const roots =
    ca !== undefined
      ? read(ca, "ca-file")
      : folder === undefined
        ? undefined
        : read(join(folder, "root-cert.pem"), "cert-dir");
  const [certificateChain, privateKey] =
    folder === undefined
      ? []
      : [read(join(folder, "cert-chain.pem"), "cert-dir"), read(join(folder, "key.pem"), "cert-dir")];
  return {
    rootCertificates: roots,
    serverName: args.optionalString("authority"),
    clientCertificate:
      certificateChain === undefined || privateKey === undefined
        ? undefined
        : { certificateChain, privateKey },
  };
}

function readPem(path: string, flag: string, problems: string[]): Buffer | undefined {
  try {
    return Buffer.from(readRegularText(path));
  } catch (error) {
    problems.push(`--${flag}: ${path} cannot be read: ${errorMessage(error)}`);
    return undefined;
  }
}

function metadataOf(args: Arguments, problems: string[]): CallMetadata {
  const path = args.optionalString("token-file");
  const token = path === undefined ? undefined : readPem(path, "token-file", problems);
  return token === undefined ? {} : { authorization: `Bearer ${token.toString("utf8").trim()}` };
}
