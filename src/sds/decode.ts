/**
 * Requests of SDS from bytes.
 */
import { type DescMessage, fromBinary, type MessageShape } from "@bufbuild/protobuf";
import { GrpcError } from "../grpc/grpc-error.ts";
import { errorMessage } from "../lifecycle/error-message.ts";
import { typeUrl } from "../xds/type-urls.ts";

/**
 * A request for secrets.
 *
 * @throws GrpcError INVALID_ARGUMENT when it is none
 */
export function decodeRequest<Schema extends DescMessage>(
  schema: Schema,
  message: Buffer,
): MessageShape<Schema> {
  let request: MessageShape<Schema>;
  try {
    request = fromBinary(schema, message, { readUnknownFields: false });
  } catch (error) {
    throw new GrpcError("INVALID_ARGUMENT", `not a ${schema.name}: ${errorMessage(error)}`);
  }
  const type = "typeUrl" in request ? request.typeUrl : "";
  // A service for one type may leave its URL out (xDS protocol, "Singleton xDS APIs").
  if (type !== "" && type !== typeUrl.secret)
    throw new GrpcError("INVALID_ARGUMENT", `${String(type)} is not served here, only ${typeUrl.secret}`);
  return request;
}
