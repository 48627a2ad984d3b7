#include <memory>
#include <utility>

#include "broker/broker.h"
#include "broker/metadata_follower.h"

// Interim: a broker in a process of its own.
namespace sim::broker {

namespace {

class BrokerProcess final : public node::Node {
 public:
  BrokerProcess(const BrokerBoot& boot, const node::DurableImage& image)
      : broker_(boot, image), metadata_(boot.self, boot.id, boot.controllers.front()) {}

  std::unique_ptr<node::Node> clone() const override { return std::make_unique<BrokerProcess>(*this); }

  void step(node::Input& input, node::Env env, node::Effects& out) override {
    if (std::holds_alternative<node::Started>(input)) {
      broker_.start(env, out);
      broker_.set_controller(metadata_.controller(), env, out);
      metadata_.start(env, out);
    } else if (std::holds_alternative<node::StopRequested>(input)) {
      broker_.stop(env, out);
    } else if (metadata_.owns(input)) {
      broker_.replay(metadata_.step(input, env, out), env, out);
    } else if (broker_.owns(input)) {
      broker_.step(input, env, out);
    }
    if (broker_.has_stopped()) out.emplace_back(node::Exit{});
  }

 private:
  Broker broker_;
  MetadataFollower metadata_;
};

}  // namespace

std::unique_ptr<node::Node> boot_broker(const BrokerBoot& boot, const node::DurableImage& image) {
  return std::make_unique<BrokerProcess>(boot, image);
}

}  // namespace sim::broker
