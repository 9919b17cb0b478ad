/**
 * References to images, as container tools write them. Pure.
 */

/** Where an image is. */
export interface ImageReference {
  /** `host` or `host:port`, as credentials name it. */
  readonly registry: string;
  /** `host` or `host:port` that is asked; differs for Docker Hub only. */
  readonly host: string;
  readonly repository: string;
  /** `latest` where neither a tag nor a digest is given; undefined beside a digest. */
  readonly tag: string | undefined;
  /** `sha256:` and 64 hexadecimal digits. */
  readonly digest: string | undefined;
}

const dockerHub = {
  names: ["docker.io", "index.docker.io", "registry-1.docker.io"],
  host: "registry-1.docker.io",
};

const component = String.raw`[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*`;
const repositoryPattern = new RegExp(`^${component}(?:/${component})*$`);
const registryPattern = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/;
const tagPattern = /^\w[\w.-]{0,127}$/;
const digestPattern = /^sha256:[0-9a-f]{64}$/;

/** Longest reference that is looked at. */
const longest = 2_048;

/** Read `[host[:port]/]repository[:tag][@digest]`; undefined when it is none. */
export function parseImageReference(text: string): ImageReference | undefined {
  if (text.length > longest) return undefined;
  const [named = "", digest, ...further] = text.split("@");
  if (further.length > 0 || (digest !== undefined && !digestPattern.test(digest))) return undefined;
  const slash = named.indexOf("/");
  const first = slash < 0 ? "" : named.slice(0, slash);
  const hasRegistry = /[.:]/.test(first) || first === "localhost" || first !== first.toLowerCase();
  const path = hasRegistry ? named.slice(slash + 1) : named;
  const colon = path.lastIndexOf(":");
  const tag = colon < 0 ? undefined : path.slice(colon + 1);
  const repository = colon < 0 ? path : path.slice(0, colon);
  if (tag !== undefined && !tagPattern.test(tag)) return undefined;
  if (!repositoryPattern.test(repository) || (hasRegistry && !registryPattern.test(first))) return undefined;
  const isDockerHub = !hasRegistry || dockerHub.names.includes(first);
  return {
    registry: isDockerHub ? "index.docker.io" : first,
    host: isDockerHub ? dockerHub.host : first,
    repository: isDockerHub && !repository.includes("/") ? `library/${repository}` : repository,
    tag: digest === undefined ? (tag ?? "latest") : undefined,
    digest,
  };
}
