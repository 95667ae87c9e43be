/* Calls on processes and on open descriptors. */
#include "addon.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <unistd.h>

METHOD(sys_set_child_subreaper) {
  return prctl(PR_SET_CHILD_SUBREAPER, 1L, 0L, 0L, 0L) ? throw_errno(c, errno, "prctl", NULL, NULL) : NULL;
}

METHOD(sys_kill) {
  pid_t pid = (pid_t)arg_int(c, 0);
  int signal = (int)arg_int(c, 1);
  if (c->failed) return NULL;
  char text[24];
  snprintf(text, sizeof text, "%d", pid);
  return kill(pid, signal) ? throw_errno(c, errno, "kill", text, NULL) : NULL;
}

METHOD(sys_getsockopt_peercred) {
  struct ucred credentials;
  socklen_t size = sizeof credentials;
  int fd = (int)arg_int(c, 0);
  if (c->failed) return NULL;
  if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &credentials, &size)) return throw_errno(c, errno, "getsockopt", NULL, NULL);
  napi_value result = result_object(c);
  set_int(c, result, "pid", credentials.pid);
  set_int(c, result, "uid", credentials.uid);
  set_int(c, result, "gid", credentials.gid);
  return result;
}

/* hungUp(fd): whether a socket's other end is closed both ways, not only for sending. */
METHOD(sys_hung_up) {
  struct pollfd p = {.fd = (int)arg_int(c, 0)};
  napi_value result = NULL;
  if (c->failed) return NULL;
  if (poll(&p, 1, 0) < 0) return throw_errno(c, errno, "poll", NULL, NULL);
  napi_get_boolean(c->env, (p.revents & (POLLHUP | POLLERR)) != 0, &result);
  return result;
}

METHOD(sys_pipe) {
  int fds[2];
  int flags = (int)arg_int(c, 0), size = (int)arg_int(c, 1);
  if (c->failed) return NULL;
  if (pipe2(fds, flags | O_CLOEXEC)) return throw_errno(c, errno, "pipe2", NULL, NULL);
  /* A larger pipe is only faster: an unprivileged user over the limit keeps the default size. */
  if (size) (void)fcntl(fds[1], F_SETPIPE_SZ, size);
  napi_value result = NULL;
  napi_create_array_with_length(c->env, 2, &result);
  for (uint32_t i = 0; i < 2; i++) napi_set_element(c->env, result, i, result_int(c, fds[i]));
  return result;
}

/* unreadBytes(fd): what lies in a pipe, by either of its ends. */
METHOD(sys_unread_bytes) {
  int fd = (int)arg_int(c, 0), bytes = 0;
  if (c->failed) return NULL;
  return ioctl(fd, FIONREAD, &bytes) ? throw_errno(c, errno, "ioctl", NULL, NULL) : result_int(c, bytes);
}

METHOD(sys_eventfd) {
  int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return fd < 0 ? throw_errno(c, errno, "eventfd", NULL, NULL) : result_int(c, fd);
}

/* watchFile(path): an inotify(7) descriptor that becomes readable when the file is written. */
METHOD(sys_watch_file) {
  const char *path = arg_string(c, 0);
  if (c->failed) return NULL;
  int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
  if (fd < 0) return throw_errno(c, errno, "inotify_init1", path, NULL);
  if (inotify_add_watch(fd, path, IN_MODIFY) >= 0) return result_int(c, fd);
  int error = errno;
  close(fd);
  return throw_errno(c, error, "inotify_add_watch", path, NULL);
}

METHOD(sys_dup) {
  int fd = (int)arg_int(c, 0);
  if (c->failed) return NULL;
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  return copy < 0 ? throw_errno(c, errno, "dup", NULL, NULL) : result_int(c, copy);
}

METHOD(sys_dup2) {
  int from = (int)arg_int(c, 0), to = (int)arg_int(c, 1);
  if (c->failed) return NULL;
  return dup2(from, to) < 0 ? throw_errno(c, errno, "dup2", NULL, NULL) : NULL;
}

void register_process(napi_env env, napi_value exports) {
  export_method(env, exports, "setChildSubreaper", sys_set_child_subreaper);
  export_method(env, exports, "kill", sys_kill);
  export_method(env, exports, "peerCredentials", sys_getsockopt_peercred);
  export_method(env, exports, "hungUp", sys_hung_up);
  export_method(env, exports, "pipe", sys_pipe);
  export_method(env, exports, "unreadBytes", sys_unread_bytes);
  export_method(env, exports, "eventfd", sys_eventfd);
  export_method(env, exports, "watchFile", sys_watch_file);
  export_method(env, exports, "dup", sys_dup);
  export_method(env, exports, "dup2", sys_dup2);
}
