/** Descriptors of Istio's API of configuration, and of MCP: a FileDescriptorSet, compressed by gzip, in base64. */
export declare const descriptors: string;
