// Whom a broker asks (NodeToControllerChannelManager).
#include "server/controller_channel.h"

#include <doctest/doctest.h>

#include <vector>

#include "node/node.h"

namespace sim::server {
namespace controller_channel_test {

constexpr ProcessId kSelf{1}, kOld{10}, kNew{11};
constexpr Lane kLane = Lane::alter_partition;

std::vector<ProcessId> connects(const node::Effects& out) {
  std::vector<ProcessId> servers;
  for (const node::Effect& effect : out) {
    if (const auto* connect = std::get_if<node::Connect>(&effect)) servers.push_back(connect->channel.server);
  }
  return servers;
}

struct World {
  Rng rng{1, "controller-channel"};
  node::Effects out;
  ControllerChannel::Answers answers;
  ControllerChannel channel{kSelf, kLane, std::chrono::seconds(60)};

  node::Env env() { return node::Env{LocalTime{}, rng}; }
  void leads(ProcessId controller) { channel.set_controller(controller, env(), out, answers); }
  void ask() { channel.send(AlterPartitionRequest{}, env(), out, answers); }
};

TEST_CASE("a channel without a request turns to the controller it hears of, and stays with it") {
  World world;
  world.leads(kOld);
  world.leads(kNew);  // the old one is still there, and will say NOT_CONTROLLER
  world.ask();
  CHECK(connects(world.out) == std::vector<ProcessId>{kOld});
}

TEST_CASE("a channel that knows no controller turns to the first it hears of") {
  World world;
  world.ask();
  CHECK(connects(world.out).empty());
  world.leads(kNew);
  CHECK(connects(world.out) == std::vector<ProcessId>{kNew});
}

}  // namespace controller_channel_test
}  // namespace sim::server
