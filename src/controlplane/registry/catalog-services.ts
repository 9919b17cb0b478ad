/**
 * What the services of a catalog, be it Consul's or Nomad's, have in common when they become objects of the mesh: pure functions.
 */
import { isAddress, isHost, isResourceName } from "../config/forms.ts";
import type { ConfigObject, PortSpec } from "../config/objects.ts";
import type { ConfigProblem } from "../config/problem.ts";
import { validate } from "../config/validate.ts";

/** Tells of something in one service that has no effect. */
export type Tell = (path: string, message: string) => void;

/** More ports of one service are a mistake, and would cost every proxy a cluster each. */
export const maxPorts = 32;

/** One word on each is enough, and on all of ten thousand too much. */
const maxProblems = 100;

const protocols = ["HTTP", "HTTP2", "GRPC", "TCP", "TLS", "HTTPS", "MONGO", "MYSQL", "REDIS"] as const;

/** Warnings of a catalog, the same one told once. */
export class CatalogProblems {
  readonly #told = new Map<string, ConfigProblem>();

  /** For the service that `source` names. */
  tellOf(source: string): Tell {
    return (path, message) => {
      const problem = { source, line: 0, path, message, severity: "warning" } as const;
      if (this.#told.size < maxProblems) this.#told.set(JSON.stringify(problem), problem);
    };
  }

  /** In the order in which they were told. */
  get all(): readonly ConfigProblem[] {
    return [...this.#told.values()];
  }
}

/**
 * Without a word on it, it is found out connection by connection what a port carries.
 *
 * @param words what instances at this port say of its protocol
 * @param say told what is wrong with it
 */
export function portSaid(number: number, words: readonly string[], say: (message: string) => void): PortSpec {
  const said = [...new Set(words)];
  const known = said.flatMap((text) => protocols.filter((protocol) => protocol === text.toUpperCase()));
  const [protocol] = known;
  if (known.length < said.length) say(`is not one of ${protocols.join(", ")}`);
  if (known.length > 1) say(`differs between instances at ${number}: it is taken as ${protocol}`);
  return protocol === undefined
    ? { number, name: `auto-${number}` }
    : { number, name: `${protocol.toLowerCase()}-${number}`, protocol };
}

/** False for an instance that cannot be called, which is told. */
export function isCallable(address: string, tell: Tell): boolean {
  if (isAddress(address) || (isHost(address) && !address.startsWith("*"))) return true;
  tell("Address", `${JSON.stringify(address.slice(0, 64))} of an instance is no address: it is not called`);
  return false;
}

/**
 * The identity that an instance says it has, if it can be one.
 *
 * @param say told what is wrong with it
 */
export function accountSaid(
  serviceAccount: string | undefined,
  say: (message: string) => void,
): { readonly serviceAccount?: string } {
  if (serviceAccount === undefined) return {};
  if (isResourceName(serviceAccount)) return { serviceAccount };
  say("is not the name of a service account: such instances are called in plain text");
  return {};
}

/** The object, or nothing where the mesh would refuse it, which is told. */
export function validOrNone(object: ConfigObject, tell: Tell): readonly ConfigObject[] {
  const broken = validate(object);
  for (const [path, message] of broken) tell(path, message);
  return broken.length === 0 ? [object] : [];
}
