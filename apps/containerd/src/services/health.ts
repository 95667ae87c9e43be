import { NotFound } from "@longshore/errdefs";
import type { ServiceImplementation } from "@longshore/grpc";
import { type Health, HealthCheckResponse_ServingStatus as Status } from "@longshore/proto/grpc/health/v1/health";

/** The standard health service: whoever gets an answer is served, for the server has no parts that fail alone. */
export function healthService(): ServiceImplementation<typeof Health> {
  const check = ({ service }: { service: string }): { status: Status } => {
    if (service !== "") throw new NotFound("unknown service");
    return { status: Status.SERVING };
  };
  return {
    check,
    async *watch({ service }, { signal }) {
      yield { status: service === "" ? Status.SERVING : Status.SERVICE_UNKNOWN };
      if (!signal.aborted)
        await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
    },
  };
}
