#pragma once

#include <compare>
#include <cstdint>

#include "base/check.h"
#include "protocol/envelope.h"

// The parts that processes are made of. Whatever comes back to a process names the part that it is for: a
// timer and a write carry the part that set or asked for them, and what comes over a connection is for the
// part that the connection's lane belongs to. So taking an input to its part is one switch (SharedServer,
// Broker).
namespace sim::node {

enum class Part : std::uint8_t {
  // ---- Of a server
  raft,                     // raft::Replica
  controller,               // controller::QuorumController
  controller_registration,  // server::ControllerRegistration
  broker,                   // broker::Broker itself: requests of clients and followers
  lifecycle,                // broker::Lifecycle
  forwarding,               // the broker's channel to the controller, for itself and its clients
  replica_manager,          // replica::ReplicaManager
  alter_partition,          // replica::AlterPartitionManager
  directory_assignments,    // replica::DirectoryAssignments
  fetchers,                 // all fetcher::ReplicaFetcher of a broker
  group_coordinator,        // group::GroupCoordinator
  // ---- Of an application
  application,
  client,  // its producer, consumer or admin client
  // ---- Of a server, for transactions
  transaction_coordinator,  // transaction::TransactionCoordinator
  transaction_markers,      // its channels to the leaders that write markers
  add_partitions_to_txn,    // a leader's channels to the coordinators of its producers
};

// `number` is chosen by the part, from 0 on: the host keeps arrays by it. A part with many deadlines keeps
// them in a queue of its own behind one timer.
struct TimerId {
  Part part = Part::application;
  std::uint16_t number = 0;
  auto operator<=>(const TimerId&) const = default;
};

// Names one write; `number` is chosen by the part, and unique within an incarnation.
struct PersistId {
  Part part = Part::application;
  std::uint64_t number = 0;
  auto operator<=>(const PersistId&) const = default;
};

// Who opens connections of a lane, and hears what comes back on them.
constexpr Part client_of(Lane lane) {
  switch (lane) {
    case Lane::data:
    case Lane::coordinator:
    case Lane::producer: return Part::client;
    case Lane::heartbeat: return Part::lifecycle;
    case Lane::alter_partition: return Part::alter_partition;
    case Lane::forwarding: return Part::forwarding;
    case Lane::raft: return Part::raft;
    case Lane::directory_assignments: return Part::directory_assignments;
    case Lane::controller_registration: return Part::controller_registration;
    case Lane::transaction_markers: return Part::transaction_markers;
    case Lane::add_partitions_to_txn: return Part::add_partitions_to_txn;
    case Lane::replica_fetcher: break;
  }
  return Part::fetchers;  // with its index added
}

// Who answers requests on a lane.
constexpr Part server_of(Lane lane) {
  switch (lane) {
    case Lane::heartbeat:
    case Lane::alter_partition:
    case Lane::forwarding:
    case Lane::directory_assignments:
    case Lane::controller_registration: return Part::controller;
    case Lane::raft: return Part::raft;
    case Lane::data:
    case Lane::coordinator:
    case Lane::producer:
    case Lane::transaction_markers:
    case Lane::add_partitions_to_txn:
    case Lane::replica_fetcher: break;
  }
  return Part::broker;
}

}  // namespace sim::node
