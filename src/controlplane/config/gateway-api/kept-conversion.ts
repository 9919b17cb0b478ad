/**
 * One conversion after the other: where nothing has changed that it reads, the last one stands. Endpoints change often, and
 * are none of that.
 */
import type { ConfigObject } from "../objects.ts";
import { noneRefused, type Refused } from "../refused.ts";
import { convertGatewayApi, type Converted, isConverted } from "./convert.ts";

/** What is read of an object: itself, or of a service its names and ports. */
type Input = ConfigObject | string;

/** The last conversion, and what it was made of. */
export class KeptConversion {
  readonly #services = new WeakMap<ConfigObject, string>();
  #inputs: readonly Input[] = [];
  #last: Converted | undefined;

  /**
   * @param all every object of the mesh; one that is as it was is the same object
   * @param refused those that are written and cannot be taken
   */
  convert(all: readonly ConfigObject[], refused: Refused = noneRefused): Converted {
    const inputs = all.some(isConverted)
      ? [...all.flatMap((object) => this.#inputOf(object) ?? []), ...[...refused].flat()]
      : [];
    const isAsLast =
      inputs.length === this.#inputs.length && inputs.every((each, at) => each === this.#inputs[at]);
    if (this.#last === undefined || !isAsLast) this.#last = convertGatewayApi(all, refused);
    this.#inputs = inputs;
    return this.#last;
  }

  #inputOf(object: ConfigObject): Input | undefined {
    if (isConverted(object)) return object;
    switch (object.kind) {
      case "Namespace":
      case "Secret":
        return object;
      case "ServiceEntry":
        return this.#service(object);
      default:
        // A namespace is there with anything in it.
        return object.namespace;
    }
  }

  #service(object: Extract<ConfigObject, { kind: "ServiceEntry" }>): string {
    const known = this.#services.get(object);
    if (known !== undefined) return known;
    const { namespace, name, spec } = object;
    const made = JSON.stringify([namespace, name, spec.hosts, spec.ports]);
    this.#services.set(object, made);
    return made;
  }
}
