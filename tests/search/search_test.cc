// A failure made smaller, and what is to blame for it.
#include <doctest/doctest.h>

#include <algorithm>
#include <string>

#include "play/run.h"
#include "scenario/draft.h"
#include "search/blame.h"
#include "search/shrink.h"

namespace sim::search {
namespace search_test {

scenario::Scenario shop() {
  auto loaded = scenario::load("tests/search/shop.yaml", {});
  REQUIRE(loaded.ok());
  return std::move(*loaded);
}

TEST_CASE("a draft says what the scenario said, and pruned it still does") {
  const scenario::Scenario scenario = shop();
  const scenario::Draft draft(scenario);
  CHECK(draft.load("shop.yaml")->resolved_yaml == scenario.resolved_yaml);
  const scenario::Draft pruned = scenario::without_defaults(draft, "shop.yaml");
  CHECK(pruned.load("shop.yaml")->resolved_yaml == scenario.resolved_yaml);
  CHECK(pruned.text().size() < 1'600);
  CHECK_FALSE(pruned.has({"cluster", "history"}));
  CHECK(pruned.get({"clients", "order-service", "config", "acks"}) == std::optional<std::string>("1"));
}

TEST_CASE("a failure is shrunk to what it needs, and the result fails by itself in the same way") {
  const scenario::Scenario scenario = shop();
  const judge::Summary summary = play::Run(scenario).finish();
  REQUIRE(judge::signatures_of(summary).size() == 1);
  const auto shrunk = shrink(scenario, summary, {});
  REQUIRE(shrunk.has_value());
  CHECK(shrunk->is_smallest);
  CHECK(shrunk->draft.below({"faults"}).size() <= 2);  // the crash, and what held replication back
  CHECK(shrunk->draft.below({"expect"}).size() == 1);
  CHECK(shrunk->draft.get({"topics", "orders", "partitions"}) == std::nullopt);  // one, the default
  const auto again = scenario::load_text("small.yaml", shrunk->text(), {});
  REQUIRE(again.ok());
  CHECK(judge::signatures_of(play::Run(*again).finish()) == judge::signatures_of(summary));
  CHECK(again->duration < scenario.duration);
}

TEST_CASE("a run that holds is not shrunk; one that is stopped gives what it has") {
  scenario::Scenario scenario = shop();
  judge::Summary summary = play::Run(scenario).finish();
  ShrinkOptions impatient;
  impatient.most_plays = 2;
  const auto stopped = shrink(scenario, summary, impatient);
  REQUIRE(stopped.has_value());
  CHECK_FALSE(stopped->is_smallest);
  CHECK(stopped->plays == 2);
  summary.expectations.clear();
  CHECK_FALSE(shrink(scenario, summary, {}).has_value());
}

TEST_CASE("blame finds the fault and the setting, and acquits what had no part in it") {
  const scenario::Scenario scenario = shop();
  std::vector<scenario::Override> none;
  // Settings are tried on the file: this one has none, so that faults alone are held against the run.
  const std::vector<Counterfactual> all = counterfactuals_of(scenario);
  const auto names = [&](const char* text) {
    return std::any_of(all.begin(), all.end(), [&](const Counterfactual& one) { return one.text == text; });
  };
  CHECK(names("without crash"));
  CHECK(names("clients.order-service.config.acks=all"));
  CHECK_FALSE(names("clients.order-service.config.acks=1"));  // it is
  CHECK_FALSE(names("topics.orders.config.min.insync.replicas=2"));
  const BlameReport report = blame(scenario, {"no such file", none, 2, [] { return true; }});
  const auto effect_of = [&](const char* text) {
    return std::find_if(report.changes.begin(), report.changes.end(),
                        [&](const Blamed& one) { return one.change.text == text; })
        ->effect;
  };
  CHECK(effect_of("without crash") == Effect::gone);
  CHECK(effect_of("without slow") == Effect::gone);
  CHECK(effect_of("without pause") == Effect::same);
  CHECK(effect_of("clients.order-service.config.acks=all") == Effect::unknown);
}

}  // namespace search_test
}  // namespace sim::search
