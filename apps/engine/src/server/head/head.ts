import type { IncomingMessage } from "node:http";
import { badRequest, type Refusal, unsupportedEncoding, unsupportedVersion } from "./refusal.ts";

/** Bytes of a request's line and headers: as large as Go's servers take, since clients put lists of names into filters. */
export const maxHeaderSize = 1 << 20;

/** What Go's `httpguts.ValidHostHeader` takes. */
const host = /^[A-Za-z0-9!$%&()*+,\-.:;=[\]'_~]*$/;

function count(raw: readonly string[], name: string): number {
  return raw.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name).length;
}

/** What Go's server refuses of a request's head that Node's parser lets through; undefined for nothing. */
export function judgeHead({ httpVersion, rawHeaders, headers }: IncomingMessage): Refusal | undefined {
  if (httpVersion !== "1.1" && httpVersion !== "1.0") {
    // To the parser a line that names no version is one of 0.9.
    return httpVersion === "0.9" && rawHeaders.length === 0 ? badRequest : unsupportedVersion;
  }
  const hosts = count(rawHeaders, "host");
  if (hosts > 1) return badRequest;
  if (hosts === 0 && httpVersion === "1.1") return { status: 400, reason: "Bad Request: missing required Host header" };
  if (!host.test(headers.host ?? "")) return { status: 400, reason: "Bad Request: malformed Host header" };
  const length = headers["content-length"];
  if (length !== undefined && BigInt(length) >= 2n ** 63n) return badRequest;
  const coding = headers["transfer-encoding"];
  if (coding !== undefined && coding.toLowerCase() !== "chunked" && httpVersion === "1.1") return unsupportedEncoding;
  if (!isExpectationMet(headers.expect ?? "")) return { status: 417, reason: "Expectation Failed", body: nothing };
  return undefined;
}

const nothing = { type: "text/plain; charset=utf-8", text: "" };

function isExpectationMet(expected: string): boolean {
  return expected.trim() === "" || /(?:^|[,\s])100-continue(?:$|[,\s])/i.test(expected);
}
