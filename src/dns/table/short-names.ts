/**
 * Short names of Kubernetes services, which a look makes into full ones, so that a table need not hold them.
 */
import { joined, root, type WireName, wireName } from "../wire/name.ts";

/** Where a pod is, which says what short names stand for. */
export interface PodPlace {
  /** Such as `demo`. */
  readonly namespace: string;
  /** Such as `demo.svc.cluster.local`. */
  readonly domain: string;
}

/** The same as names. */
export interface ShortNameDomains {
  readonly ownNamespace: string;
  /** `svc` */
  readonly firstLabel: string;
  /** `svc.cluster.local` */
  readonly services: WireName;
  /** `demo.svc.cluster.local`; undefined without a namespace. */
  readonly own: WireName | undefined;
  /** `svc` as a name. */
  readonly first: WireName;
  /** `cluster.local` */
  readonly rest: WireName;
}

/** Undefined for a pod without a domain. */
export function shortNameDomains({ namespace, domain }: PodPlace): ShortNameDomains | undefined {
  const plain = domain.toLowerCase().replace(/\.$/, "");
  const own = namespace.toLowerCase();
  const services = own !== "" && plain.startsWith(`${own}.`) ? plain.slice(own.length + 1) : plain;
  const wire = wireName(services);
  if (wire === undefined) return undefined;
  const [firstLabel = "", ...rest] = services.split(".");
  const first = wireName(firstLabel);
  if (first === undefined) return undefined;
  return {
    ownNamespace: own,
    firstLabel,
    services: wire,
    own: own === "" ? undefined : wireName(`${own}.${services}`),
    first,
    rest: wireName(rest.join(".")) ?? root,
  };
}

/** What a short name would stand for: `web`, `web.demo` and `web.demo.svc` for `web.demo.svc.cluster.local`. */
export function fullName(
  name: WireName,
  { own, services, first, rest }: ShortNameDomains,
): WireName | undefined {
  switch (labelsOf(name, 4)) {
    case 1:
      return own === undefined ? undefined : joined(name, own);
    case 2:
      return joined(name, services);
    case 3:
      return name.endsWith(first) ? joined(name, rest) : undefined;
    default:
      return undefined;
  }
}

/** How many labels a name has, as far as `most`. */
function labelsOf(name: WireName, most: number): number {
  let labels = 0;
  for (let at = 0; labels < most; labels += 1) {
    const length = name.charCodeAt(at);
    if (length === 0) break;
    at += 1 + length;
  }
  return labels;
}
