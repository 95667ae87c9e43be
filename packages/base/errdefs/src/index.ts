export * from "./errors.ts";
export { fromGrpcCode, wrap, grpcCodeOf, httpStatusOf } from "./codes.ts";
