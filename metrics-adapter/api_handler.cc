#include "metrics-adapter/api_handler.h"

#include "metrics-adapter/status_body.h"

namespace mcpfleet::adapter {

struct ApiHandler::Pending {
  http::Request request;
  http::Respond respond;
  Target target;
  AccessRequest access;
  MonotonicTime started;
};

void ApiHandler::handle(http::Request request, http::Respond respond) {
  auto pending = std::make_shared<Pending>();
  pending->started = clock_.monotonic();
  pending->request = std::move(request);
  pending->respond = std::move(respond);
  auto target = parse_target(pending->request.target);
  if (!target) return finish(*pending, error_response(target.error()));
  pending->target = std::move(*target);
  if (auto probe = answer_probe(pending->target, checks_))
    return finish(*pending, std::move(*probe));
  const bool forgets = pending->request.method == "DELETE" && remembered(pending->target);
  if (pending->request.method != "GET" && !forgets)
    return finish(*pending, status_response(405, "only GET is served, and DELETE of histories"));
  pending->access = access_of(pending->target);
  if (forgets) pending->access.verb = "delete";
  if (is_past(pending->target)) return wait_for(std::move(pending));

  const auto identity = gatekeeper_.identify_now(pending->request);
  if (!identity) return wait_for(std::move(pending));
  if (!*identity) return finish(*pending, error_response(identity->error()));
  const auto allowed = gatekeeper_.authorize_now(**identity, pending->access);
  if (!allowed) return wait_for(std::move(pending));
  if (!*allowed) return finish(*pending, error_response(allowed->error()));
  proceed(std::move(pending));
}

// Asks the API server, and answers, on a thread that may wait.
void ApiHandler::wait_for(std::shared_ptr<Pending> pending) {
  const bool taken = pool_.submit([this, pending] {
    const auto identity = gatekeeper_.identify(pending->request);
    if (!identity) return finish(*pending, error_response(identity.error()));
    const auto allowed = gatekeeper_.authorize(*identity, pending->access);
    if (!allowed) return finish(*pending, error_response(allowed.error()));
    proceed(pending);
  });
  if (!taken)
    finish(*pending, status_response(429, "too many requests wait for their identity or rights"));
}

void ApiHandler::proceed(std::shared_ptr<Pending> pending) {
  if (!waits(pending->target, sources_)) return finish(*pending, answer(*pending));
  if (!answering_->submit([this, pending] { finish(*pending, answer(*pending)); }))
    finish(*pending, status_response(429, "too many requests wait for Prometheus"));
}

http::Response ApiHandler::answer(const Pending& pending) const {
  if (is_past(pending.target))
    return history_ != nullptr
               ? history_->answer(pending.request.method, pending.target, clock_.wall())
               : status_response(404, "no histories are kept (--history=false)");
  if (is_resource(pending.target))
    return answer_metric_request(pending.target, sources_, {clock_.wall(), clock_.monotonic()});
  if (auto found = discovery_.answer(pending.target, pending.request.headers)) return *found;
  if (auto found = openapi_.answer(pending.target, pending.request.headers)) return *found;
  if (pending.target.path == "/metrics")
    return http::text_response(200, metrics_.exposition(),
                               "text/plain; version=0.0.4; charset=utf-8");
  return status_response(404, "the server could not find the requested resource");
}

void ApiHandler::finish(Pending& pending, http::Response response) {
  metrics_.count_request(response.status, clock_.monotonic() - pending.started);
  pending.respond(std::move(response));
}

}  // namespace mcpfleet::adapter
