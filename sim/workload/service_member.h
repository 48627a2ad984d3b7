#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "node/node.h"
#include "observe/fact.h"
#include "protocol/ids.h"
#include "workload/spec.h"

// One member of a service (inventory, payment, fulfillment): polls its consumer, handles each order for as
// long as the service time says, and commits as its CommitMode says. Asked to stop, it handles and commits
// what it has polled, closes its consumer and ends.
//
// If it produces, it sends one record on for each order that it has handled. With CommitMode::transaction all
// that a poll leads to, records and offsets, is one transaction; one that fails is aborted, and its orders
// are read and handled again. A member that was fenced closes its clients and does no more. What handling an
// order does outside of Kafka (the card that is charged) happens before, and no abort takes it back.
// Otherwise it waits until what it has sent is acknowledged or has failed before it commits (but for
// auto-commit).
namespace sim::workload {

struct ServiceMemberBoot {
  ProcessId self;
  observe::ServiceId service;
  std::int32_t member = 0;
  ServiceSpec spec;
  std::vector<ProcessId> bootstrap;
  Rng rng;  // "service-time" is a child of this
};

// Its consumer's settings: a member of its own name and, with static membership, of its own instance id.
client::ConsumerConfig consumer_config(const ServiceMemberBoot& boot);

// With several workers it is a PooledMember.
std::unique_ptr<node::Node> boot_service_member(const ServiceMemberBoot& boot);

}  // namespace sim::workload
