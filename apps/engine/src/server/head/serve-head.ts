import type { IncomingMessage, RequestListener, Server, ServerResponse } from "node:http";
import type { Server as HttpsServer } from "node:https";
import { awaitContinue } from "./expectation.ts";
import { judgeHead } from "./head.ts";
import { noSuchPage, refusalText, refuse } from "./refusal.ts";

function answerHead(request: IncomingMessage, response: ServerResponse): boolean {
  const refusal = judgeHead(request);
  if (refusal !== undefined) refuse(response, refusal);
  // What a client may ask of the server itself has no route.
  else if (request.method === "OPTIONS" && request.url === "*") response.writeHead(200, { "Content-Length": 0 }).end();
  else return false;
  return true;
}

/** Answers what needs no route, and refuses what none may see, as Go's server does; all else goes to `route`. */
export function headFirst(route: RequestListener): RequestListener {
  return (request, response) => {
    if (!answerHead(request, response)) route(request, response);
  };
}

/** Serves what Node tells of by events of its own: expectations, and CONNECT, which is no method of any route. */
export function serveExpectations(server: Server | HttpsServer, route: RequestListener): void {
  server.on("checkContinue", (request: IncomingMessage, response: ServerResponse) => {
    awaitContinue(request, response);
    route(request, response);
  });
  server.on("checkExpectation", route);
  server.on("connect", (_request, socket) => {
    // HTTP has let go of the connection, and hears of none of its errors.
    socket.on("error", () => socket.destroy()).resume();
    socket.end(refusalText(noSuchPage), () => socket.destroy());
  });
}
