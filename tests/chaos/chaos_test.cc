// What chaos draws: within its budget and its time, the same for the same seed, each fault for itself.
#include "chaos/chaos.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <set>
#include <string>

namespace sim::chaos {
namespace chaos_test {

Spec spec() {
  Spec spec;
  spec.kinds.assign(std::begin(kAllKinds), std::end(kAllKinds));
  spec.gap = Distribution::lognormal(2'000'000'000, 9'000'000'000);
  spec.length = Distribution::lognormal(3'000'000'000, 20'000'000'000);
  spec.from = Duration{15'000'000'000};
  spec.until = Duration{60'000'000'000};
  return spec;
}
Surroundings around() {
  return {3, 3, {{"orders", 6, 3}}, {"payment", "inventory"}};
}
std::vector<DrawnFault> drawn(const Spec& spec, std::uint64_t seed) {
  return draw(spec, around(), Rng(seed, "chaos"));
}
std::string told(const std::vector<DrawnFault>& faults) {
  std::string text;
  for (const DrawnFault& one : faults)
    text += one.name + " " + std::to_string(one.at.count()) + " " + std::to_string(one.lasts.count()) + " " +
            one.when + " " + one.kind + " " + one.body + "\n";
  return text;
}

TEST_CASE("one seed draws one list, within the budget and the time; others draw others") {
  std::set<std::string> lists, kinds, moments;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    const std::vector<DrawnFault> faults = drawn(spec(), seed);
    CHECK(told(faults) == told(drawn(spec(), seed)));
    lists.insert(told(faults));
    std::set<std::string> names;
    std::size_t of_budget = 0;
    bool had_swizzle = false;
    for (const DrawnFault& one : faults) {
      CHECK(names.insert(one.name).second);
      CHECK(one.at >= spec().from);
      CHECK(one.at < spec().until);
      const bool is_swizzle = one.name.find("swizzle") != std::string::npos;
      of_budget += is_swizzle ? 0 : 1;
      had_swizzle = had_swizzle || is_swizzle;
      if (!is_swizzle) CHECK(one.at + one.waits + one.lasts <= spec().until);
      kinds.insert(is_swizzle ? "swizzle" : one.kind);
      moments.insert(one.when.substr(0, one.when.find('(')));
    }
    CHECK(of_budget + (had_swizzle ? 1 : 0) <= 6);
  }
  CHECK(lists.size() == 200);
  CHECK(kinds.size() == std::size(kAllKinds));
  CHECK(moments == std::set<std::string>{"", "append", "isr_change", "rebalance"});
}

TEST_CASE("no more last at any one time than may") {
  for (const std::int64_t at_once : {1, 2}) {
    Spec few = spec();
    few.at_once = at_once;
    few.budget = 12;
    few.kinds = {Kind::kill, Kind::pause, Kind::delay};
    for (std::uint64_t seed = 1; seed <= 100; ++seed) {
      const std::vector<DrawnFault> faults = drawn(few, seed);
      for (const DrawnFault& one : faults) {
        const auto together = std::count_if(faults.begin(), faults.end(), [&](const DrawnFault& other) {
          return other.at <= one.at && one.at < other.at + other.waits + other.lasts;
        });
        CHECK(together <= at_once);
      }
    }
  }
}

TEST_CASE("a swarm leaves kinds out, and without it none is") {
  std::size_t most = 0, least = 99;
  Spec many = spec();
  many.budget = 200;
  many.at_once = 100;
  many.gap = Distribution::constant(1'000'000);
  const auto kinds_of = [&](std::uint64_t seed) {
    std::set<std::string> kinds;
    for (const DrawnFault& one : drawn(many, seed))
      kinds.insert(one.name.find("swizzle") != std::string::npos ? "swizzle" : one.kind);
    return kinds.size();
  };
  for (std::uint64_t seed = 1; seed <= 50; ++seed) {
    most = std::max(most, kinds_of(seed));
    least = std::min(least, kinds_of(seed));
  }
  CHECK(least < 4);
  CHECK(most < std::size(kAllKinds));
  many.swarm = false;
  CHECK(kinds_of(1) == std::size(kAllKinds));
}

TEST_CASE("a swizzle cuts brokers off one by one, and lets them back in another order") {
  Spec only = spec();
  only.kinds = {Kind::swizzle};
  only.budget = 1;
  bool other_order = false;
  for (std::uint64_t seed = 1; seed <= 40; ++seed) {
    const std::vector<DrawnFault> faults = drawn(only, seed);
    REQUIRE(faults.size() >= 2);
    for (std::size_t i = 1; i < faults.size(); ++i) {
      CHECK(faults[i].at > faults[i - 1].at);
      CHECK(faults[i].at < faults[0].at + faults[0].lasts);  // all are cut off before the first is back
      other_order = other_order || faults[i].at + faults[i].lasts < faults[i - 1].at + faults[i - 1].lasts;
    }
  }
  CHECK(other_order);
}

}  // namespace chaos_test
}  // namespace sim::chaos
