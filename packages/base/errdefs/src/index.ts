export * from "./errors.ts";
export { fromGrpcCode, grpcCodeOf, httpStatusOf } from "./codes.ts";
