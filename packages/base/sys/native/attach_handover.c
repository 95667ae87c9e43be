/* A client that speaks for a connection of its own hands that over: bytes then pass between it and
   the process without a hop. The descriptor comes with one byte that means nothing. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "relay.h"

/* Who was to hand over has closed before. */
static void speaker_gone(struct client *c) {
  c->gone = true;
  c->held = false;
  c->queue_length = 0;
  if (c->state == CLIENT_ATTACHED && c->in && !c->in_ended) client_input_ended(c);
  else client_destroy(c);
}

/* Who handed over has closed, and may have died: the client is served until itself goes. */
static void control_ready(struct source *s, uint32_t events) {
  (void)events;
  source_close(s);
}

/* More fits in at a time, fewer turns are needed. TCP sizes its buffers by itself. */
static void widen(int fd) {
  int family = 0, size = 1 << 20;
  socklen_t length = sizeof family;
  if (!getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &length) && family == AF_UNIX) setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof size);
}

static void go_on(struct client *c) {
  c->held = false;
  if (c->queue_length > 0) client_flush(c);
  if (c->freed) return;
  client_update(c);
  if (c->channel) channel_update(c->channel);
}

void handover_receive(struct client *c) {
  char byte;
  union { struct cmsghdr header; char space[CMSG_SPACE(sizeof(int))]; } control;
  struct iovec part = {&byte, 1};
  struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
  /* The kernel drops a descriptor for which there is no room in the table, with no second try: look for room first. */
  int room = fcntl(c->src.fd, F_DUPFD_CLOEXEC, 0);
  if (room < 0) return source_rest(&c->src);
  close(room);
  ssize_t n = recvmsg(c->src.fd, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n < 0 && is_shortage(errno)) return source_rest(&c->src);
  struct cmsghdr *header = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  if (n > 0 && !header && c->after_log) return go_on(c);
  if (!header || header->cmsg_type != SCM_RIGHTS || header->cmsg_len != CMSG_LEN(sizeof(int))) return speaker_gone(c);
  int fd;
  memcpy(&fd, CMSG_DATA(header), sizeof fd);
  widen(fd);
  source_want(&c->src, 0);
  source_init(&c->control, c->src.fd, control_ready, c);
  source_hold(&c->control);
  source_init(&c->src, fd, client_ready, c);
  go_on(c);
}
