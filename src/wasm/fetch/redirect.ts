/**
 * Where a redirect leads, and whether to go there. Pure.
 */

/** The next URL, or why there is none. */
export type Redirect =
  | { readonly kind: "follow"; readonly url: URL; readonly keepsCredentials: boolean }
  | { readonly kind: "refused"; readonly reason: string };

const statuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** True for an answer that is elsewhere. */
export function isRedirect(status: number): boolean {
  return statuses.has(status);
}

/**
 * @param followed redirects so far
 * @param mayBePlain true where the operator allows the server of the new URL to be without TLS
 */
export function nextUrl(
  from: URL,
  location: string | undefined,
  followed: number,
  mayBePlain: (url: URL) => boolean,
): Redirect {
  if (followed >= mostRedirects) return refused(`more than ${mostRedirects} redirects`);
  const url = location === undefined ? null : URL.parse(location, from.href);
  if (url === null) return refused("a redirect without a usable location");
  if (url.protocol !== "https:" && url.protocol !== "http:") return refused(`a redirect to ${url.protocol}`);
  if (url.username !== "" || url.password !== "") return refused("a redirect with credentials");
  if (from.protocol === "https:" && url.protocol === "http:" && !mayBePlain(url))
    return refused(`a redirect from https to http on ${url.host}`);
  return { kind: "follow", url, keepsCredentials: url.origin === from.origin };
}

const mostRedirects = 5;

function refused(reason: string): Redirect {
  return { kind: "refused", reason };
}
