// Named machines: what a profile sets, and what a scenario's own settings override.
#include "scenario/profiles.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "scenario/loading.h"
#include "scenario/schema.h"

namespace sim::scenario {
namespace profiles_test {

Result<Scenario> load_with(const std::string& profile, const std::string& cluster_keys = {}) {
  return test::load_text("schema: kraftsim/v1\nduration: 60s\n" + profile + "cluster:\n  brokers: 3\n" +
                         cluster_keys +
                         "topics: {orders: {replication.factor: 3}}\n"
                         "clients:\n  shop: {produces: orders, arrivals: {constant: 1/s}}\n"
                         "  payment: {consumes: orders, service: 1ms}\n");
}

TEST_CASE("every setting of a profile is one of the cluster's keys, and another than the default") {
  for (const Profile& profile : profiles()) {
    CHECK(("|" + std::string(kProfileNames) + "|").find("|" + std::string(profile.name) + "|") !=
          std::string::npos);
    for (const ProfileSetting& setting : profile.settings) {
      CAPTURE(setting.path);
      const auto key = std::find_if(keys().begin(), keys().end(),
                                    [&](const Key& one) { return one.path == setting.path; });
      REQUIRE(key != keys().end());
      CHECK(key->path.starts_with("cluster/"));
      const Result<Scenario> loaded = load_with("profile: " + std::string(profile.name) + "\n");
      REQUIRE(loaded.ok());
    }
  }
}

TEST_CASE("without a profile there are no cores; with one there are, and the resolved scenario says so") {
  const Result<Scenario> plain = load_with("");
  REQUIRE(plain.ok());
  CHECK_FALSE(plain->cluster.cpu.has_cores());
  CHECK_FALSE(plain->cluster.cpu.has_pauses());
  const Result<Scenario> laptop = load_with("profile: laptop\n");
  REQUIRE(laptop.ok());
  CHECK(laptop->cluster.cpu.cores == 2);
  CHECK(laptop->cluster.cpu.shared);
  CHECK(laptop->resolved_yaml.find("profile: laptop") != std::string::npos);
  CHECK(laptop->resolved_yaml.find("cores: 2") != std::string::npos);
  // What applications have is as between any two, unless it is given.
  CHECK(laptop->cluster.network.clients.one_way.quantile(1, 2) ==
        laptop->cluster.network.between.one_way.quantile(1, 2));
  const Result<Scenario> again = test::load_text(laptop->resolved_yaml);
  REQUIRE(again.ok());
  CHECK(again->resolved_yaml == laptop->resolved_yaml);
}

TEST_CASE("a single setting overrides its profile") {
  const Result<Scenario> loaded =
      load_with("profile: laptop\n", "  cpu: {cores: 4, pauses: {length: 0s}}\n  network: {rtt: 1ms}\n");
  REQUIRE(loaded.ok());
  CHECK(loaded->cluster.cpu.cores == 4);
  CHECK(loaded->cluster.cpu.shared);
  CHECK_FALSE(loaded->cluster.cpu.has_pauses());
  CHECK(loaded->cluster.network.between.one_way.quantile(1, 2) == 500'000);
  CHECK(loaded->cluster.network.clients.one_way.quantile(1, 2) == 500'000);
}

TEST_CASE("what means nothing without cores is refused, and bursts that are too short") {
  const auto problem = [](const std::string& keys) {
    const Result<Scenario> loaded = load_with("", keys);
    REQUIRE_FALSE(loaded.ok());
    return loaded.problems().front().message;
  };
  CHECK(problem("  cpu: {shared: true}\n") == "cluster.cpu.shared means nothing without cluster.cpu.cores");
  CHECK(problem("  cpu: {others.share: 0.5}\n") ==
        "cluster.cpu.others.share means nothing without cluster.cpu.cores");
  CHECK(problem("  cpu: {cores: 2, others.burst: 10us}\n") ==
        "cluster.cpu.others.burst is shorter than 100us on average");
}

}  // namespace profiles_test
}  // namespace sim::scenario
