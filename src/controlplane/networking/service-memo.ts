/**
 * What was made of a service and its rule in one context: most services have no rule, and of those a single look says what was
 * made, as each kind of proxies asks for all of them at each change.
 */
import type { Service } from "../model/model.ts";
import type { AppliedRule } from "./destination-rules.ts";
import { IdentityMemo, type MemoInput } from "./identity-memo.ts";

/** What was made in one context. */
export interface ContextMemo<Value> {
  /** @param place of the caller, where the rule asks for it */
  readonly get: (
    service: Service,
    rule: AppliedRule | undefined,
    place: object | undefined,
    make: () => Value,
  ) => Value;
}

/** Values by context, service, rule and place. */
export class ServiceMemo<Value extends object> {
  readonly #contexts = new IdentityMemo<ContextMemo<Value>>();

  /** @param context everything that is read besides the service, its rule and the place, an object first */
  in(context: readonly [object, ...MemoInput[]]): ContextMemo<Value> {
    return this.#contexts.get(context, () => {
      const plain = new WeakMap<Service, Value>();
      const others = new IdentityMemo<Value>();
      return {
        get: (service, rule, place, make) => {
          if (rule !== undefined || place !== undefined) return others.get([service, rule, place], make);
          const known = plain.get(service);
          if (known !== undefined) return known;
          const made = make();
          plain.set(service, made);
          return made;
        },
      };
    });
  }
}
