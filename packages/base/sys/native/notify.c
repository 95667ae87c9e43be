/* Tells the service manager how a daemon is, as sd_notify(3) describes. */
#include "addon.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* sendUnixDatagram(path, bytes): one datagram to a socket in the file system, or, after an @, in the abstract namespace. */
METHOD(sys_send_unix_datagram) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  size_t size = 0;
  const char *path = arg_string(c, 0);
  const uint8_t *bytes = arg_bytes(c, 1, &size);
  if (c->failed) return NULL;
  size_t length = strlen(path);
  if (length == 0 || length >= sizeof to.sun_path) return throw_errno(c, ENAMETOOLONG, "connect", path, NULL);
  memcpy(to.sun_path, path, length);
  if (path[0] == '@') to.sun_path[0] = 0;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return throw_errno(c, errno, "socket", path, NULL);
  ssize_t sent = sendto(fd, bytes, size, MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
  int error = errno;
  close(fd);
  return sent < 0 ? throw_errno(c, error, "sendto", path, NULL) : NULL;
}

void register_notify(napi_env env, napi_value exports) {
  export_method(env, exports, "sendUnixDatagram", sys_send_unix_datagram);
}
