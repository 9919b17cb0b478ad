/**
 * Who answers here: `id.server` of class CH, TXT (RFC 4892). It tells whether what is sent to a name server comes to
 * this agent, for `outrider doctor` and for people (`dig CH TXT id.server`).
 */
import { flag, headerBytes, recursionAvailable, type as types } from "./constants.ts";
import { type WireName, wireName } from "./name.ts";
import type { Query } from "./query.ts";
import { withOpt } from "./reply.ts";

/** Class CHAOS. */
const chaosClass = 3;

/** The name as people write it. */
export const serverIdName = "id.server";

const name: WireName | undefined = wireName(serverIdName);

/** True for the question of who answers. */
export function asksServerId(query: Pick<Query, "name" | "type" | "class">): boolean {
  return query.class === chaosClass && query.type === types.txt && query.name === name;
}

/** @param id at most 255 characters of ASCII */
export function writeServerId(message: Buffer, { questionEnd, edns }: Query, id: string): Buffer {
  const dataBytes = 1 + id.length;
  const answer = Buffer.alloc(questionEnd + 12 + dataBytes);
  message.copy(answer, 0, 0, questionEnd);
  answer[2] = flag.response | flag.authoritative | ((message[2] ?? 0) & flag.recursionDesired);
  answer[3] = recursionAvailable;
  for (const [index, count] of [1, 1, 0, 0].entries()) answer.writeUInt16BE(count, 4 + 2 * index);
  answer.writeUInt16BE(0xc000 | headerBytes, questionEnd);
  answer.writeUInt16BE(types.txt, questionEnd + 2);
  answer.writeUInt16BE(chaosClass, questionEnd + 4);
  // The TTL between stays 0: another may answer the next time.
  answer.writeUInt16BE(dataBytes, questionEnd + 10);
  answer[questionEnd + 12] = id.length;
  answer.write(id, questionEnd + 13, "latin1");
  return edns === undefined ? answer : withOpt(answer);
}
