/**
 * Secrets within URLs: users and passwords, what grants access in a query, and paths that nobody can guess.
 */

/** Takes a secret that was found; gives what stands in its place. */
export type Take = (secret: string, isLearnt?: boolean) => string;

/** From the last letter of the scheme; another URL begins another one. */
const url = /\w:\/\/(?:(?!\w:\/\/)[^\s"'<>])+/g;

/** A password up to the last `@` before the path. */
const password = /^(\w:\/\/[^:/?#@]*:)([^/?#]+)(?=@)/;

/** One with a slash in it, which somebody forgot to encode. A number before the slash is a port. */
const passwordWithSlash = /^(\w:\/\/[^:/?#@[]*:)(?!\d{1,5}[/?#])([^@]{1,1024})(?=@)/;

const user = /^(\w:\/\/)([^:/?#@]+)(?=:?@)/;
const userWithPassword = /^(\w:\/\/)([^:/?#@]+)(?=:\[redacted\]@)/;

/** Users that everybody has. */
const commonUser =
  /^(?:git|root|admin|user|guest|postgres|mysql|redis|nobody|anonymous|ubuntu|\[redacted.*)$/i;

/** Addresses that are secrets by themselves, from the first part that is no common word. */
const webhook =
  /^(\w:\/\/(?:hooks?\.[^/?#]+|[^/?#]*webhook[^/?#]*|[^/?#]+\/(?:[^/?#]+\/){0,8}?webhooks?)\/(?:[a-z]{1,32}\/){0,4})(?=[^?#]{0,1024}[A-Z\d])([^?#\\,;)\]]+)/;
const bot = /^(\w:\/\/api\.telegram\.org\/bot)([^/?#\\]+)/;

/** A long part of a path. */
const pathPart = /(?<=\/)[\w-]{20,}(?=[/?#\\,;)\]]|$)/g;

/** One parameter of a query, also where its `&` is escaped. */
const parameter = /([?&]|\\u0026|&amp;)([A-Za-z][\w.~%-]{0,100})=([^\s&"'<>#\\,;)}\]]+)/g;

/** Names that are too common elsewhere. */
const secretParameter = /^(?:key|sig|sign|code|auth|hmac|k|pw)$/i;

/** The text without the secrets of its URLs and of queries. */
export function redactUrls(text: string, isSecret: (name: string) => boolean, take: Take): string {
  const result = text.includes("://") ? text.replaceAll(url, (one) => redactUrl(one, take)) : text;
  return result.replaceAll(parameter, (whole: string, sign: string, name: string, value: string) => {
    const isTaken = (secretParameter.test(name) || isSecret(name)) && !/^(?:true|false|\d{1,6})$/.test(value);
    return isTaken ? `${sign}${name}=${take(value)}` : whole;
  });
}

function redactUrl(text: string, take: Take): string {
  const second =
    (isLearnt: (secret: string) => boolean) =>
    (_: string, before: string, secret: string): string =>
      `${before}${take(secret, isLearnt(secret))}`;
  const always = second(() => true);
  let result = text;
  if (text.includes("@")) {
    const before = result;
    result = result.replace(password, always);
    if (result === before) result = result.replace(passwordWithSlash, always);
    result = result.replace(user, (whole: string, scheme: string, name: string) =>
      commonUser.test(name) ? whole : `${scheme}${take(name, !isWord(name))}`,
    );
    result = result.replace(userWithPassword, (whole: string, scheme: string, name: string) =>
      isWord(name) ? whole : `${scheme}${take(name)}`,
    );
  }
  return result
    .replace(webhook, always)
    .replace(bot, always)
    .replaceAll(pathPart, (part) => (isRandom(part) ? take(part) : part));
}

/** A name such as `app_user-2`, which is no token. */
function isWord(text: string): boolean {
  return text.length < 16 && /^[a-z][a-z._-]*\d{0,2}$/i.test(text);
}

function isRandom(text: string): boolean {
  return /[a-z]/.test(text) && /[A-Z]/.test(text) && /\d/.test(text);
}
