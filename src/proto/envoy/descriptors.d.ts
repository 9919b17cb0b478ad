/** Descriptors of Envoy's whole API: a FileDescriptorSet, compressed by gzip, in base64. */
export declare const descriptors: string;
