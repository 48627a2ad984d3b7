#include "broker/lifecycle.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <variant>
#include <vector>

#include "base/overloaded.h"

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
    const LocalTime end = now + duration;
    for (;;) {
      auto next = timers_.end();
      for (auto it = timers_.begin(); it != timers_.end(); ++it) {
        if (it->second <= end && (next == timers_.end() || it->second < next->second)) next = it;
      }
      if (next == timers_.end()) break;
      now = std::max(now, next->second);
      const node::TimerId timer = next->first;
      timers_.erase(next);
      feed(node::TimerFired{timer});
    }
    now = end;
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
    const LocalTime from = now;
    while (requests.empty() && now - from < 120s) run_for(1ms);
    return now - from;
  }

  std::vector<Envelope> requests;  // in flight
  std::set<ProcessId> down;        // refuses connections
  LocalTime now{};
  BrokerConfig config;
  Lifecycle life;
  metadata::MetadataImage image;

 private:
  template <class F>
  void act(F does) {
    node::Effects out;
    does(Context{node::Env{now, rng_}, out, image, config, NodeId{4}, life.broker_epoch()});
    std::vector<node::Input> follows;
    for (node::Effect& effect : out) perform(effect, follows);
    for (node::Input& input : follows) feed(std::move(input));
  }
  void feed(node::Input input) {
    act([&](const Context& context) { life.step(input, context); });
  }
  void perform(node::Effect& effect, std::vector<node::Input>& follows) {
    std::visit(
        Overloaded{
            [&](node::Send& send) {
              if (std::holds_alternative<ApiVersionsRequest>(send.envelope.message)) {
                follows.emplace_back(node::Received{
                    Envelope{send.envelope.channel, send.envelope.correlation, true, ApiVersionsResponse{}}});
              } else {
                requests.push_back(std::move(send.envelope));
              }
            },
            [&](node::SetTimer& set) { timers_[set.timer] = set.deadline; },
            [&](node::CancelTimer& cancel) { timers_.erase(cancel.timer); },
            [&](node::Connect& connect) {
              if (down.contains(connect.channel.server))
                follows.emplace_back(node::Disconnected{connect.channel, node::DisconnectReason::refused});
              else
                follows.emplace_back(node::Connected{connect.channel});
            },
            [](node::Disconnect&) {},
            [](node::Persist&) { FAIL("a life writes nothing"); },
            [](node::Scan&) { FAIL("a life reads nothing"); },
            [](node::Report&) {},
            [](node::Exit&) { FAIL("its owner ends the process"); },
        },
        effect);
  }

  Rng rng_{1, "lifecycle"};
  std::map<node::TimerId, LocalTime> timers_;
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
  script.down = {kFirst, kSecond};
  script.lose_connection();
  script.run_for(20s);
  CHECK(script.requests.empty());
  script.down.clear();
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
