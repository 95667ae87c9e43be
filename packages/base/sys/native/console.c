/* Terminals: receiving the master from the runtime, and window sizes. */
#include "addon.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* unixListen(directory, name): bound by way of the open directory, since sun_path holds 107 bytes only. */
METHOD(unix_listen) {
  const char *directory = arg_string(c, 0), *name = arg_string(c, 1);
  int backlog = (int)arg_int(c, 2);
  if (c->failed) return NULL;
  int dir = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (dir < 0) return throw_errno(c, errno, "open", directory, NULL);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int length = snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%s", dir, name);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int error = fd < 0 ? errno : length >= (int)sizeof address.sun_path ? ENAMETOOLONG : 0;
  if (!error && (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, backlog))) error = errno;
  close(dir);
  if (!error) return result_int(c, fd);
  if (fd >= 0) close(fd);
  return throw_errno(c, error, "listen", directory, name);
}

/* receiveFd(listener): takes a connection that is already waiting, and the descriptor sent on it. */
METHOD(receive_fd) {
  int listener = (int)arg_int(c, 0);
  if (c->failed) return NULL;
  fcntl(listener, F_SETFL, fcntl(listener, F_GETFL) | O_NONBLOCK);
  int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (connection < 0) return throw_errno(c, errno, "accept", NULL, NULL);
  char text[4096];
  union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control;
  struct iovec part = {text, sizeof text};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t n;
  do n = recvmsg(connection, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  while (n < 0 && errno == EINTR);
  int error = n < 0 ? errno : 0;
  close(connection);
  struct cmsghdr *header = n < 0 ? NULL : CMSG_FIRSTHDR(&message);
  if (!header || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof(int))) return throw_errno(c, error ? error : EBADMSG, "recvmsg", NULL, NULL);
  int fd;
  memcpy(&fd, CMSG_DATA(header), sizeof fd);
  return result_int(c, fd);
}

/* sendFd(socket, fd): with one byte, since nothing else carries it on a stream. */
METHOD(send_fd) {
  int connection = (int)arg_int(c, 0), fd = (int)arg_int(c, 1);
  if (c->failed) return NULL;
  char byte = 0;
  union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control = {.header = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))}};
  memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  ssize_t n;
  do n = sendmsg(connection, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n < 0 ? throw_errno(c, errno, "sendmsg", NULL, NULL) : NULL;
}

METHOD(resize_pty) {
  int fd = (int)arg_int(c, 0);
  struct winsize size = {.ws_col = (unsigned short)arg_int(c, 1), .ws_row = (unsigned short)arg_int(c, 2)};
  if (c->failed) return NULL;
  return ioctl(fd, TIOCSWINSZ, &size) ? throw_errno(c, errno, "ioctl", NULL, NULL) : NULL;
}

void register_console(napi_env env, napi_value exports) {
  export_method(env, exports, "unixListen", unix_listen);
  export_method(env, exports, "receiveFd", receive_fd);
  export_method(env, exports, "sendFd", send_fd);
  export_method(env, exports, "resizePty", resize_pty);
}
