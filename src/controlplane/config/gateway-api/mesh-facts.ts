/**
 * What objects of the Gateway API may refer to: services, namespaces, certificates, and who may refer to them.
 */
import type { ConfigObject, ReferenceGrantSpec } from "../objects.ts";
import { type Refused, whyMissing } from "../refused.ts";
import { certificatesOf, type SecretCertificates } from "../secret-contents.ts";

type Labels = Readonly<Record<string, string>>;

/** A reference from one namespace into another. */
export interface Reference {
  readonly from: { readonly group: string; readonly kind: string; readonly namespace: string };
  readonly to: {
    readonly group: string;
    readonly kind: string;
    readonly namespace: string;
    readonly name: string;
  };
}

/** What there is. */
export class MeshFacts {
  /** Numbers of the ports of every host. */
  readonly ports: ReadonlyMap<string, ReadonlySet<number>>;
  /** Hosts of each ServiceEntry, by `namespace/name`. */
  readonly entries: ReadonlyMap<string, readonly string[]>;
  /** Labels of every namespace in which there is anything. */
  readonly namespaces: ReadonlyMap<string, Labels>;
  readonly #secrets = new Map<string, SecretCertificates>();
  readonly #grants: { readonly namespace: string; readonly spec: ReferenceGrantSpec }[] = [];

  readonly #refused: Refused;

  constructor(objects: readonly ConfigObject[], refused: Refused) {
    this.#refused = refused;
    const ports = new Map<string, Set<number>>();
    const entries = new Map<string, readonly string[]>();
    const namespaces = new Map<string, Labels>();
    for (const object of objects) {
      const { namespace } = object;
      const name = object.kind === "Namespace" ? object.name : namespace;
      if (name !== "" && !namespaces.has(name)) namespaces.set(name, namespaceLabels(name));
      switch (object.kind) {
        case "Namespace":
          namespaces.set(object.name, { ...object.labels, ...namespaceLabels(object.name) });
          break;
        case "Secret":
          this.#secrets.set(`${namespace}/${object.name}`, certificatesOf(object.spec));
          break;
        case "ReferenceGrant":
          this.#grants.push(object);
          break;
        case "ServiceEntry":
          entries.set(`${namespace}/${object.name}`, object.spec.hosts.map(hostKey));
          for (const host of object.spec.hosts.map(hostKey)) {
            const known = ports.get(host) ?? new Set();
            for (const { number } of object.spec.ports) known.add(number);
            ports.set(host, known);
          }
          break;
        default:
      }
    }
    this.ports = ports;
    this.entries = entries;
    this.namespaces = namespaces;
  }

  /** Why an object that is referred to is not there: it is refused, or else that which is given. */
  whyMissing(kind: "KubernetesGateway" | "Secret" | "ServiceEntry", id: string, otherwise: string): string {
    return whyMissing(this.#refused, kind, id, otherwise);
  }

  secret(namespace: string, name: string): SecretCertificates | undefined {
    return this.#secrets.get(`${namespace}/${name}`);
  }

  /** Within a namespace everything may be referred to, into another one what a ReferenceGrant there allows. */
  isAllowed({ from, to }: Reference): boolean {
    if (from.namespace === to.namespace) return true;
    return this.#grants.some(
      ({ namespace, spec }) =>
        namespace === to.namespace &&
        spec.from.some(
          (each) => each.group === from.group && each.kind === from.kind && each.namespace === from.namespace,
        ) &&
        spec.to.some(
          (each) =>
            each.group === to.group &&
            each.kind === to.kind &&
            (each.name === undefined || each.name === to.name),
        ),
    );
  }
}

/** Hosts are the same in capitals or not, with a dot at their end or without. */
export function hostKey(host: string): string {
  return host.toLowerCase().replace(/\.$/, "");
}

/** Kubernetes labels each namespace with its name. */
function namespaceLabels(name: string): Labels {
  return { "kubernetes.io/metadata.name": name };
}
