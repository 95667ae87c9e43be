import { sendUnixDatagram } from "../net/unix-datagram.ts";

/**
 * The way to the service manager that started this process, which is named by `NOTIFY_SOCKET`: `READY=1`, `STOPPING=1`, …
 * as sd_notify(3) describes. Without one nothing is told. The variable is taken out of the environment: a runtime that
 * finds it would put the socket into containers.
 * @param failed hears why a word did not get there, which ends nothing
 */
export function takeServiceManager(
  failed: (error: unknown) => void,
  environment: NodeJS.ProcessEnv = process.env,
): (message: string) => void {
  const path = environment["NOTIFY_SOCKET"] ?? "";
  delete environment["NOTIFY_SOCKET"];
  return (message) => {
    if (path === "") return;
    try {
      sendUnixDatagram(path, Buffer.from(message));
    } catch (error) {
      failed(error);
    }
  };
}
