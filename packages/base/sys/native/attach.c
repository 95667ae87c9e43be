/* Attach sockets: greeting, Docker's stdcopy frames out, raw input in. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "relay.h"

#define GREETING_MOST 8192
#define QUEUE_SIZE (RELAY_CHUNK + 4096)
#define CLIENTS_MOST 1024

static struct listener *listeners;
static struct client *all_clients;
static int client_count, last_client_id;

static void unlink_from_channel(struct client *c) {
  if (!c->channel) return;
  struct client **link = &c->channel->clients;
  while (*link && *link != c) link = &(*link)->next_in_channel;
  if (*link) *link = c->next_in_channel;
}

void client_destroy(struct client *c) {
  if (c->freed) return;
  c->freed = c->gone = true;
  struct channel *ch = c->channel;
  unlink_from_channel(c);
  c->channel = NULL;
  struct client **link = &all_clients;
  while (*link && *link != c) link = &(*link)->next;
  if (*link) *link = c->next;
  client_count--;
  source_close(&c->src);
  source_close(&c->control);
  free(c->greeting);
  free(c->queue);
  relay_free(c);
  if (ch) channel_update(ch);
}

bool client_has_room(const struct client *c, size_t size) {
  return c->gone || c->state == CLIENT_CLOSING || (!c->held && c->queue_length + size + 8 <= QUEUE_SIZE);
}

bool clients_idle(const struct channel *ch) {
  for (const struct client *c = ch->clients; c; c = c->next_in_channel)
    if (!c->gone && c->queue_length > 0) return false;
  return true;
}

/* The client has closed: what it sent before still counts, what it would get does not. */
static void client_gone(struct client *c) {
  c->gone = true;
  c->queue_length = 0;
  if (c->state != CLIENT_ATTACHED || !c->in || c->in_ended) client_destroy(c);
  else {
    struct channel *ch = c->channel;
    client_update(c);
    if (ch) channel_update(ch);
  }
}

/* Queues what the socket does not take. False when the client had to be dropped. */
bool client_push(struct client *c, const struct iovec *parts, int count) {
  size_t total = 0, sent = 0;
  for (int i = 0; i < count; i++) total += parts[i].iov_len;
  if (c->queue_length == 0 && !c->held) {
    struct msghdr message = {.msg_iov = (struct iovec *)parts, .msg_iovlen = (size_t)count};
    ssize_t n = sendmsg(c->src.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR && !is_shortage(errno)) {
      client_gone(c);
      return false;
    }
    sent = n < 0 ? 0 : (size_t)n;
  }
  if (sent == total) return true;
  if (c->queue_offset + c->queue_length + total - sent > c->queue_size) {
    if (c->queue_length) memmove(c->queue, c->queue + c->queue_offset, c->queue_length);
    c->queue_offset = 0;
    size_t wanted = c->queue_length + total - sent;
    if (wanted < QUEUE_SIZE) wanted = QUEUE_SIZE;
    uint8_t *queue = wanted > c->queue_size ? realloc(c->queue, wanted) : c->queue;
    if (!queue) {
      client_gone(c);
      return false;
    }
    if (wanted > c->queue_size) c->queue_size = wanted;
    c->queue = queue;
  }
  for (int i = 0; i < count; i++) {
    size_t skip = sent < parts[i].iov_len ? sent : parts[i].iov_len;
    sent -= skip;
    memcpy(c->queue + c->queue_offset + c->queue_length, (uint8_t *)parts[i].iov_base + skip, parts[i].iov_len - skip);
    c->queue_length += parts[i].iov_len - skip;
  }
  client_update(c);
  return true;
}

void client_send(struct client *c, int stream, const uint8_t *data, size_t length) {
  if (c->gone || c->state != CLIENT_ATTACHED) return;
  uint8_t header[8] = {(uint8_t)stream, 0, 0, 0, (uint8_t)(length >> 24), (uint8_t)(length >> 16), (uint8_t)(length >> 8), (uint8_t)length};
  struct iovec parts[2] = {{header, sizeof header}, {(void *)data, length}};
  if (c->framed) client_push(c, parts, 2);
  else client_push(c, parts + 1, 1);
}

void client_flush(struct client *c) {
  while (c->queue_length > 0) {
    ssize_t n = send(c->src.fd, c->queue + c->queue_offset, c->queue_length, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno == EAGAIN) return;
    if (n < 0 && is_shortage(errno)) return source_rest(&c->src);
    if (n <= 0) return client_gone(c);
    c->queue_offset += (size_t)n;
    c->queue_length -= (size_t)n;
  }
  c->queue_offset = 0;
  if (c->state == CLIENT_CLOSING) return client_destroy(c);
  if (c->channel) channel_update(c->channel);
}

/* Nothing more will come for it. The queue is still sent, then the connection is closed. */
void client_finish(struct client *c) {
  if (c->state == CLIENT_CLOSING) return;
  c->state = CLIENT_CLOSING;
  c->in = false;
  if (c->queue_length == 0 || c->gone) client_destroy(c);
  else client_update(c);
}

void client_update(struct client *c) {
  if (c->freed) return;
  uint32_t events = 0;
  if (c->state == CLIENT_GREETING) events |= EPOLLIN;
  if (c->held) events |= EPOLLIN;
  else if (c->state == CLIENT_ATTACHED && c->in && !c->in_ended && input_wants(c->channel)) events |= EPOLLIN;
  if (c->queue_length > 0 && !c->held) events |= EPOLLOUT;
  if (events) source_want(&c->src, events);
  else if (c->gone) source_want(&c->src, 0);
  else source_hold(&c->src);
}

void client_input_ended(struct client *c) {
  c->in_ended = true;
  if (c->closes_stdin) input_close(c->channel);
  if (c->gone) client_destroy(c);
  else client_update(c);
}

void client_feed(struct client *c) {
  if (c->freed) return;
  size_t n = c->greeting_length - c->greeting_offset; /* came together with the greeting */
  if (n > 0 && c->state == CLIENT_ATTACHED && input_wants(c->channel)) {
    c->greeting_offset = c->greeting_length;
    if (!detach_give(c, (uint8_t *)c->greeting + c->greeting_length - n, n)) return;
  }
  client_update(c);
}

static void read_input(struct client *c) {
  if (!input_wants(c->channel)) return client_update(c);
  struct channel *ch = c->channel;
  if (c->key_count == 0 && splice_input(ch, c->src.fd)) return input_update(ch);
  ssize_t n = recv(c->src.fd, relay_buffer, DETACH_INPUT, MSG_DONTWAIT);
  if (n < 0 && is_shortage(errno)) return source_rest(&c->src);
  if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return client_input_ended(c);
  if (n > 0) detach_give(c, relay_buffer, (size_t)n);
  input_update(ch);
}

static void read_greeting(struct client *c) {
  ssize_t n = recv(c->src.fd, c->greeting + c->greeting_length, GREETING_MOST - c->greeting_length, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n < 0 && is_shortage(errno)) return source_rest(&c->src);
  if (n <= 0) return client_destroy(c);
  c->greeting_length += (size_t)n;
  char *end = memchr(c->greeting, '\n', c->greeting_length);
  if (!end) {
    if (c->greeting_length == GREETING_MOST) client_destroy(c);
    return;
  }
  c->greeting_offset = (size_t)(end - c->greeting) + 1;
  c->state = CLIENT_WAITING;
  client_update(c);
  relay_post(EVENT_CONNECTED, c->listener_id, c->id, 0, 0, c->greeting, c->greeting_offset - 1);
}

void client_ready(struct source *s, uint32_t events) {
  struct client *c = s->owner;
  if (c->held) return handover_receive(c);
  if (events & EPOLLOUT) client_flush(c);
  if (c->freed) return;
  if ((events & (EPOLLHUP | EPOLLERR)) && !c->gone) {
    if (c->state != CLIENT_GREETING) client_gone(c);
    if (c->freed) return;
  }
  if (!(events & (EPOLLIN | EPOLLHUP))) return;
  if (c->state == CLIENT_GREETING) read_greeting(c);
  else if (c->state == CLIENT_ATTACHED && c->in && !c->in_ended) read_input(c);
}

static struct client *client_find(int id) {
  struct client *c = all_clients;
  while (c && c->id != id) c = c->next;
  return c && c->state == CLIENT_WAITING ? c : NULL;
}

/* The reply, a line of JSON, with the place that the log has come to. */
static const char *with_log_end(char *to, size_t size, const char *reply, const struct jsonlog *log) {
  struct stat st;
  bool known = log && !fstat(log->fd, &st);
  int body = (int)strcspn(reply, "}");
  snprintf(to, size, "%.*s,\"log\":{\"file\":\"%ju:%ju\",\"size\":%jd}}\n", body, reply, known ? (uintmax_t)st.st_dev : 0, known ? (uintmax_t)st.st_ino : 0, known ? (intmax_t)log->size : 0);
  return to;
}

/* The log ends where this line began: who is shown that needs the rest as well. */
static void send_unfinished(struct client *c, struct channel *ch) {
  for (int i = 0; i < 2; i++) {
    struct output *o = &ch->outputs[i];
    if (c->outs[i] && o->line.length > 0) client_send(c, o->number, o->line.text, o->line.length);
  }
}

/* flags: 1 stdin, 2 stdout, 4 stderr, 8 the end of its input is the end of the process's stdin, 16 hands over, 32 is given the log first */
void client_accept(int id, int channel_id, unsigned flags, const char *reply, const uint8_t *keys, size_t key_count) {
  struct client *c = client_find(id);
  if (!c) return;
  struct channel *ch = channel_find(channel_id);
  if (!ch || ch->released || !detach_wants(c, keys, key_count)) return client_destroy(c);
  c->state = CLIENT_ATTACHED;
  c->channel = ch;
  c->next_in_channel = ch->clients;
  ch->clients = c;
  c->in = flags & 1;
  c->outs[0] = flags & 2;
  c->outs[1] = flags & 4;
  c->closes_stdin = flags & 8;
  c->framed = !ch->terminal;
  c->after_log = flags & 32;
  char told[512];
  if (c->after_log) reply = with_log_end(told, sizeof told, reply, ch->log);
  struct iovec line = {(void *)reply, strlen(reply)};
  if (!client_push(c, &line, 1)) return;
  c->held = (flags & 16) || c->after_log;
  if (c->after_log && ch->log) send_unfinished(c, ch);
  if (c->freed) return;
  if (c->in) input_update(ch);
  else client_update(c);
  channel_update(ch);
}

void client_refuse(int id, const char *reply) {
  struct client *c = client_find(id);
  if (!c) return;
  struct iovec line = {(void *)reply, strlen(reply)};
  if (client_push(c, &line, 1)) client_finish(c);
}

static void listener_ready(struct source *s, uint32_t events) {
  (void)events;
  struct listener *l = s->owner;
  for (;;) {
    int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0 && (errno == EINTR || errno == ECONNABORTED)) continue;
    if (fd < 0 && errno != EAGAIN) return source_rest(s); /* who waits would else be told of at once, again and again */
    if (fd < 0) return;
    struct client *c = client_count < CLIENTS_MOST ? calloc(1, sizeof *c) : NULL;
    if (!c || !(c->greeting = malloc(GREETING_MOST))) {
      free(c);
      close(fd);
      continue;
    }
    client_count++;
    c->id = ++last_client_id;
    c->listener_id = l->id;
    c->next = all_clients;
    all_clients = c;
    source_init(&c->src, fd, client_ready, c);
    c->control.fd = -1;
    client_update(c);
  }
}

void listener_add(struct listener *l) {
  l->next = listeners;
  listeners = l;
  source_init(&l->src, l->src.fd, listener_ready, l);
  source_want(&l->src, EPOLLIN);
}

void listener_remove(int id) {
  struct listener **link = &listeners;
  while (*link && (*link)->id != id) link = &(*link)->next;
  struct listener *l = *link;
  if (!l) return;
  *link = l->next;
  source_close(&l->src);
  unlink(l->path);
  free(l->path);
  relay_free(l);
}

void attach_destroy(void) {
  while (listeners) listener_remove(listeners->id);
  while (all_clients) client_destroy(all_clients);
}
