/* Output into FIFOs and pipes, which others read: a full one holds the process back. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "relay.h"

#define PTY_CHUNK 4096 /* PIPE_BUF: a non-blocking FIFO takes it whole or not at all */

static void flush_pending(struct output *o) {
  ssize_t n = write(o->sink.fd, o->pending, o->pending_length);
  if (n < 0 && is_shortage(errno)) return source_rest(&o->sink);
  if (n == (ssize_t)o->pending_length || (n < 0 && errno != EAGAIN && errno != EINTR)) o->pending_length = 0;
  if (!o->pending_length && o->src.fd < 0) source_close(&o->sink);
}

static void pump_pty(struct output *o) {
  if (!o->pending && !(o->pending = malloc(PTY_CHUNK))) return;
  ssize_t n = read(o->src.fd, o->pending, PTY_CHUNK);
  if (n > 0) {
    o->pending_length = (size_t)n;
    flush_pending(o);
  } else if (n < 0 && is_shortage(errno)) {
    source_rest(&o->src);
  } else if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
    output_ended(o);
  }
}

static void pump_pipe(struct output *o) {
  ssize_t n = splice(o->src.fd, NULL, o->sink.fd, NULL, RELAY_SPLICE, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
  if (n > 0 || (n < 0 && errno == EINTR)) return;
  if (n == 0) return output_ended(o);
  if (is_shortage(errno)) return source_rest(&o->src);
  if (errno != EAGAIN) return source_close(&o->sink); /* its reader is gone for good: go on without */
  struct pollfd p = {.fd = o->src.fd, .events = POLLIN};
  if (poll(&p, 1, 0) > 0) { /* so it is the sink that is full */
    source_want(&o->src, 0);
    source_want(&o->sink, EPOLLOUT);
  }
}

bool sink_pump(struct output *o) {
  if (!o->channel->terminal) {
    pump_pipe(o);
    return false;
  }
  if (!o->pending_length) pump_pty(o);
  return true;
}

void sink_ready(struct source *s, uint32_t events) {
  (void)events;
  struct output *o = s->owner;
  if (o->pending_length) flush_pending(o);
  if (s->fd >= 0 && !o->pending_length) source_want(s, 0);
  if (o->src.fd >= 0 && !o->pending_length) source_want(&o->src, EPOLLIN);
  channel_update(o->channel);
}
