/**
 * Paths of fields in a bootstrap, such as `static_resources.clusters[0].connect_timeout`.
 *
 * Envoy names the path of a mistake only where its JSON parser or its field rules found it. For the rest it names a
 * value, which is looked up here: an answer is given only when it is the only one.
 */

/** A value and the path that leads to it. */
interface Place {
  readonly path: string;
  readonly value: unknown;
}

/** Path of the only text that equals `value`. */
export function fieldOfText(bootstrap: unknown, value: string): string | undefined {
  return only(bootstrap, (place) => place.value === value);
}

/** Path of the only message packed as `name`, such as `HttpConnectionManager`. */
export function fieldOfMessage(bootstrap: unknown, name: string): string | undefined {
  return only(bootstrap, ({ value }) => {
    const type = isObject(value) ? value["@type"] : undefined;
    return typeof type === "string" && type.endsWith(`.${name}`);
  });
}

/** Path of the only socket address with this host and port. */
export function fieldOfAddress(bootstrap: unknown, host: string, port: number): string | undefined {
  return only(
    bootstrap,
    ({ value }) => isObject(value) && value["address"] === host && value["port_value"] === port,
  );
}

function only(bootstrap: unknown, test: (place: Place) => boolean): string | undefined {
  const found: string[] = [];
  for (const place of places({ path: "", value: bootstrap })) {
    if (!test(place)) continue;
    found.push(place.path);
    if (found.length > 1) return undefined;
  }
  return found[0];
}

function* places(place: Place): Generator<Place> {
  yield place;
  const { path, value } = place;
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* places({ path: `${path}[${index}]`, value: item });
  } else if (isObject(value)) {
    for (const [key, item] of Object.entries(value)) {
      yield* places({ path: path === "" ? key : `${path}.${key}`, value: item });
    }
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/**
 * The path in a chain of Envoy's field rules: `BootstrapValidationError.StaticResources`,
 * `StaticResourcesValidationError.Clusters[0]`, … Field names are CamelCase there and snake_case in a bootstrap.
 */
export function fieldOfRules(rules: readonly string[]): { readonly message: string; readonly path: string } {
  const steps = rules.map((rule) => /^(\w+?)ValidationError\.(\w+(?:\[[^\]]*\])?)/.exec(rule));
  const path = steps.map((step) => snakeCase(step?.[2] ?? "")).filter((step) => step !== "");
  return { message: steps[0]?.[1] ?? "", path: path.join(".") };
}

function snakeCase(name: string): string {
  return name.replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
}
