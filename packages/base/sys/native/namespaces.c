/* Network namespaces. What enters one runs on a thread that is thrown away, so that no failure can
   leave a thread of the runtime in a foreign namespace. */
#include "addon.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <unistd.h>

static int bind_new_netns(void *path) {
  if (unshare(CLONE_NEWNET)) return errno;
  return mount("/proc/thread-self/ns/net", path, "none", MS_BIND, NULL) ? errno : 0;
}

METHOD(sys_create_netns) {
  char *path = arg_string(c, 0);
  if (c->failed) return NULL;
  int fd = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
  if (fd < 0) return throw_errno(c, errno, "open", path, NULL);
  close(fd);
  int error = on_throwaway_thread(bind_new_netns, path);
  if (error) {
    unlink(path);
    return throw_errno(c, error, "unshare", path, NULL);
  }
  return NULL;
}

struct socket_task {
  const char *netns, *address;
  int domain, type, protocol, port, fd;
  bool connect;
  const char *failed;
};

static int address_of(struct socket_task *t, struct sockaddr_storage *to, socklen_t *size) {
  if (t->domain == AF_INET) {
    struct sockaddr_in *in = (void *)to;
    *in = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)t->port)};
    *size = sizeof *in;
    return inet_pton(AF_INET, t->address, &in->sin_addr) == 1 ? 0 : EINVAL;
  }
  if (t->domain == AF_INET6) {
    struct sockaddr_in6 *in6 = (void *)to;
    *in6 = (struct sockaddr_in6){.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)t->port)};
    *size = sizeof *in6;
    return inet_pton(AF_INET6, t->address, &in6->sin6_addr) == 1 ? 0 : EINVAL;
  }
  return EAFNOSUPPORT;
}

static int open_socket(void *data) {
  struct socket_task *t = data;
  t->failed = "open";
  int ns = open(t->netns, O_RDONLY | O_CLOEXEC);
  if (ns < 0) return errno;
  t->failed = "setns";
  int rc = setns(ns, CLONE_NEWNET);
  int error = errno;
  close(ns);
  if (rc) return error;
  t->failed = "socket";
  int fd = socket(t->domain, t->type | SOCK_CLOEXEC, t->protocol);
  if (fd < 0) return errno;
  if (t->address) {
    struct sockaddr_storage address;
    socklen_t size;
    int one = 1;
    t->failed = t->connect ? "connect" : "bind";
    error = address_of(t, &address, &size);
    if (!error && !t->connect && (t->type & ~(SOCK_NONBLOCK | SOCK_CLOEXEC)) == SOCK_STREAM) setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (!error && !t->connect && t->domain == AF_INET6) setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
    if (!error && (t->connect ? connect : bind)(fd, (struct sockaddr *)&address, size)) error = errno;
    if (error && !(t->connect && error == EINPROGRESS)) {
      close(fd);
      return error;
    }
  }
  t->fd = fd;
  return 0;
}

METHOD(sys_socket_in_netns) {
  struct socket_task t = {
      .netns = arg_string(c, 0),
      .domain = (int)arg_int(c, 1),
      .type = (int)arg_int(c, 2),
      .protocol = (int)arg_int(c, 3),
      .address = arg_optional_string(c, 4),
      .port = (int)arg_int(c, 5),
      .connect = arg_bool(c, 6),
  };
  if (c->failed) return NULL;
  int error = on_throwaway_thread(open_socket, &t);
  return error ? throw_errno(c, error, t.failed ? t.failed : "pthread_create", t.netns, t.address) : result_int(c, t.fd);
}

struct write_task {
  const char *netns, *path, *text, *failed;
};

/* Whose settings the files below /proc/sys/net are is decided when they are opened. */
static int write_inside(void *data) {
  struct write_task *t = data;
  t->failed = "open";
  int ns = open(t->netns, O_RDONLY | O_CLOEXEC);
  if (ns < 0) return errno;
  t->failed = "setns";
  int rc = setns(ns, CLONE_NEWNET);
  int error = errno;
  close(ns);
  if (rc) return error;
  t->failed = "open";
  int fd = open(t->path, O_WRONLY | O_TRUNC | O_CLOEXEC);
  if (fd < 0) return errno;
  t->failed = "write";
  error = write(fd, t->text, strlen(t->text)) < 0 ? errno : 0;
  close(fd);
  return error;
}

METHOD(sys_write_in_netns) {
  struct write_task t = {.netns = arg_string(c, 0), .path = arg_string(c, 1), .text = arg_string(c, 2)};
  if (c->failed) return NULL;
  int error = on_throwaway_thread(write_inside, &t);
  return error ? throw_errno(c, error, t.failed ? t.failed : "pthread_create", t.path, NULL) : NULL;
}

void register_namespaces(napi_env env, napi_value exports) {
  export_method(env, exports, "writeInNetns", sys_write_in_netns);
  export_method(env, exports, "createNetns", sys_create_netns);
  export_method(env, exports, "socketInNetns", sys_socket_in_netns);
}
