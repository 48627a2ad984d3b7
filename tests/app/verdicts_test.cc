// The words for what became of a run: on screen, in the summary, and case by case in verdicts.csv.
#include "app/verdicts.h"

#include <algorithm>
#include <fstream>
#include <sstream>

#include "app/console.h"
#include "app/shop.h"
#include "app/temporary_folder.h"

namespace sim::test {
namespace {

constexpr ProcessId kSecond{11};

std::string content(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// Order 0 is acknowledged by broker-1 and lost when broker-2, which does not have it, is elected from outside the ISR.
Summary record_loss(const std::filesystem::path& out) {
  RecordingOptions options;
  options.folder = out;
  observe::Names names = shop_names();
  names.processes[11] = "broker-2";
  auto recording = Recording::open(shop(), names, options);
  REQUIRE(recording.ok());
  Story story(**recording);
  story.tell(0, kBroker1, observe::TopicCreated{TopicId{1}, "orders", 1, 2});
  story.decided(0, 1, NodeId{1}, 0, {NodeId{1}});
  story.leads(0, 0, 0);
  story.follows(0, kSecond, 0, kBroker1);
  story.isr(0, {NodeId{1}});
  story.published(100, {0}, 0);
  story.tell(200, kBroker1, observe::ProcessStopped{});
  story.decided(1'000, 2, NodeId{2}, 1, {NodeId{2}});
  story.leads(1'200, 1, 0, kSecond);
  RunEnd end = settled_end();
  end.reason = StopReason::time_limit;
  auto summary = (*recording)->finish(end);
  REQUIRE(summary.ok());
  return *summary;
}

const OutcomeVerdict* find(const Summary& summary, const std::string& word) {
  const auto found = std::find_if(summary.outcomes.begin(), summary.outcomes.end(),
                                  [&](const OutcomeVerdict& one) { return one.word == word; });
  return found == summary.outcomes.end() ? nullptr : &*found;
}

TEST_CASE("a lost order is told with its instant and its cause, and the gap with its length") {
  const TemporaryFolder folder;
  const Summary summary = record_loss(folder.path() / "out");
  const OutcomeVerdict* lost = find(summary, "LOST(acked)");
  REQUIRE(lost != nullptr);
  REQUIRE(lost->cases.size() == 1);
  CHECK(lost->cases[0].at == 1'200'000'000);
  const std::string cause = "broker-2 became leader of orders-0 in leader epoch 1 by an unclean election, its log ended at 0";
  CHECK(lost->cases[0].cause == cause);
  const OutcomeVerdict* gap = find(summary, "UNAVAIL");
  REQUIRE(gap != nullptr);
  CHECK(gap->cases[0].lasted == 1'000'000'000);
  CHECK(find(summary, "DIVERGED") == nullptr);
  CHECK(find(summary, "STUCK") == nullptr);

  const std::string text = to_text(summary, TextOptions{});
  CHECK(text.find("verdicts LOST(acked)   1 order   at 1.2 s: 0\n           1 × " + cause + "\n") != std::string::npos);
  CHECK(text.find("         UNAVAIL       1 gap     at 200 ms for 1 s: orders-0\n") != std::string::npos);
  CHECK(content(folder.path() / "out" / "verdicts.csv") ==
        "verdict,t_ns,flow,order,topic,partition,offset,service,lasted_ns,cause\n"
        "LOST(acked),1200000000,order-service,0,orders,0,0,,,\"" + cause + "\"\n"
        "UNAVAIL,200000000,,,orders,0,,,1000000000,nobody led it\n");
}

TEST_CASE("a run without trouble has no verdicts to show") {
  const TemporaryFolder folder;
  scenario::Scenario healthy = shop();
  RecordingOptions options;
  options.folder = folder.path() / "out";
  auto recording = Recording::open(healthy, shop_names(), options);
  REQUIRE(recording.ok());
  Story story(**recording);
  story.tell(0, kBroker1, observe::TopicCreated{TopicId{1}, "orders", 1, 1});
  story.leads(0, 0, 0);
  story.published(100, {0}, 0);
  handled(story, 120, 0, 0, 0);
  handled(story, 130, 1, 0, 0);
  auto summary = (*recording)->finish(settled_end());
  REQUIRE(summary.ok());
  CHECK(summary->outcomes.empty());
  CHECK(to_text(*summary, TextOptions{}).find("verdicts") == std::string::npos);
}

TEST_CASE("an invariant that is switched off is told, with the reason") {
  const TemporaryFolder folder;
  scenario::Scenario scenario = shop();
  scenario.invariants_off.push_back({"acked-never-lost", "it is about losing"});
  RecordingOptions options;
  options.folder = folder.path() / "out";
  auto recording = Recording::open(scenario, shop_names(), options);
  REQUIRE(recording.ok());
  auto summary = (*recording)->finish(settled_end());
  REQUIRE(summary.ok());
  CHECK(to_text(*summary, TextOptions{}).find("off      invariant acked-never-lost: it is about losing\n") != std::string::npos);
}

}  // namespace
}  // namespace sim::test
