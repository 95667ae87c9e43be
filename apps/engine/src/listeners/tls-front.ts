import type { Server as HttpsServer } from "node:https";
import type { Socket } from "node:net";

/** The first byte of each TLS record that opens a connection: a handshake (RFC 8446, section 5.1). */
const handshakeRecord = 0x16;

const plainAnswer = "HTTP/1.0 400 Bad Request\r\n\r\nClient sent an HTTP request to an HTTPS server.\n";

/**
 * Gives a new connection to the TLS server, unless the client speaks plain HTTP: that one is told
 * what is wrong, as by dockerd, instead of seeing its connection cut.
 */
export function acceptTls(server: HttpsServer, socket: Socket): void {
  const refused = (): void => void socket.destroy();
  socket.once("error", refused);
  socket.once("readable", () => {
    const first = socket.read() as Buffer | null;
    if (first === null) return void socket.destroy();
    if (first[0] !== handshakeRecord) return void socket.end(plainAnswer);
    socket.unshift(first);
    socket.off("error", refused);
    server.emit("connection", socket);
  });
}
