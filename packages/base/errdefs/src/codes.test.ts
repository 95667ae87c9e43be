import assert from "node:assert/strict";
import { Conflict, NotFound, NotModified, fromGrpcCode, grpcCodeOf, httpStatusOf, isKind } from "./index.ts";

describe("errdefs", () => {
  it("maps kinds to HTTP statuses and gRPC codes", () => {
    assert.equal(httpStatusOf(new NotFound("No such container: x")), 404);
    assert.equal(httpStatusOf(new Conflict("in use")), 409);
    assert.equal(httpStatusOf(new NotModified("already started")), 304);
    assert.equal(httpStatusOf(new Error("a surprise")), 500);
    assert.equal(grpcCodeOf(new Conflict("in use")), 9);
    assert.equal(grpcCodeOf("not even an error"), 2);
  });

  it("brings a gRPC status back as the class it left as", () => {
    for (const code of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]) {
      assert.equal(grpcCodeOf(fromGrpcCode(code, "m")), code);
    }
    assert.ok(isKind(fromGrpcCode(5, "m"), "NotFound"));
    assert.ok(isKind(fromGrpcCode(99, "m"), "Unknown"));
  });
});
