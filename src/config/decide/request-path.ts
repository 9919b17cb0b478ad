/** As it goes into a request line: with a slash at its beginning, and escapes for what may not stand there. */
export function requestPath(path: string): string {
  const escaped = path.toWellFormed().replaceAll(/[^\x21-\x7e]+/g, (part) => encodeURIComponent(part));
  return escaped.startsWith("/") ? escaped : `/${escaped}`;
}
