// The client side of connections: set-up, the ApiVersions exchange, order in flight, timeouts, back-off.
#include "node/network_client.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <utility>

namespace sim::node {
namespace {

constexpr ProcessId kSelf{7};
constexpr ProcessId kBroker{1};
constexpr ProcessId kOther{2};
constexpr TimerId kTimer{Part::client, 3};

// One client and the little of a host that it needs: a clock and the timer it asked for.
struct World {
  NetworkClient client{kSelf, Lane::data, NetworkClientConfig{}, kTimer};
  Rng rng{1, "client"};
  LocalTime now{};
  LocalTime timer = LocalTime::max();
  std::int32_t timer_sets = 0;
  Effects out;
  NetworkClient::Events events;

  Env env() { return Env{now, rng}; }
  static Channel channel(ProcessId server) { return Channel{kSelf, server, Lane::data}; }

  void settle() {
    for (const Effect& effect : out) {
      if (const auto* set = std::get_if<SetTimer>(&effect)) {
        CHECK(set->timer == kTimer);
        timer = set->deadline;
        ++timer_sets;
      }
    }
  }
  void feed(Input input) {
    out.clear();
    events.clear();
    client.step(input, env(), out, events);
    settle();
  }
  bool ready(ProcessId server) {
    out.clear();
    const bool result = client.ready(server, env(), out);
    settle();
    return result;
  }
  CorrelationId send(ProcessId server, Message message = MetadataRequest{}, bool expect_response = true) {
    out.clear();
    const CorrelationId correlation =
        client.send(server, std::move(message), env(), out, Duration{0}, expect_response);
    settle();
    return correlation;
  }
  void respond(ProcessId server, CorrelationId correlation, Message message = MetadataResponse{}) {
    feed(Received{Envelope{channel(server), correlation, true, std::move(message)}});
  }
  // The correlation of the only request sent in the last step; -1 if there is not exactly one.
  CorrelationId sent() const {
    CorrelationId found = -1;
    for (const Effect& effect : out) {
      if (const auto* message = std::get_if<Send>(&effect)) {
        if (found != -1) return -1;
        found = message->envelope.correlation;
      }
    }
    return found;
  }
  template <class T>
  std::int32_t effects() const {
    std::int32_t count = 0;
    for (const Effect& effect : out) count += std::holds_alternative<T>(effect) ? 1 : 0;
    return count;
  }
  // What the last step brought, e.g. "failed 3 timed_out, unavailable 1".
  std::string brought() const {
    std::string text;
    for (const NetworkClient::Event& event : events) {
      if (!text.empty()) text += ", ";
      if (const auto* response = std::get_if<NetworkClient::Response>(&event)) {
        text += "response " + std::to_string(response->correlation);
      } else if (const auto* failure = std::get_if<NetworkClient::Failure>(&event)) {
        text += "failed " + std::to_string(failure->correlation);
        text += failure->reason == NetworkClient::FailureReason::timed_out ? " timed_out" : " disconnected";
      } else if (const auto* is_ready = std::get_if<NetworkClient::Ready>(&event)) {
        text += "ready " + std::to_string(is_ready->server.value());
      } else if (const auto* unavailable = std::get_if<NetworkClient::Unavailable>(&event)) {
        text += "unavailable " + std::to_string(unavailable->server.value());
      } else {
        text += "may_retry " + std::to_string(std::get<NetworkClient::MayRetry>(event).server.value());
      }
    }
    return text;
  }
  void fire_timer() {
    REQUIRE(timer != LocalTime::max());
    now = timer;
    timer = LocalTime::max();
    feed(TimerFired{kTimer});
  }
  void establish(ProcessId server) {
    CHECK_FALSE(ready(server));
    feed(Connected{channel(server)});
    respond(server, sent(), ApiVersionsResponse{});
    REQUIRE(client.is_ready(server));
  }
};

TEST_CASE("a server is ready once it is connected and has told its versions") {
  World world;
  CHECK_FALSE(world.ready(kBroker));
  CHECK(world.effects<Connect>() == 1);
  CHECK_FALSE(world.ready(kBroker));
  CHECK(world.effects<Connect>() == 0);  // one attempt is under way
  CHECK(world.client.is_preparing(kBroker));

  world.feed(Connected{World::channel(kBroker)});
  REQUIRE(world.effects<Send>() == 1);
  CHECK(std::holds_alternative<ApiVersionsRequest>(std::get<Send>(world.out[0]).envelope.message));
  CHECK_FALSE(world.client.is_ready(kBroker));
  CHECK(world.client.in_flight() == 0);

  world.respond(kBroker, world.sent(), ApiVersionsResponse{});
  CHECK(world.brought() == "ready 1");
  CHECK(world.ready(kBroker));
  CHECK(world.client.connected() == std::vector<ProcessId>{kBroker});
}

TEST_CASE("an ApiVersions error closes the connection") {
  World world;
  world.ready(kBroker);
  world.feed(Connected{World::channel(kBroker)});
  world.respond(kBroker, world.sent(), ApiVersionsResponse{ErrorCode::unsupported_version});
  CHECK(world.brought() == "unavailable 1");
  CHECK(world.effects<Disconnect>() == 1);
}

TEST_CASE("five requests in flight are enough, and answers come in order") {
  World world;
  world.establish(kBroker);
  std::vector<CorrelationId> sent;
  for (int i = 0; i < 5; ++i) sent.push_back(world.send(kBroker));
  CHECK_FALSE(world.client.is_ready(kBroker));
  CHECK(world.client.is_connected(kBroker));
  CHECK(world.client.in_flight(kBroker) == 5);
  world.respond(kBroker, sent[0]);
  CHECK(world.brought() == "response " + std::to_string(sent[0]));
  CHECK(world.client.is_ready(kBroker));
  CHECK_THROWS_AS((world.send(kBroker), world.send(kBroker)), InternalError);
}

TEST_CASE("a request without an answer is never in flight") {
  World world;
  world.establish(kBroker);
  for (int i = 0; i < 9; ++i) world.send(kBroker, ProduceRequest{}, false);
  CHECK(world.client.in_flight(kBroker) == 0);
  CHECK(world.client.is_ready(kBroker));
}

TEST_CASE("one request that times out takes the whole connection with it") {
  World world;
  world.establish(kBroker);
  world.establish(kOther);
  const CorrelationId first = world.send(kBroker);
  world.now += 20s;
  const CorrelationId second = world.send(kBroker);
  world.send(kOther);
  while (world.events.empty() || world.brought().starts_with("ready")) world.fire_timer();
  CHECK(world.now == local_at(nanos(30s)));
  CHECK(world.brought() == "failed " + std::to_string(first) + " timed_out, failed " +
                               std::to_string(second) + " timed_out, unavailable 1");
  CHECK(world.effects<Disconnect>() == 1);
  CHECK(world.client.is_connected(kOther));

  world.respond(kBroker, first);  // from the connection that is gone
  CHECK(world.events.empty());
}

TEST_CASE("losing a connection fails what is in flight and backs off") {
  World world;
  world.establish(kBroker);
  const CorrelationId lost = world.send(kBroker);
  world.feed(Disconnected{World::channel(kBroker), DisconnectReason::reset});
  CHECK(world.brought() == "failed " + std::to_string(lost) + " disconnected, unavailable 1");
  CHECK(world.effects<Disconnect>() == 0);  // it is closed already
  CHECK(world.client.is_backing_off(kBroker, world.now));
  world.ready(kBroker);
  CHECK(world.effects<Connect>() == 0);

  while (world.brought() != "may_retry 1") world.fire_timer();
  CHECK(world.now >= local_at(nanos(40ms)));
  CHECK(world.now <= local_at(nanos(60ms)));
  world.ready(kBroker);
  CHECK(world.effects<Connect>() == 1);
}

TEST_CASE("the reconnect back-off doubles with each failure, and success resets it") {
  World world;
  const auto wait_after_refusal = [&world] {
    world.ready(kBroker);
    REQUIRE(world.effects<Connect>() == 1);
    const LocalTime refused_at = world.now;
    world.feed(Disconnected{World::channel(kBroker), DisconnectReason::refused});
    while (world.brought() != "may_retry 1") world.fire_timer();
    return millis(world.now - refused_at);
  };
  const std::int64_t want[] = {50, 100, 200, 400, 800, 1000, 1000};
  for (const std::int64_t ms : want) {
    const std::int64_t waited = wait_after_refusal();
    CHECK(waited >= ms * 8 / 10);
    CHECK(waited <= ms * 12 / 10);
    CHECK(waited <= 1000);
  }
  world.establish(kBroker);
  world.feed(Disconnected{World::channel(kBroker), DisconnectReason::closed});
  const LocalTime lost_at = world.now;
  while (world.brought() != "may_retry 1") world.fire_timer();
  CHECK(millis(world.now - lost_at) <= 60);
}

TEST_CASE("a connection that does not come about is given up after its set-up timeout, which grows") {
  World world;
  std::int64_t previous_ms = 0;
  for (const std::int64_t want_ms : {10'000, 20'000, 30'000}) {
    world.ready(kBroker);
    const LocalTime started = world.now;
    while (world.brought() != "unavailable 1") world.fire_timer();
    const std::int64_t waited_ms = millis(world.now - started);
    CHECK(world.effects<Disconnect>() == 1);
    CHECK(waited_ms >= want_ms * 8 / 10);
    CHECK(waited_ms <= std::min<std::int64_t>(want_ms * 12 / 10, 30'000));
    CHECK(waited_ms > previous_ms);
    previous_ms = waited_ms;
    while (world.brought() != "may_retry 1") world.fire_timer();
  }
}

TEST_CASE("a request that is answered costs no timer") {
  World world;
  world.establish(kBroker);
  const std::int32_t before = world.timer_sets;
  for (int i = 0; i < 1000; ++i) {
    world.respond(kBroker, world.send(kBroker));
    world.now += 1us;
  }
  CHECK(world.timer_sets == before);
  world.fire_timer();
  CHECK(world.events.empty());
  CHECK(world.timer == LocalTime::max());  // nothing in flight: nothing to wake up for
}

TEST_CASE("an answer may ask for silence: nothing is sent until it is over, and the owner is told") {
  World world;
  world.establish(kBroker);
  world.establish(kOther);
  const CorrelationId first = world.send(kBroker);
  const CorrelationId second = world.send(kBroker);
  Envelope answer{World::channel(kBroker), first, true, MetadataResponse{}};
  answer.throttle_ms = 700;
  world.feed(Received{answer});
  CHECK(world.brought() == "response " + std::to_string(first));
  CHECK_FALSE(world.ready(kBroker));
  CHECK(world.client.is_connected(kBroker));
  CHECK(world.client.is_ready(kOther));
  world.respond(kBroker, second);  // it had been sent before
  CHECK_FALSE(world.ready(kBroker));
  CHECK(world.timer == local_at(nanos(700ms)));
  world.fire_timer();
  CHECK(world.brought() == "ready 1");
  CHECK(world.ready(kBroker));
}

TEST_CASE("a throttle ends with its connection") {
  World world;
  world.establish(kBroker);
  Envelope answer{World::channel(kBroker), world.send(kBroker), true, MetadataResponse{}};
  answer.throttle_ms = 60'000;
  world.feed(Received{answer});
  world.feed(Disconnected{World::channel(kBroker)});
  world.now += 1s;
  world.establish(kBroker);
}

TEST_CASE("closing fails what is in flight") {
  World world;
  world.establish(kBroker);
  const CorrelationId lost = world.send(kBroker);
  world.out.clear();
  world.events.clear();
  world.client.close(kBroker, world.env(), world.out, world.events);
  CHECK(world.effects<Disconnect>() == 1);
  CHECK(world.brought() == "failed " + std::to_string(lost) + " disconnected, unavailable 1");
}

}  // namespace
}  // namespace sim::node
