import { TLSSocket } from "node:tls";
import type { FastifyReply, FastifyRequest } from "fastify";
import { targetOf } from "../server/request.ts";

/** What authorization plugins are asked: Docker's fields. Bodies are base64. */
export interface AuthorizationRequest {
  User?: string;
  UserAuthNMethod?: string;
  RequestMethod: string;
  /** Path, version included, and query. As the client wrote them, but for spellings that not every parser of URLs reads alike. */
  RequestUri: string;
  RequestBody?: string;
  RequestHeaders: Record<string, string>;
  /** The client's verified certificate: PEM in base64. */
  RequestPeerCertificates?: string[];
  ResponseStatusCode?: number;
  ResponseBody?: string;
  ResponseHeaders?: Record<string, string>;
}

/** Credentials are no plugin's business. */
const secretHeaders = new Set(["x-registry-auth", "x-registry-config"]);

/** As Go writes names of headers: `Content-Type`. */
function canonical(name: string): string {
  return name.toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());
}

function requestHeaders(request: FastifyRequest): Record<string, string> {
  const headers: [string, string][] = [];
  const { rawHeaders } = request.raw;
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) {
    const name = rawHeaders[at] ?? "";
    const lower = name.toLowerCase();
    if (lower !== "host" && lower !== "transfer-encoding" && !secretHeaders.has(lower))
      headers.push([canonical(name), rawHeaders[at + 1] ?? ""]);
  }
  return Object.fromEntries(headers.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

/** The headers of an answer, as plugins see them. */
export function responseHeaders(reply: FastifyReply): Record<string, string> {
  const entries = Object.entries({ ...reply.raw.getHeaders(), ...reply.getHeaders() }).filter(
    ([name]) => name !== "content-length",
  );
  return Object.fromEntries(
    entries
      .map(([name, value]) => [canonical(name), String(Array.isArray(value) ? value.at(-1) : value)] as const)
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** Whether a body of this media type is shown to plugins; what goes to `/auth` is a password. */
export function showsBody(request: FastifyRequest, contentType: unknown): boolean {
  return (
    request.routeOptions.url !== "/auth" &&
    typeof contentType === "string" &&
    contentType.split(";", 1)[0]?.trim().toLowerCase() === "application/json"
  );
}

function client(
  request: FastifyRequest,
): Pick<AuthorizationRequest, "User" | "UserAuthNMethod" | "RequestPeerCertificates"> {
  const { socket } = request.raw;
  if (!(socket instanceof TLSSocket) || !socket.authorized) return {};
  const { subject, raw } = socket.getPeerCertificate();
  if (raw === undefined) return {};
  const pem = `-----BEGIN CERTIFICATE-----\n${raw.toString("base64").replace(/.{1,64}/g, "$&\n")}-----END CERTIFICATE-----\n`;
  const name: unknown = subject?.CN;
  return {
    ...(typeof name === "string" ? { User: name } : {}),
    UserAuthNMethod: "TLS",
    RequestPeerCertificates: [Buffer.from(pem).toString("base64")],
  };
}

/** What is asked about a request. @param body when it is to be shown */
export function authorizationRequest(request: FastifyRequest, body: Buffer | undefined): AuthorizationRequest {
  return {
    ...client(request),
    RequestMethod: request.method,
    RequestUri: targetOf(request).uri,
    ...(body === undefined || body.length === 0 ? {} : { RequestBody: body.toString("base64") }),
    RequestHeaders: requestHeaders(request),
  };
}
