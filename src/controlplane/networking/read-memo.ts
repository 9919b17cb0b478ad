/**
 * What was made of a service and its rule, and of whatever else they led to: kept as long as a look at all of that gives
 * the same.
 */
import type { Service } from "../model/model.ts";
import type { AppliedRule } from "./destination-rules.ts";
import { IdentityMemo, type MemoInput } from "./identity-memo.ts";

/** Where routes look for what they lead to. */
export interface Lookups {
  readonly serviceOf: (host: string) => Service | undefined;
  readonly ruleOf: (service: Service) => AppliedRule | undefined;
}

interface Kept<Value> {
  readonly value: Value;
  readonly services: ReadonlyMap<string, Service | undefined>;
  readonly rules: ReadonlyMap<Service, AppliedRule | undefined>;
}

/** Values of one place that are kept: kinds of callers may look up different things there. */
const mostKept = 4;

/** Values by what they are made of, and by what they looked up. */
export class ReadMemo<Value> {
  /** The newest first. */
  readonly #kept = new IdentityMemo<Kept<Value>[]>();

  /** @param inputs everything that `make` reads besides what it looks up */
  get(
    inputs: readonly [object, ...MemoInput[]],
    lookups: Lookups,
    make: (recorded: Lookups) => Value,
  ): Value {
    const kept = this.#kept.get(inputs, () => []);
    const known = kept.find((each) => isCurrent(each, lookups));
    if (known !== undefined) return known.value;
    const made = record(lookups, make);
    kept.unshift(made);
    if (kept.length > mostKept) kept.pop();
    return made.value;
  }
}

function isCurrent({ services, rules }: Kept<unknown>, { serviceOf, ruleOf }: Lookups): boolean {
  for (const [host, service] of services) if (serviceOf(host) !== service) return false;
  for (const [service, rule] of rules) if (ruleOf(service) !== rule) return false;
  return true;
}

function record<Value>({ serviceOf, ruleOf }: Lookups, make: (recorded: Lookups) => Value): Kept<Value> {
  const services = new Map<string, Service | undefined>();
  const rules = new Map<Service, AppliedRule | undefined>();
  const value = make({
    serviceOf: (host) => {
      const found = serviceOf(host);
      services.set(host, found);
      return found;
    },
    ruleOf: (service) => {
      const found = ruleOf(service);
      rules.set(service, found);
      return found;
    },
  });
  return { value, services, rules };
}
