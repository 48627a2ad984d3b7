#include "fault/print_target.h"

#include "base/overloaded.h"

namespace sim::fault {

std::string_view name_of(Pool pool) {
  switch (pool) {
    case Pool::brokers: return "brokers";
    case Pool::controllers: return "controllers";
    case Pool::clients: return "clients";
  }
  return "?";
}

std::string print_target(const Target& target) {
  const auto partition = [](const auto& of) { return of.topic + "-" + std::to_string(of.partition); };
  return std::visit(
      Overloaded{
          [](const BrokerTarget& broker) { return "broker-" + std::to_string(broker.id.value()); },
          [](const ControllerTarget& controller) {
            return "controller-" + std::to_string(controller.id.value());
          },
          [](const RackTarget& rack) { return "rack(" + rack.rack + ")"; },
          [](const ActiveController&) { return std::string("controller"); },
          [&](const LeaderOf& leader) { return "leader(" + partition(leader) + ")"; },
          [&](const FollowerOf& follower) {
            return "follower(" + partition(follower) + ", " + std::to_string(follower.ordinal) + ")";
          },
          [](const CoordinatorOf& coordinator) { return "coordinator(" + coordinator.group + ")"; },
          [](const ClientTarget& client) {
            return "client(" + client.name +
                   (client.member ? "[" + std::to_string(*client.member) + "]" : "") + ")";
          },
          [](const AllOf& all) { return std::string(name_of(all.pool)); },
          [](const RandomOf& random) {
            return "random(" + std::string(name_of(random.pool)) + ", " + std::to_string(random.count) + ")";
          },
          [](const FixedTarget& fixed) { return fixed.name; },
      },
      target);
}

}  // namespace sim::fault
