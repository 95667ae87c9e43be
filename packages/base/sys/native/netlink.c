/* Requests to the kernel over a netlink socket. */
#include "job.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#define ANSWER_MOST (64 << 10)

struct request {
  struct job job;
  int fd;
  uint8_t *data;
  size_t length;
  uint8_t *answer;
  size_t answer_length;
};

/* The kernel has handled all messages, and queued its answers, when send returns. */
static void perform(struct job *job) {
  struct request *r = (struct request *)job;
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  ssize_t n;
  do n = sendto(r->fd, r->data, r->length, 0, (struct sockaddr *)&kernel, sizeof kernel);
  while (n < 0 && errno == EINTR);
  if (n < 0) {
    job->error = errno;
    return;
  }
  while (r->answer_length < ANSWER_MOST) {
    n = recv(r->fd, r->answer + r->answer_length, ANSWER_MOST - r->answer_length, MSG_DONTWAIT | MSG_TRUNC);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN) job->error = errno;
    if (n <= 0) return;
    if ((size_t)n > ANSWER_MOST - r->answer_length) break;
    r->answer_length += (size_t)n;
  }
  job->error = EMSGSIZE;
}

static napi_value answer(napi_env env, struct job *job) {
  struct request *r = (struct request *)job;
  napi_value value;
  void *copy;
  napi_create_buffer_copy(env, r->answer_length, r->answer, &copy, &value);
  return value;
}

static void dispose(struct job *job) {
  struct request *r = (struct request *)job;
  free(r->data);
  free(r->answer);
}

/* netlinkRequest(fd, messages): a promise of all that the kernel answered. The descriptor stays open until then. */
METHOD(netlink_request) {
  int fd = (int)arg_int(c, 0);
  size_t length = 0;
  uint8_t *bytes = arg_bytes(c, 1, &length);
  if (c->failed) return NULL;
  struct request *r = calloc(1, sizeof *r);
  if (!r || !(r->data = malloc(length)) || !(r->answer = malloc(ANSWER_MOST))) {
    if (r) free(r->data);
    free(r);
    return throw_errno(c, ENOMEM, "sendto", NULL, NULL);
  }
  memcpy(r->data, bytes, length);
  r->length = length;
  r->fd = fd;
  r->job = (struct job){.perform = perform, .result = answer, .dispose = dispose, .syscall = "netlink"};
  return run_job(c, &r->job);
}

void register_netlink(napi_env env, napi_value exports) { export_method(env, exports, "netlinkRequest", netlink_request); }
