/* Requests to the kernel over a netlink socket. */
#include "addon.h"

#include <linux/netlink.h>
#include <sys/socket.h>

#define ANSWER_MOST (64 << 10)

struct request {
  napi_async_work work;
  napi_deferred deferred;
  int fd, error;
  uint8_t *data;
  size_t length;
  uint8_t *answer;
  size_t answer_length;
};

/* The kernel has handled all messages, and queued its answers, when send returns. */
static void perform(napi_env env, void *data) {
  (void)env;
  struct request *r = data;
  struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
  ssize_t n;
  do n = sendto(r->fd, r->data, r->length, 0, (struct sockaddr *)&kernel, sizeof kernel);
  while (n < 0 && errno == EINTR);
  if (n < 0) {
    r->error = errno;
    return;
  }
  while (r->answer_length < ANSWER_MOST) {
    n = recv(r->fd, r->answer + r->answer_length, ANSWER_MOST - r->answer_length, MSG_DONTWAIT | MSG_TRUNC);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 && errno != EAGAIN) r->error = errno;
    if (n <= 0) return;
    if ((size_t)n > ANSWER_MOST - r->answer_length) break;
    r->answer_length += (size_t)n;
  }
  r->error = EMSGSIZE;
}

static void complete(napi_env env, napi_status status, void *data) {
  struct request *r = data;
  napi_value value, text;
  if (status == napi_ok && !r->error) {
    void *copy;
    napi_create_buffer_copy(env, r->answer_length, r->answer, &copy, &value);
    napi_resolve_deferred(env, r->deferred, value);
  } else {
    const char *name = errno_name(r->error ? r->error : ECANCELED);
    napi_create_string_utf8(env, name, NAPI_AUTO_LENGTH, &text);
    napi_create_error(env, text, text, &value);
    napi_reject_deferred(env, r->deferred, value);
  }
  napi_delete_async_work(env, r->work);
  free(r->data);
  free(r->answer);
  free(r);
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
  napi_value name, promise;
  napi_create_string_utf8(c->env, "netlink", NAPI_AUTO_LENGTH, &name);
  napi_create_promise(c->env, &r->deferred, &promise);
  napi_create_async_work(c->env, NULL, name, perform, complete, r, &r->work);
  napi_queue_async_work(c->env, r->work);
  return promise;
}

void register_netlink(napi_env env, napi_value exports) { export_method(env, exports, "netlinkRequest", netlink_request); }
