/**
 * Objects of the Gateway API as those of Istio's that mean the same: the translation knows no others. A pure function.
 *
 * A listener becomes a Gateway of one server. Routes become a VirtualService for all hosts that have the same routes at a
 * listener, and one for each service of the mesh that they are for.
 */
import { warningAt } from "../analysis/warning.ts";
import type { ConfigObject } from "../objects.ts";
import type { ConfigProblem } from "../problem.ts";
import { noneRefused, type Refused } from "../refused.ts";
import { attachedTo, type Parents, type Route } from "./attach.ts";
import { connectionsOf } from "./backends.ts";
import {
  type Fault,
  gatewayConditions,
  type GatewayStatus,
  listenerConditions,
  routeConditions,
  type RouteStatus,
} from "./conditions.ts";
import { ListenerRules, MeshRules, type RulesOf } from "./converted-rules.ts";
import { GatewayClasses } from "./gateway-classes.ts";
import { type KubernetesGateway, type Listener, listenersOf, originOf } from "./listeners.ts";
import { MeshFacts } from "./mesh-facts.ts";
import { byAgeOfRoutes } from "./precedence.ts";
import { requestRoutes } from "./request-routes.ts";

/** What the objects come to. */
export interface Converted {
  /** Gateways and VirtualServices, each at the place of the oldest object that it is made of. */
  readonly objects: readonly ConfigObject[];
  /** What has no effect, or not the one that it says. */
  readonly problems: readonly ConfigProblem[];
  readonly gateways: readonly GatewayStatus[];
  readonly routes: readonly RouteStatus[];
}

/** @param all every object of the mesh, in whatever order @param refused those that are written and cannot be taken */
export function convertGatewayApi(all: readonly ConfigObject[], refused: Refused = noneRefused): Converted {
  const gateways = all.filter((object) => object.kind === "KubernetesGateway");
  const routes = all.filter(isRoute).toSorted(byAgeOfRoutes);
  if (gateways.length + routes.length === 0) return { objects: [], problems: [], gateways: [], routes: [] };
  return new Conversion(gateways, routes, new MeshFacts(all, refused), all).converted();
}

/** True for the kinds of the API: what is made of them depends on others as well. */
export function isConverted({ kind }: ConfigObject): boolean {
  return convertedKinds.has(kind);
}

const routeKinds: readonly string[] = ["HTTPRoute", "GRPCRoute", "TLSRoute", "TCPRoute"];
const convertedKinds: ReadonlySet<string> = new Set([
  ...routeKinds,
  ...["KubernetesGateway", "GatewayClass", "ReferenceGrant"],
]);

function isRoute(object: ConfigObject): object is Route {
  return routeKinds.includes(object.kind);
}

class Conversion {
  readonly #facts: MeshFacts;
  readonly #classes: GatewayClasses;
  readonly #gateways: readonly KubernetesGateway[];
  readonly #routes: readonly Route[];
  readonly #rules = new Map<Listener, ListenerRules>();
  readonly #meshRules = new MeshRules();
  readonly #problems: ConfigProblem[] = [];

  constructor(
    gateways: readonly KubernetesGateway[],
    routes: readonly Route[],
    facts: MeshFacts,
    all: readonly ConfigObject[],
  ) {
    this.#facts = facts;
    this.#classes = new GatewayClasses(all);
    this.#gateways = gateways;
    this.#routes = routes;
  }

  converted(): Converted {
    const [own = [], foreign = []] = [true, false].map((isOwn) =>
      this.#gateways.filter(({ spec }) => this.#classes.isOwn(spec.gatewayClassName) === isOwn),
    );
    const listeners = new Map(own.map((gateway) => [gateway, listenersOf(gateway, this.#facts)]));
    const every = [...listeners.values()].flat();
    for (const listener of every) this.#rules.set(listener, new ListenerRules(listener));
    const parents = {
      facts: this.#facts,
      listeners: new Map(
        [...listeners].map(([gateway, list]) => [idOf(gateway), list.filter((each) => !isConflicted(each))]),
      ),
      foreign: new Set(foreign.map(idOf)),
    };
    for (const gateway of foreign) {
      const message = `${gateway.spec.gatewayClassName} is a class of another controller: the Gateway is passed over`;
      this.#problems.push(warningAt(gateway, "spec.gatewayClassName", message));
    }
    for (const { gateway, faults } of every) this.#tell(gateway, faults);
    const routes = this.#routes.map((route, age) => this.#take(route, age, parents));
    return {
      objects: [
        ...every.flatMap(({ server }) => server ?? []),
        ...[...this.#rules.values()].flatMap((rules) => rules.virtualServices()),
        ...this.#meshRules.virtualServices(),
      ],
      problems: this.#problems,
      gateways: [...listeners].map(([gateway, list]) => this.#statusOf(gateway, list)),
      routes,
    };
  }

  #take(route: Route, age: number, parents: Parents): RouteStatus {
    const attached = attachedTo(route, parents);
    if (attached.length === 0)
      this.#problems.push(warningAt(route, "spec.parentRefs", "names no parent: the route has no effect"));
    const faults: Fault[] = [];
    const statuses = attached.map((each) => {
      switch (each.kind) {
        case "foreign":
          return [];
        case "refused":
          faults.push(each.fault);
          return [{ parentRef: each.ref, conditions: routeConditions([each.fault]) }];
        case "unknown":
          faults.push(each.fault);
          return [
            {
              parentRef: each.ref,
              conditions: routeConditions([each.fault]),
              isUnknownGateway: true as const,
            },
          ];
        case "service": {
          const made = this.#rulesOf(route, true);
          this.#meshRules.add({ route, age, rules: made.rules }, each.at);
          faults.push(...made.faults);
          return [{ parentRef: each.ref, conditions: routeConditions(made.faults) }];
        }
        case "listeners": {
          const made = this.#rulesOf(route, false);
          for (const { listener, hosts } of each.at)
            this.#rules.get(listener)?.add({ route, age, rules: made.rules }, hosts);
          faults.push(...made.faults);
          return [{ parentRef: each.ref, conditions: routeConditions(made.faults) }];
        }
      }
    });
    this.#tell(route, faults);
    return { object: originOf(route), parents: statuses.flat() };
  }

  #rulesOf(route: Route, isForMesh: boolean): { readonly rules: RulesOf; readonly faults: readonly Fault[] } {
    const context = { isForMesh, facts: this.#facts };
    if (route.kind === "HTTPRoute" || route.kind === "GRPCRoute") {
      const { routes: http, faults } = requestRoutes(route, context);
      return { rules: { kind: "requests", http }, faults };
    }
    const made = route.spec.rules.map(({ backendRefs }, index) =>
      connectionsOf(backendRefs, `spec.rules[${index}]`, { ...context, route }),
    );
    return {
      rules: { kind: "connections", routes: made.map((each) => each.route) },
      faults: made.flatMap((each) => each.faults),
    };
  }

  #tell(object: ConfigObject, faults: readonly Fault[]): void {
    const told = new Map(faults.map((fault) => [JSON.stringify(fault), fault]));
    for (const { path, reason, message } of told.values())
      this.#problems.push(warningAt(object, path, `${message} (${reason})`));
  }

  #statusOf(gateway: KubernetesGateway, list: readonly Listener[]): GatewayStatus {
    const listeners = list.map((listener) => ({
      name: listener.spec.name,
      supportedKinds: listener.kinds,
      attachedRoutes: this.#rules.get(listener)?.attachedRoutes ?? 0,
      conditions: listenerConditions(listener.faults),
    }));
    return { object: originOf(gateway), conditions: gatewayConditions(listeners), listeners };
  }
}

/** What another listener has in its place takes no routes. */
function isConflicted({ faults }: Listener): boolean {
  return faults.some(({ type }) => type === "Conflicted");
}

function idOf({ namespace, name }: KubernetesGateway): string {
  return `${namespace}/${name}`;
}
