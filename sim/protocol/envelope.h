#pragma once

#include <cstdint>

#include "protocol/ids.h"
#include "protocol/messages.h"

namespace sim {

// What a connection is for. Kafka keeps one TCP connection per (client, node, role): a consumer
// talks to its coordinator on another connection than it fetches on, and a broker's heartbeats,
// ISR changes and forwarded requests travel apart from each other.
enum class Lane : std::uint8_t {
  data,             // producer; consumer fetches and metadata
  coordinator,      // consumer to its group coordinator
  replica_fetcher,  // + fetcher index
  heartbeat = 64,
  alter_partition,
  forwarding,
  raft,
  directory_assignments,
  controller_registration,
  transaction_markers,    // a transaction coordinator's, to the leaders (TransactionMarkerChannelManager)
  add_partitions_to_txn,  // a leader's, to the coordinators (AddPartitionsToTxnManager)
  producer,               // of an application that has a consumer beside it
};

// One TCP connection, named by who opened it, to whom, and what for. At most one is open per name.
struct Channel {
  ProcessId client = kNoProcess;
  ProcessId server = kNoProcess;
  Lane lane = Lane::data;
  auto operator<=>(const Channel&) const = default;
};

using CorrelationId = std::int32_t;

// A message on its way. Requests go from channel.client to channel.server, responses back, with
// the request's correlation id.
struct Envelope {
  Channel channel;
  CorrelationId correlation = 0;
  bool response = false;
  Message message;
  // A response's throttle_time_ms: the server reads no more from the connection for so long, and its client
  // sends no more on it.
  std::int32_t throttle_ms = 0;
  std::int32_t thread_nanos = 0;  // a request's, as its server knows: how long a thread has handled it

  ProcessId from() const { return response ? channel.server : channel.client; }
  ProcessId to() const { return response ? channel.client : channel.server; }
};

}  // namespace sim
