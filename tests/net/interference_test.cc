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
  const RuleId slow = wires.delay(one_way(0, 1), Distribution::constant(7), Rng(1, "a"));
  const RuleId none = wires.delay(one_way(0, 1), Distribution::constant(0), Rng(1, "b"));
  wires.delay(one_way(0, 1), Distribution::constant(5), Rng(1, "c"));
  CHECK(wires.hindrance(0, 1, 200ms) == Duration{12});
  CHECK(wires.hindrance(1, 0, 200ms) == Duration{0});
  CHECK(wires.touched(slow) == 1);
  CHECK(wires.touched(none) == 0);
}

TEST_CASE("what is lost is sent again after 200 ms, 400 ms, ...: as often as chance wills") {
  Interference wires;
  const RuleId rule = wires.lose(one_way(0, 1), 250'000, Rng(1, "loss"));
  std::int64_t late[4] = {};
  for (int i = 0; i < 8'000; ++i) {
    const Duration by = wires.hindrance(0, 1, kFirstRetransmission);
    if (by == 0ms) ++late[0];
    if (by == 200ms) ++late[1];
    if (by == 600ms) ++late[2];
    if (by == 1400ms) ++late[3];
  }
  CHECK(late[0] == doctest::Approx(6'000).epsilon(0.03));
  CHECK(late[1] == doctest::Approx(1'500).epsilon(0.1));
  CHECK(late[2] == doctest::Approx(375).epsilon(0.2));
  CHECK(late[3] > 0);
  CHECK(wires.touched(rule) == 8'000 - late[0]);
}

TEST_CASE("a wire that loses everything is tried as often as TCP would") {
  Interference wires;
  wires.lose(one_way(0, 1), 1'000'000, Rng(1, "loss"));
  CHECK(wires.hindrance(0, 1, kFirstRetransmission) > 600s);
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
