/** Runs a program in a network namespace of its own, where kernel settings may be changed. */
import { inNamespace, whyNoNamespace } from "./namespaced-program.ts";

export interface OwnNetworkOptions {
  /** Kernel settings of the namespace, such as `net.ipv4.tcp_migrate_req`. */
  readonly sysctls: Readonly<Record<string, number>>;
  /** Path of a module that calls `answerAsProgram`. */
  readonly program: string;
  readonly options: object;
}

/** Why there can be no such namespace; undefined when there can. A failure in CI, where there must be. */
export function whyNoOwnNetwork(): string | undefined {
  return whyNoNamespace(
    ["--net", "ip", "link", "set", "lo", "up"],
    "needs the privilege to make a network namespace, and ip(8)",
  );
}

/** Resolves with the program's result. */
export async function inOwnNetwork<T>({ sysctls, program, options }: OwnNetworkOptions): Promise<T> {
  const settings = Object.entries(sysctls).map(
    ([name, value]) => `echo ${value} > /proc/sys/${name.replaceAll(".", "/")}`,
  );
  return await inNamespace<T>({
    namespace: "--net",
    prepare: ["ip link set lo up", ...settings],
    program,
    options,
  });
}
