#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>

#include "fault/fault.h"
#include "fault/print_target.h"
#include "scenario/tree.h"

// Whom a fault hits, as one writes it: broker-2, controller-1, rack(a), controller (the active one),
// leader(orders-0), follower(orders-0, 1), coordinator(payment), client(payment[1]), random(brokers, 1),
// brokers, controllers, clients.
namespace sim::scenario {

struct TargetRole {
  std::string_view form;  // as one writes it
  std::string_view meaning;
};
// Every form that a target may have.
std::span<const TargetRole> target_roles();

struct ReadTarget {
  // A controller's id is its number here: which node id that is depends on the cluster.
  std::optional<fault::Target> target;
  std::string problem;  // without one: "is no target"
  std::string hint;
};

// Names of `let`, each of which is a target as well.
using FixedNames = std::set<std::string, std::less<>>;
FixedNames fixed_names(const Value& root);

ReadTarget read_target(std::string_view text, const FixedNames& fixed = {});

// "leader(orders-0) at 29s"
struct ReadFixedTarget {
  ReadTarget target;
  std::int64_t at_ns = 0;
};
ReadFixedTarget read_fixed_target(std::string_view text);

// orders-0: what follows the last dash is the partition.
std::optional<NamedPartition> read_partition(std::string_view text);

using fault::print_target;  // reads back as the same target

// A few of each kind, for messages.
inline constexpr std::string_view kTargetExamples =
    "broker-2, controller-1, controller, leader(orders-0), follower(orders-0, 1), coordinator(payment), "
    "client(payment[1]), rack(a), random(brokers, 1), brokers, controllers, clients";

}  // namespace sim::scenario
