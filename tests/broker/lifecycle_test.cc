#include "broker/lifecycle.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <utility>
#include <variant>
#include <vector>

#include "support/process_host.h"

namespace sim::broker {
namespace {

using namespace std::chrono_literals;

constexpr ProcessId kRegistering{10};
constexpr ProcessId kFirst{1};  // controllers
constexpr ProcessId kSecond{2};

// A life whose controllers the test plays: connections open at once, requests wait to be answered.
class Script {
 public:
  explicit Script(std::uint32_t incarnation = 1, BrokerEpoch previous = kNoBrokerEpoch)
      : life({kRegistering, NodeId{4}, "rack-a", Incarnation{incarnation}, previous}, config) {}

  // ---- What happens
  void start(ProcessId controller = kFirst) {
    act([&](const Context& context) {
      life.start(context);
      life.set_controller(controller, context);
    });
  }
  void learn(ProcessId controller) {
    act([&](const Context& context) { life.set_controller(controller, context); });
  }
  void ready() {
    act([&](const Context& context) { life.set_ready_to_unfence(context); });
  }
  void stop() {
    act([&](const Context& context) { life.begin_controlled_shutdown(context); });
  }
  void run_for(Duration duration) {
    const LocalTime end = host.now + duration;
    while (auto input = host.next_until(end)) feed(std::move(*input));
  }
  void answer(Message message) {
    REQUIRE(!requests.empty());
    const Envelope request = std::exchange(requests, {}).front();
    feed(node::Received{Envelope{request.channel, request.correlation, true, std::move(message)}});
  }
  void register_with(std::int64_t broker_epoch) {
    answer(BrokerRegistrationResponse{ErrorCode::none, BrokerEpoch{broker_epoch}});
  }
  void heartbeat(bool caught_up, bool fenced, bool shut_down = false) {
    answer(BrokerHeartbeatResponse{ErrorCode::none, caught_up, fenced, shut_down});
  }
  void lose_connection() {
    REQUIRE(!requests.empty());
    const Channel channel = std::exchange(requests, {}).front().channel;
    feed(node::Disconnected{channel, node::DisconnectReason::reset});
  }
  void run_up() {
    start();
    register_with(50);
    heartbeat(true, true);
    ready();
    heartbeat(true, false);
    REQUIRE(life.state() == BrokerState::running);
  }

  // ---- What it does
  template <class M>
  const M& asks() {
    REQUIRE(requests.size() == 1);
    REQUIRE(std::holds_alternative<M>(requests.front().message));
    return std::get<M>(requests.front().message);
  }
  // How long it takes until it asks again.
  Duration silence() {
    REQUIRE(requests.empty());
    const LocalTime from = host.now;
    while (requests.empty() && host.now - from < 120s) run_for(1ms);
    return host.now - from;
  }

  std::vector<Envelope> requests;  // in flight
  sim::test::ProcessHost host{Rng(1, "lifecycle")};
  BrokerConfig config;
  Lifecycle life;
  metadata::MetadataImage image;

 private:
  template <class F>
  void act(F does) {
    node::Effects out;
    does(Context{host.env(), out, image, config, NodeId{4}, life.broker_epoch()});
    host.perform(out, [this](Envelope&& sent) {
      if (std::holds_alternative<ApiVersionsRequest>(sent.message)) {
        host.answer(sent, ApiVersionsResponse{});
      } else {
        requests.push_back(std::move(sent));
      }
    });
    while (!host.inputs.empty()) feed(std::move(*host.next_until(host.now)));
  }
  void feed(node::Input input) {
    act([&](const Context& context) { life.step(input, context); });
  }
};

TEST_CASE("a broker registers, catches up, is unfenced, and heartbeats") {
  Script script(3, BrokerEpoch{40});
  script.start();
  CHECK(script.life.state() == BrokerState::starting);
  const auto& registration = script.asks<BrokerRegistrationRequest>();
  CHECK(registration.broker == NodeId{4});
  CHECK(registration.incarnation == 3);
  CHECK(registration.rack == "rack-a");
  CHECK(registration.previous_broker_epoch == BrokerEpoch{40});
  script.register_with(50);

  // Every 10 ms, until the controller has seen it catch up
  for (int i = 0; i < 3; ++i) {
    const auto& heartbeat = script.asks<BrokerHeartbeatRequest>();
    CHECK(heartbeat.broker_epoch == BrokerEpoch{50});
    CHECK(heartbeat.current_metadata_offset == -1);
    CHECK(heartbeat.want_fence);
    script.heartbeat(false, true);
    CHECK(script.silence() == 10ms);
  }
  script.image.replay(NoOpRecord{});
  script.heartbeat(true, true);
  CHECK(script.life.state() == BrokerState::recovery);
  CHECK(script.silence() == 10ms);
  CHECK(script.asks<BrokerHeartbeatRequest>().want_fence);
  CHECK(script.asks<BrokerHeartbeatRequest>().current_metadata_offset == 0);

  // Ready while a heartbeat is under way: the next one follows its answer at once
  script.ready();
  script.heartbeat(true, true);
  CHECK(script.life.state() == BrokerState::recovery);
  CHECK_FALSE(script.asks<BrokerHeartbeatRequest>().want_fence);
  script.heartbeat(true, false);
  CHECK(script.life.state() == BrokerState::running);
  CHECK(script.silence() == 2s);
  script.heartbeat(true, false);
  CHECK(script.silence() == 2s);
}

TEST_CASE("the first life goes on from one that was up: it never asks to be fenced") {
  Script script(0);
  script.start();
  CHECK(script.asks<BrokerRegistrationRequest>().incarnation == 0);
  script.register_with(1);
  CHECK_FALSE(script.asks<BrokerHeartbeatRequest>().want_fence);
}

TEST_CASE(
    "while the session of its last life is valid, a broker is refused, and asks again every two seconds") {
  Script script;
  script.start();
  for (int refused = 0; refused < 6; ++refused) {
    script.answer(BrokerRegistrationResponse{ErrorCode::duplicate_broker_registration});
    CHECK(script.silence() == 2s);  // broker.heartbeat.interval.ms
    script.asks<BrokerRegistrationRequest>();
  }
  script.register_with(50);
  CHECK(script.asks<BrokerHeartbeatRequest>().broker_epoch == BrokerEpoch{50});
}

TEST_CASE("a broker that cannot register for a minute gives up") {
  Script script;
  script.start(kNoProcess);
  script.run_for(59999ms);
  CHECK(script.life.state() == BrokerState::starting);
  script.run_for(1ms);
  CHECK(script.life.state() == BrokerState::shutting_down);
}

TEST_CASE("a registered broker does not mind that minute") {
  Script script;
  script.run_up();
  script.run_for(120s);
  CHECK(script.life.state() == BrokerState::running);
}

TEST_CASE("after a heartbeat that fails the next follows as after one that succeeds") {
  Script script;
  script.run_up();
  script.silence();
  for (int failed = 0; failed < 3; ++failed) {
    script.answer(BrokerHeartbeatResponse{ErrorCode::stale_broker_epoch});
    CHECK(script.silence() == 2s);
  }
  script.heartbeat(true, false);
  CHECK(script.silence() == 2s);
  CHECK(script.life.state() == BrokerState::running);
}

TEST_CASE("a fenced broker that was running goes on asking to be unfenced") {
  Script script;
  script.run_up();
  script.silence();
  script.heartbeat(true, true);
  CHECK(script.life.state() == BrokerState::running);
  CHECK(script.silence() == 2s);
  CHECK_FALSE(script.asks<BrokerHeartbeatRequest>().want_fence);
}

// ---- Who the controller is

TEST_CASE("a lost connection, or NOT_CONTROLLER, sends the same request to the controller known by then") {
  for (const bool lost : {true, false}) {
    CAPTURE(lost);
    Script script;
    script.run_up();
    script.silence();
    script.learn(kSecond);
    CHECK(script.requests.front().channel.server == kFirst);  // it waits for the answer
    if (lost)
      script.lose_connection();
    else
      script.answer(BrokerHeartbeatResponse{ErrorCode::not_controller});
    script.asks<BrokerHeartbeatRequest>();
    CHECK(script.requests.front().channel.server == kSecond);
    script.heartbeat(true, false);
    CHECK(script.silence() == 2s);
  }
}

TEST_CASE("a broker keeps to a controller that answers, whoever else leads by now") {
  Script script;
  script.run_up();
  script.learn(kSecond);
  script.silence();
  CHECK(script.requests.front().channel.server == kFirst);
}

TEST_CASE("a silent controller is left after half a session, and the next heartbeat goes elsewhere") {
  Script script;
  script.run_up();
  script.silence();
  script.learn(kSecond);
  script.requests.clear();  // unanswered
  const std::int64_t waited = millis(script.silence());
  CHECK(waited == 4500 + 2000);  // and waits as after any failure (scheduleNextCommunicationAfterFailure)
  CHECK(script.requests.front().channel.server == kSecond);
}

TEST_CASE("without a controller a request is given up every half session") {
  Script script;
  script.run_up();
  script.silence();
  script.learn(kNoProcess);
  script.host.refusing = {kFirst, kSecond};
  script.lose_connection();
  script.run_for(20s);
  CHECK(script.requests.empty());
  script.host.refusing.clear();
  script.learn(kSecond);
  script.run_for(9s);
  CHECK(script.requests.front().channel.server == kSecond);
}

// ---- The end

TEST_CASE("a controlled shutdown asks until the controller lets the broker go") {
  Script script;
  script.run_up();
  script.stop();  // at once, not at the next heartbeat
  CHECK(script.life.state() == BrokerState::pending_controlled_shutdown);
  CHECK(script.asks<BrokerHeartbeatRequest>().want_shut_down);
  CHECK_FALSE(script.asks<BrokerHeartbeatRequest>().want_fence);
  script.heartbeat(true, false);
  CHECK(script.silence() == 50ms);
  script.heartbeat(true, false);
  CHECK(script.silence() == 2s);
  CHECK(script.asks<BrokerHeartbeatRequest>().want_shut_down);
  script.heartbeat(true, true, true);
  CHECK(script.life.state() == BrokerState::shutting_down);
  script.run_for(60s);
  CHECK(script.requests.empty());
}

TEST_CASE("a broker that does not run yet has nothing to hand over") {
  Script script;
  script.start();
  script.stop();
  CHECK(script.life.state() == BrokerState::shutting_down);
}

}  // namespace
}  // namespace sim::broker
