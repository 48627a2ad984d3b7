#pragma once

#include <cstdint>

#include "client/client_metadata.h"
#include "client/consumer_network.h"
#include "client/subscription_state.h"
#include "node/node.h"
#include "observe/fact.h"

// What the parts of a consumer share for the length of one step. Nobody keeps it: a consumer is a value.
namespace sim::client {

struct ConsumerIdentity {  // for the facts it reports
  observe::ServiceId service;
  std::int32_t member = 0;
};

struct ConsumerContext {
  node::Env env;
  node::Effects& out;
  const ConsumerConfig& config;
  ConsumerIdentity identity;
  SubscriptionState& subscriptions;
  MetadataClient& metadata;
  ConsumerNetwork& data;          // brokers as such
  ConsumerNetwork& coordination;  // the same brokers as coordinator
  bool in_poll = false;           // the application is inside poll(), as a rebalance needs it
  bool in_commit_sync = false;

  LocalTime now() const { return env.now; }

  // Metadata.currentLeader: no leader if it is not known, or known to be stale.
  LeaderAndEpoch current_leader(TopicPartition tp) const {
    const MetadataClient::Partition* leader = metadata.leader_of(tp);
    if (leader == nullptr) return LeaderAndEpoch{kNoNode, metadata.last_seen_epoch(tp)};
    return LeaderAndEpoch{leader->leader, leader->leader_epoch};
  }
};

// What poll() or a commit throws at the application.
enum class ConsumerError : std::uint8_t {
  none,
  no_offset_for_partition,  // NoOffsetForPartitionException: no committed offset and auto.offset.reset=none
  offset_out_of_range,      // OffsetOutOfRangeException, for the same reason
  log_truncation,           // LogTruncationException, for the same reason
  corrupt_message,
  fenced_instance_id,
  group_max_size_reached,
  inconsistent_group_protocol,
  invalid_session_timeout,
  invalid_group_id,
  group_authorization_failed,
  unreleased_instance_id,  // KIP-848: another process is this static member
  unsupported_version,     // KIP-848: the brokers do not speak the protocol
  unsupported_assignor,
  unexpected,  // any other KafkaException
};

}  // namespace sim::client
