#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
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
// A call goes to the controller, as metadata names it (with KRaft any broker, which passes it on), to the
// least loaded node, to a node that its owner names, or to the coordinator of a group, which is looked for
// first (CoordinatorStrategy). It is tried again after a lost connection, a request timeout, NOT_CONTROLLER
// or a coordinator that is not (yet) there, with retry.backoff.ms growing to retry.backoff.max.ms, until
// default.api.timeout.ms is over. So what was carried out may be asked for again, if only its answer was
// lost.
//
// Left out: several calls at once.
namespace sim::client {

struct AdminConfig : CommonClientConfig {
  std::int32_t default_api_timeout_ms = 60'000;
};

class AdminClient {
 public:
  struct Controller {};
  struct LeastLoaded {};
  struct GroupCoordinator {
    std::string group;
  };
  using Whom = std::variant<Controller, LeastLoaded, NodeId, GroupCoordinator>;
  // The answer, or REQUEST_TIMED_OUT (TimeoutException).
  using Outcome = std::variant<Message, ErrorCode>;

  AdminClient(AdminConfig config, ProcessId self, std::vector<ProcessId> bootstrap);

  // Begun after a wait. REQUIRES: none is under way
  void call(Message request, Whom whom, node::Env env, node::Effects& out, Duration wait = {});
  std::optional<Outcome> take_outcome() { return std::exchange(outcome_, std::nullopt); }

  // Inputs for Part::client.
  void step(node::Input& input, node::Env env, node::Effects& out);

 private:
  struct Call {
    Message request;
    Whom whom;
    LocalTime deadline{};
    LocalTime next_try = LocalTime::min();
    std::int32_t tries = 0;
    std::optional<CorrelationId> in_flight{};
    ProcessId coordinator = kNoProcess;  // none: to be looked for
  };

  void handle(node::NetworkClient::Event& event, node::Env env);
  void answered(Message& response, node::Env env);
  void try_again(node::Env env);
  void progress(node::Env env, node::Effects& out);
  void send(node::Env env, node::Effects& out);
  bool looks_for_coordinator() const {
    return std::holds_alternative<GroupCoordinator>(call_->whom) && call_->coordinator == kNoProcess;
  }
  ProcessId server(node::Env env) const;

  AdminConfig config_;
  MetadataClient metadata_;
  node::NetworkClient network_;
  std::optional<Call> call_;
  std::optional<Outcome> outcome_;
};

}  // namespace sim::client
