#pragma once

#include <memory>

#include "node/node.h"
#include "workload/service_member.h"

// A member of a service with a pool of workers (ServiceSpec::workers): the thread that polls hands orders on
// and goes on polling, so that max.poll.interval.ms is kept however long an order takes. While
// max.poll.records orders wait for a worker, its partitions are paused.
//
// Side by side are handled orders of different partitions, of different keys, or any (WorkOrder); an order
// without a key is bound by none. What is committed: with auto-commit, what was polled, finished or not,
// which is how orders get lost; with CommitMode::after_batch, whenever nothing waits any more, and otherwise
// every auto.commit.interval.ms, what is finished by CommitPosition. Partitions that it has lost it finishes
// all the same, and does not commit. Asked to stop, it finishes what it has, commits and closes.
namespace sim::workload {

// REQUIRES: boot.spec.workers > 1; boot.spec.commit is auto_commit or after_batch
std::unique_ptr<node::Node> boot_pooled_member(const ServiceMemberBoot& boot);

}  // namespace sim::workload
