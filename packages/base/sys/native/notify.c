/* Tells the service manager how a daemon is, as sd_notify(3) describes. */
#include "addon.h"

#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* notifyService(path, message): one datagram to a socket in the file system, or, after an @, in the abstract namespace. */
METHOD(sys_notify_service) {
  struct sockaddr_un to = {.sun_family = AF_UNIX};
  const char *path = arg_string(c, 0), *message = arg_string(c, 1);
  if (c->failed) return NULL;
  size_t length = strlen(path);
  if (length == 0 || length >= sizeof to.sun_path) return throw_errno(c, ENAMETOOLONG, "connect", path, NULL);
  memcpy(to.sun_path, path, length);
  if (path[0] == '@') to.sun_path[0] = 0;
  int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return throw_errno(c, errno, "socket", path, NULL);
  ssize_t sent = sendto(fd, message, strlen(message), MSG_NOSIGNAL | MSG_DONTWAIT, (struct sockaddr *)&to, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length));
  int error = errno;
  close(fd);
  return sent < 0 ? throw_errno(c, error, "sendto", path, NULL) : NULL;
}

void register_notify(napi_env env, napi_value exports) {
  export_method(env, exports, "notifyService", sys_notify_service);
}
