/**
 * Routes: `NAME VHOST NAME DOMAINS MATCH VIRTUAL SERVICE`, a row for each route.
 */
import { at, listAt, textAt } from "../../../lifecycle/json-path.ts";
import { domainWords, matchWords } from "./route-words.ts";
import { byKeys, ruleOf, type View } from "./view.ts";

/** Those whose name is a port by number, then the others by name. */
export const routeView: View = {
  columns: ["NAME", "VHOST NAME", "DOMAINS", "MATCH", "VIRTUAL SERVICE"],
  select: (dump, { name }) =>
    dump.route
      .filter((route) => name === undefined || route.name === name)
      .toSorted(byKeys((route) => [/^\d+$/.test(route.name) ? Number(route.name) : 65_536, route.name])),
  rows: ({ name, json }) =>
    listAt(json, "virtual_hosts").flatMap((host) => {
      const domains = domainWords(listAt(host, "domains").map(String));
      const where = [name, textAt(host, "name") ?? "", domains];
      const routes = listAt(host, "routes");
      // A request to it has nowhere to go.
      if (routes.length === 0) return [[...where, "/*", "404"]];
      return routes.map((route) => [...where, matchWords(at(route, "match")), ruleOf(route)]);
    }),
};
