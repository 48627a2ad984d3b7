// Clocks that are off: what a process reads, and when its timers are due.
#include <doctest/doctest.h>

#include "cluster/clock.h"
#include "cluster/small_world.h"

namespace sim::cluster {
namespace {

using namespace test;

Instant at(Duration since_start) {
  return Instant{} + since_start;
}

TEST_CASE("a step of the wall clock leaves the monotonic one alone, and is undone by its opposite") {
  Clock clock;
  clock.step_wall(at(5s), -10s);
  CHECK(clock.local(at(7s)) == LocalTime{7s});
  CHECK(clock.instant_of(LocalTime{7s}) == at(7s));
  CHECK(clock.wall_ahead(at(7s)) == -10s);
  clock.step_wall(at(8s), 3s);
  CHECK(clock.wall_ahead(at(9s)) == -7s);
  clock.step_wall(at(10s), 10s);
  clock.step_wall(at(10s), -3s);
  CHECK(clock.is_exact());
}

TEST_CASE("a fast clock gains on both; set right, the monotonic one keeps what it has gained") {
  Clock clock;
  clock.change_rate(at(10s), 1'000);
  CHECK(clock.local(at(20s)) == LocalTime{20s + 10ms});
  CHECK(clock.wall_ahead(at(20s)) == Duration{0});
  CHECK(clock.instant_of(LocalTime{20s + 10ms}) == at(20s));
  clock.change_rate(at(20s), -1'000);
  CHECK(clock.local(at(30s)) == LocalTime{30s + 10ms});
  CHECK(clock.wall_ahead(at(30s)) == -10ms);
  CHECK(clock.instant_of(LocalTime{30s + 10ms}) == at(30s));
}

TEST_CASE("a timer is due at the first instant at which the clock shows its deadline") {
  for (const std::int64_t ppm : {-500'000, -777, -1, 1, 3, 200, 1'000'000}) {
    CAPTURE(ppm);
    Clock clock;
    clock.change_rate(at(Duration{13}), ppm);
    for (std::int64_t deadline = 14; deadline < 5'000'000; deadline = deadline * 3 + 1) {
      const Instant due = clock.instant_of(local_at(deadline));
      CHECK(clock.local(due) >= local_at(deadline));
      CHECK(clock.local(due - Duration{1}) < local_at(deadline));
    }
  }
}

TEST_CASE("drifts add up, and a wall clock that was also stepped stays off by the step alone") {
  Clock clock;
  clock.step_wall(at(0s), 1s);
  clock.change_rate(at(0s), 2'000);
  clock.change_rate(at(1s), 1'000);
  CHECK(clock.local(at(2s)) == LocalTime{2s + 5ms});
  CHECK(clock.wall_ahead(at(2s)) == 1s);
  clock.change_rate(at(2s), -2'000);
  clock.change_rate(at(2s), -1'000);
  CHECK(clock.local(at(3s)) == LocalTime{3s + 5ms});
  CHECK(clock.wall_ahead(at(3s)) == 1s - 5ms);
}

// Ticks every 100 ms of its own clock, and says what the clocks show.
class TickingNode final : public node::Node {
 public:
  std::unique_ptr<node::Node> clone() const override { return std::make_unique<TickingNode>(*this); }
  void step(node::Input& input, node::Env env, node::Effects& out) override {
    if (std::holds_alternative<node::TimerFired>(input)) {
      note(out, "tick", nanos(env.now) / kMicros);
      note(out, "wall", env.wall_ms());
    }
    out.emplace_back(node::SetTimer{node::TimerId{node::Part::application, 0}, env.now + 100ms});
  }
};

SmallWorld watches() {
  SmallWorld world;
  for (std::int32_t id = 1; id <= 2; ++id) {
    ProcessSpec watch;
    watch.name = "broker-" + std::to_string(id);
    watch.broker = NodeId{id};
    watch.boot = Prototype(std::make_shared<TickingNode>());
    watch.disk = {Distribution::constant(0), Distribution::constant(0), 0};
    world.add(std::move(watch), false);
  }
  return world;
}

TEST_CASE("drift: timers that were set before it are due by the clock as it runs now") {
  SmallWorld world = watches();
  world.strike("fast", fault::Drift{broker(1), 1'000'000}, 250ms, 300ms);  // twice as fast
  const Transcript record = world.play(901ms);
  CHECK(record.times("tick", ProcessId{0}) ==
        std::vector<std::int64_t>{100, 200, 275, 325, 375, 425, 475, 525, 600, 700, 800, 900});
  CHECK(record.times("tick", ProcessId{1}) ==
        std::vector<std::int64_t>{100, 200, 300, 400, 500, 600, 700, 800, 900});
  const auto wall = record.all("wall", ProcessId{0});
  CHECK(wall[7].number == 800);  // at 525 ms, still fast
  CHECK(wall[8].number == 600);  // set right
  CHECK(record.all("FaultEnded")[0].number == 1);
}

TEST_CASE("time-offset: only what the wall clock shows changes, and only while it lasts") {
  SmallWorld world = watches();
  world.strike("slow", fault::TimeOffset{broker(1), -150ms}, 250ms, 300ms);
  const Transcript record = world.play(701ms);
  CHECK(record.times("tick", ProcessId{0}) == record.times("tick", ProcessId{1}));
  std::vector<std::int64_t> wall;
  for (const auto& line : record.all("wall", ProcessId{0})) wall.push_back(line.number);
  CHECK(wall == std::vector<std::int64_t>{100, 200, 150, 250, 350, 600, 700});
}

TEST_CASE("a copy of a world whose clocks are off plays on as the original does") {
  SmallWorld world = watches();
  world.strike("fast", fault::Drift{broker(1), 333}, 250ms, 300ms);
  world.strike("off", fault::TimeOffset{broker(2), 5s}, 300ms);
  Cluster original = world.build();
  play_until(original, 400ms);
  Cluster copy(original);
  play_until(original, 2s);
  play_until(copy, 2s);
  CHECK(original.fingerprint() == copy.fingerprint());
}

}  // namespace
}  // namespace sim::cluster
