/**
 * Envoy's own rules for the fields of its messages (protoc-gen-validate's options, which its API has on them): Envoy refuses a
 * whole response for one message that breaks any, so they are asked before it is sent. Pure.
 *
 * The rules stand in the descriptors of the generated messages; the library for them reads another dialect (buf.validate),
 * which Envoy's API does not have.
 */
import {
  type AnyDesc,
  type DescField,
  type DescMessage,
  type DescOneof,
  getOption,
  hasOption,
  type Message,
  type Registry,
} from "@bufbuild/protobuf";
import { anyUnpack, type Any, AnySchema } from "@bufbuild/protobuf/wkt";
import { type FieldRules, required, rules as fieldRules } from "../../proto/envoy/validate/validate_pb.js";
import { brokenValueRules } from "./value-rules.ts";

/** Fields of a message that are looked at: those with rules, and those with messages in them. */
interface Looked {
  readonly fields: readonly { readonly field: DescField; readonly rules: FieldRules | undefined }[];
  readonly oneofs: readonly DescOneof[];
}

const looked = new WeakMap<DescMessage, Looked>();

/**
 * Every broken rule, as `field.path: what it must be`.
 *
 * @param registry of what may be inside `google.protobuf.Any`; what is not there is not looked at
 * @param only the one field that counts, where the message is a part of one
 */
export function brokenRules(
  schema: DescMessage,
  message: Message,
  registry: Registry,
  only?: string,
): readonly string[] {
  const broken: string[] = [];
  checkMessage(schema, message, "", { registry, broken }, only);
  return broken;
}

interface Findings {
  readonly registry: Registry;
  readonly broken: string[];
}

function checkMessage(
  schema: DescMessage,
  message: Message,
  path: string,
  findings: Findings,
  only?: string,
): void {
  const { fields, oneofs } = lookedOf(schema);
  const values = message as unknown as Readonly<Record<string, unknown>>;
  for (const { field, rules } of fields) {
    if (only !== undefined && field.localName !== only) continue;
    checkField(field, rules, valueOf(field, values), `${path}${field.name}`, findings);
  }
  for (const oneof of only === undefined ? oneofs : []) {
    const chosen = values[oneof.localName] as { readonly case?: string } | undefined;
    if (chosen?.case === undefined) {
      const names = oneof.fields.map(({ name }) => name).join(", ");
      findings.broken.push(`${path}${oneof.name}: must be one of ${names}`);
    }
  }
}

function checkField(
  field: DescField,
  rules: FieldRules | undefined,
  value: unknown,
  path: string,
  findings: Findings,
): void {
  const isMissing = value === undefined;
  const isRequired = rules?.message?.required === true || requiresValue(rules);
  // Of a choice it is the one that is chosen that must be there.
  if (isMissing && isRequired && field.oneof === undefined) findings.broken.push(`${path}: must be there`);
  if (isMissing || rules?.message?.skip === true) return;
  if (rules !== undefined)
    findings.broken.push(...brokenValueRules(rules, value, field).map((words) => `${path}: ${words}`));
  const inside = field.message;
  if (inside === undefined || inside === null) return;
  for (const [item, place] of itemsOf(field, value, path)) checkInside(inside, item, place, findings);
}

function checkInside(schema: DescMessage, item: unknown, path: string, findings: Findings): void {
  // Wrappers of numbers and texts are these themselves.
  if (typeof item !== "object" || item === null) return;
  if (schema.typeName !== AnySchema.typeName) {
    checkMessage(schema, item as Message, `${path}.`, findings);
    return;
  }
  const any = item as Any;
  const found = findings.registry.getMessage(any.typeUrl.replace(/^.*\//, ""));
  const message = found && anyUnpack(any, found);
  if (found !== undefined && message !== undefined) checkMessage(found, message, `${path}.`, findings);
}

/** A field's messages with their paths. */
function itemsOf(field: DescField, value: unknown, path: string): readonly (readonly [unknown, string])[] {
  if (field.fieldKind === "list")
    return (value as readonly unknown[]).map((item, index) => [item, `${path}[${index}]`] as const);
  if (field.fieldKind === "map")
    return Object.entries(value as object).map(([key, item]) => [item, `${path}[${key}]`] as const);
  return [[value, path]];
}

function requiresValue(rules: FieldRules | undefined): boolean {
  const { case: kind, value } = rules?.type ?? {};
  return (kind === "any" || kind === "duration" || kind === "timestamp") && value?.required === true;
}

/** Undefined where the field is not set, and of a choice that is another one. */
function valueOf(field: DescField, values: Readonly<Record<string, unknown>>): unknown {
  if (field.oneof === undefined) return values[field.localName];
  const chosen = values[field.oneof.localName] as { readonly case?: string; readonly value?: unknown };
  return chosen.case === field.localName ? chosen.value : undefined;
}

function lookedOf(schema: DescMessage): Looked {
  const known = looked.get(schema);
  if (known !== undefined) return known;
  const fields = schema.fields
    .map((field) => ({ field, rules: rulesOf(field) }))
    .filter(({ field, rules }) => rules !== undefined || (field.message ?? undefined) !== undefined);
  const oneofs = schema.oneofs.filter((oneof) => hasOption(oneof, required) && getOption(oneof, required));
  const made = { fields, oneofs };
  looked.set(schema, made);
  return made;
}

function rulesOf(field: Extract<AnyDesc, { kind: "field" }>): FieldRules | undefined {
  return hasOption(field, fieldRules) ? getOption(field, fieldRules) : undefined;
}
