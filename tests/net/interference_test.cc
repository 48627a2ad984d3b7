// Rules add up, hit the pairs they name and count what they touch; TCP's times are Linux's.
#include "net/interference.h"

#include <doctest/doctest.h>

#include "net/retransmission.h"

namespace sim::net {
namespace {

Pairs one_way(Endpoint from, Endpoint to) {
  Pairs pairs(3);
  pairs.add(from, to);
  return pairs;
}

Duration late(Interference& wires, Endpoint from, Endpoint to, std::int64_t bytes = 100, Instant sent = {}) {
  return wires.hindrance({from, to, bytes, sent, kFirstRetransmission});
}

TEST_CASE("a cut stops its pairs, in its direction, until the last one is lifted") {
  Interference wires;
  const RuleId first = wires.cut(one_way(0, 1));
  const RuleId second = wires.cut(one_way(0, 1));
  CHECK(wires.cuts(0, 1));
  CHECK_FALSE(wires.cuts(1, 0));
  CHECK_FALSE(wires.cuts(0, 2));
  wires.count_stopped(0, 1);
  wires.count_stopped(1, 0);
  CHECK(wires.touched(first) == 1);
  wires.lift(first);
  CHECK(wires.cuts(0, 1));
  CHECK(wires.touched(second) == 1);
  wires.lift(second);
  CHECK(wires.empty());
}

TEST_CASE("a machine is never cut off from itself") {
  Pairs pairs(2);
  pairs.add(1, 1);
  CHECK(pairs.empty());
}

TEST_CASE("delays add up, and only what is late counts as touched") {
  Interference wires;
  const RuleId slow = wires.delay(one_way(0, 1), {Distribution::constant(7)}, Rng(1, "a"));
  const RuleId none = wires.delay(one_way(0, 1), {Distribution::constant(0)}, Rng(1, "b"));
  wires.delay(one_way(0, 1), {Distribution::constant(5)}, Rng(1, "c"));
  CHECK(late(wires, 0, 1) == Duration{12});
  CHECK(late(wires, 1, 0) == Duration{0});
  CHECK(wires.touched(slow) == 1);
  CHECK(wires.touched(none) == 0);
}

TEST_CASE("what is lost is sent again after 200 ms, 400 ms, ...: as often as chance wills") {
  Interference wires;
  const RuleId rule = wires.lose(one_way(0, 1), {250'000}, Rng(1, "loss"));
  std::int64_t times[4] = {};
  for (int i = 0; i < 8'000; ++i) {
    const Duration by = late(wires, 0, 1);
    if (by == 0ms) ++times[0];
    if (by == 200ms) ++times[1];
    if (by == 600ms) ++times[2];
    if (by == 1400ms) ++times[3];
  }
  CHECK(times[0] == doctest::Approx(6'000).epsilon(0.03));
  CHECK(times[1] == doctest::Approx(1'500).epsilon(0.1));
  CHECK(times[2] == doctest::Approx(375).epsilon(0.2));
  CHECK(times[3] > 0);
  CHECK(wires.touched(rule) == 8'000 - times[0]);
}

TEST_CASE("a wire that loses everything is tried as often as TCP would") {
  Interference wires;
  wires.lose(one_way(0, 1), {1'000'000}, Rng(1, "loss"));
  CHECK(late(wires, 0, 1) > 600s);
}

TEST_CASE("a limit is shared by all that leaves a machine, and apart from what comes to it") {
  Interference wires;
  Pairs out(3);
  out.add(0, 1);
  out.add(0, 2);
  Pairs in(3);
  in.add(1, 0);
  const RuleId rule = wires.limit(out, in, 8'000'000);  // a byte a microsecond
  CHECK(late(wires, 0, 1, 1'000) == 1ms);
  CHECK(late(wires, 0, 2, 500) == 1500us);
  CHECK(late(wires, 1, 0, 700) == 700us);
  CHECK(late(wires, 2, 0, 700) == 0ms);  // not of the pairs
  CHECK(late(wires, 0, 1, 100, Instant{} + 1s) == 100us);
  CHECK(wires.touched(rule) == 4);
}

TEST_CASE("jitter goes both ways, and correlated delays resemble the last one of their pair") {
  Interference wires;
  wires.delay(one_way(0, 1), {Distribution::constant(1'000), 400}, Rng(1, "jitter"));
  wires.delay(one_way(1, 0), {Distribution::constant(1'000), 400, 900'000}, Rng(1, "correlated"));
  const auto steps = [&wires](Endpoint from, Endpoint to) {
    std::int64_t sum = 0;
    std::int64_t last = late(wires, from, to).count();
    for (int i = 0; i < 2'000; ++i) {
      const std::int64_t next = late(wires, from, to).count();
      CHECK(next >= 600);
      CHECK(next <= 1'400);
      sum += next > last ? next - last : last - next;
      last = next;
    }
    return sum / 2'000;
  };
  CHECK(steps(0, 1) > 200);  // two draws are 267 apart on average
  CHECK(steps(1, 0) < 40);
}

TEST_CASE("losses in bursts are as many, and longer") {
  Interference wires;
  wires.lose(one_way(0, 1), {100'000, 1}, Rng(1, "alone"));
  wires.lose(one_way(1, 0), {100'000, 8}, Rng(1, "bursts"));
  struct Seen {
    int late = 0;
    int bursts = 0;
  };
  const auto watch = [&wires](Endpoint from, Endpoint to) {
    Seen seen;
    bool was_late = false;
    for (int i = 0; i < 20'000; ++i) {
      const bool is_late = late(wires, from, to) > 0ms;
      if (is_late) ++seen.late;
      if (is_late && !was_late) ++seen.bursts;
      was_late = is_late;
    }
    return seen;
  };
  const Seen alone = watch(0, 1);
  const Seen bursts = watch(1, 0);
  CHECK(alone.late == doctest::Approx(2'000).epsilon(0.1));
  CHECK(alone.bursts == doctest::Approx(1'800).epsilon(0.1));
  CHECK(bursts.late == doctest::Approx(2'000).epsilon(0.25));
  CHECK(bursts.bursts == doctest::Approx(250).epsilon(0.25));
}

TEST_CASE("a rate so high leaves no room between bursts so short") {
  CHECK(is_possible({990'000, 1}));
  CHECK(is_possible({800'000, 4}));
  CHECK_FALSE(is_possible({800'001, 4}));
  CHECK_FALSE(is_possible({1'000, 0}));
}

TEST_CASE("time-outs double up to two minutes") {
  CHECK(retransmission_timeout(0) == 200ms);
  CHECK(retransmission_timeout(3) == 1600ms);
  CHECK(retransmission_timeout(9) == 102400ms);
  CHECK(retransmission_timeout(10) == 120s);
  CHECK(retransmission_timeout(60) == 120s);
  CHECK(retransmission_timeout(1, kFirstSynRetransmission) == 2s);
}

}  // namespace
}  // namespace sim::net
