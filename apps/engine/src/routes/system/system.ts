import { arch as nodeArch, release } from "node:os";
import { confined } from "../../access/route-access.ts";
import type { Backends, RoutePlugin } from "../../backends.ts";
import { engineVersion, maxApiVersion, minApiVersion } from "../../server/version/api-version.ts";
import { infoFor } from "../../older/info.ts";
import { speaks } from "../../server/request.ts";
import { sendJson } from "../../server/answer/send.ts";
import { productVersion } from "../../system/product.ts";

const goArches: Record<string, string> = {
  x64: "amd64",
  arm64: "arm64",
  arm: "arm",
  riscv64: "riscv64",
  s390x: "s390x",
  ppc64: "ppc64le",
};

/** Swarm mode is not served: its endpoints answer as on a node outside any swarm. */
const pingHeaders = ({ config }: Backends): Record<string, string> => ({
  "Cache-Control": "no-cache, no-store, must-revalidate",
  Pragma: "no-cache",
  "Builder-Version": config.features["buildkit"] === false ? "1" : "2",
  Swarm: "inactive",
});

export const systemRoutes: RoutePlugin = (app, backends) => {
  app.get("/_ping", (_request, reply) =>
    reply.headers(pingHeaders(backends)).header("Content-Type", "text/plain; charset=utf-8").send("OK"),
  );
  app.head("/_ping", (_request, reply) =>
    reply
      .headers(pingHeaders(backends))
      .header("Content-Length", "0")
      .header("Content-Type", "text/plain; charset=utf-8")
      .send(),
  );
  app.get("/info", confined, async (request, reply) => {
    sendJson(
      reply,
      200,
      infoFor((change) => speaks(request, change), await backends.system.info()),
    );
  });
  app.get("/version", async (_request, reply) => {
    const arch = goArches[nodeArch()] ?? nodeArch();
    const details = {
      ApiVersion: maxApiVersion,
      Arch: arch,
      BuildTime: "",
      Experimental: String(backends.config.experimental),
      GitCommit: "",
      GoVersion: "",
      KernelVersion: release(),
      MinAPIVersion: minApiVersion,
      Os: "linux",
    };
    const answer = {
      Platform: { Name: `Longshore ${productVersion}` },
      Components: [
        { Name: "Engine", Version: engineVersion, Details: details },
        ...(await backends.system.components()),
      ],
      Version: engineVersion,
      ApiVersion: maxApiVersion,
      MinAPIVersion: minApiVersion,
      GitCommit: "",
      GoVersion: "",
      Os: "linux",
      Arch: arch,
      KernelVersion: release(),
      ...(backends.config.experimental ? { Experimental: true } : {}),
      BuildTime: "",
    };
    sendJson(reply, 200, answer);
  });
};
