/**
 * Envoy's own words, learned from Envoy 1.40 and those before it: the only place that knows them. A release that says
 * something in another way is met here.
 */

/** What is in a capture group is what is told. */
export const envoyWords = {
  /** The end, of lines without a layout. */
  fatal: /FATAL ERROR|^terminate called/,
  /** It was sent SIGTERM. */
  sigterm: /caught ENVOY_SIGTERM/,
  /** Before a backtrace, and each frame of it. */
  caught: /^Caught /,
  frame: /^#\d+:/,
  /** It ends over its configuration and prints it, as Envoy 1.40 says it and as earlier ones did. */
  endsOverConfiguration: /^error (?:`|initializing config)/,
  /** `127.0.0.1:80` or `[::1]:80`. */
  addressInUse: /cannot bind '(.+?)': Address already in use/g,
  /** The parser's complaint. */
  unknownFields: /Protobuf message \(type \S+ reason INVALID_ARGUMENT: (.*?)\) has unknown fields/,
  notParsed: /Unable to parse JSON as proto \(INVALID_ARGUMENT: (.*?)\): (?=[[{])/,
  /** In a complaint: path, message and problem, `invalid JSON in T @ path: message T, near 1:2 (offset 3): what`. */
  complaint: /^invalid JSON in \S+ @ (\S+?): message (\S+), near \S+ \(offset \d+\): (.*)$/,
  /** In a problem: the field's name. */
  noSuchField: /^no such field: '(.+)'$/,
  /** Rules that are broken, joined by `brokenRuleJoint`; and in the last of them the problem. */
  brokenRules: /Proto constraint validation failed \((\w+ValidationError\..*?)\)(?: |`|$)/g,
  rule: /ValidationError\.\w+(?:\[[^\]]*\])?: (.*)$/,
  /** One rule, with the field in its own message and the reason. */
  brokenField: /Proto constraint validation failed \(field: "([^"]*)", reason: (.*?)\)(?= |`|$)/g,
  /** Before a message that protobuf prints, on purpose not always the same. */
  debugMark: /goo\.gle\/debug\w+\s*/g,
  /** It prints it over the lines that follow, and goes on behind it with a colon. */
  endsInDebugMark: /:?\s*goo\.gle\/debug\w+\s*$/,
  /** The problem of a configuration that is well-formed. */
  refused: /error `(.*?)` initializing config '/g,
  /** A flag, of lines without a layout. */
  commandLine: /^error: |^(?:PARSE ERROR|\S+|\(\S+\)) -- [A-Z]/,
} as const;

/** Between the rules that are broken. */
export const brokenRuleJoint = " | caused by ";
