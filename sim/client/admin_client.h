#pragma once

#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

#include "client/client_metadata.h"
#include "client/config.h"
#include "node/network_client.h"
#include "node/node.h"
#include "protocol/messages.h"

// Kafka's admin client (KafkaAdminClient), for one call at a time. A value, owned by the process of its
// application.
//
// A call goes to the controller, as metadata names it (with KRaft any broker, which passes it on), or to the
// least loaded node. It is tried again after a lost connection, a request timeout or NOT_CONTROLLER, with
// retry.backoff.ms growing to retry.backoff.max.ms, until default.api.timeout.ms is over. So what was carried
// out may be asked for again, if only its answer was lost.
//
// Left out: several calls at once.
namespace sim::client {

struct AdminConfig : CommonClientConfig {
  std::int32_t default_api_timeout_ms = 60'000;
};

class AdminClient {
 public:
  enum class Whom : std::uint8_t { controller, least_loaded };
  // The answer, or REQUEST_TIMED_OUT (TimeoutException).
  using Outcome = std::variant<Message, ErrorCode>;

  AdminClient(AdminConfig config, ProcessId self, std::vector<ProcessId> bootstrap);

  // REQUIRES: none is under way
  void call(Message request, Whom whom, node::Env env, node::Effects& out);
  std::optional<Outcome> take_outcome() { return std::exchange(outcome_, std::nullopt); }

  // Inputs for Part::client.
  void step(node::Input& input, node::Env env, node::Effects& out);

 private:
  struct Call {
    Message request;
    Whom whom = Whom::controller;
    LocalTime deadline{};
    LocalTime next_try = LocalTime::min();
    std::int32_t tries = 0;
    std::optional<CorrelationId> in_flight{};
  };

  void handle(node::NetworkClient::Event& event, node::Env env);
  void try_again(node::Env env);
  void progress(node::Env env, node::Effects& out);
  void send(node::Env env, node::Effects& out);
  ProcessId server(node::Env env);

  AdminConfig config_;
  MetadataClient metadata_;
  node::NetworkClient network_;
  std::optional<Call> call_;
  std::optional<Outcome> outcome_;
};

}  // namespace sim::client
