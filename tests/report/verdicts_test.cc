// The words for what became of a run: on screen, in the summary, and case by case in verdicts.csv.
#include "judge/verdicts.h"

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>

#include "app/shop.h"
#include "app/temporary_folder.h"
#include "report/console.h"

namespace sim::test {
namespace {

constexpr ProcessId kSecond{11};

std::string content(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

// Order 0 is acknowledged by broker-1 and lost when broker-2, which does not have it, is elected from outside
// the ISR.
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
  return (*recording)->finish(end);
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
  const std::string cause =
      "broker-2 became leader of orders-0 in leader epoch 1 by an unclean election, its log ended at 0";
  CHECK(lost->cases[0].cause == cause);
  const OutcomeVerdict* gap = find(summary, "UNAVAIL");
  REQUIRE(gap != nullptr);
  CHECK(gap->cases[0].lasted == 1'000'000'000);
  CHECK(find(summary, "DIVERGED") == nullptr);
  CHECK(find(summary, "STUCK") == nullptr);

  const std::string text = to_text(summary, TextOptions{});
  CHECK(text.find("verdicts LOST(acked)   1 order   at 1.2 s: 0\n           1 × " + cause + "\n") !=
        std::string::npos);
  CHECK(text.find("         UNAVAIL       1 gap     at 200 ms for 1 s: orders-0\n") != std::string::npos);
  CHECK(content(folder.path() / "out" / "verdicts.csv") ==
        "verdict,t_ns,flow,order,topic,partition,offset,service,lasted_ns,cause\n"
        "LOST(acked),1200000000,order-service,0,orders,0,0,,,\"" +
            cause +
            "\"\n"
            "UNAVAIL,200000000,,,orders,0,,,1000000000,nobody led it\n");
}

struct Play {  // a run of one partition that broker-1 leads from the start
  Play() {
    RecordingOptions options;
    options.folder = folder.path() / "out";
    observe::Names names = shop_names();
    names.processes[11] = "broker-2";
    auto opened = Recording::open(shop(), names, options);
    REQUIRE(opened.ok());
    recording = std::move(*opened);
    story = std::make_unique<Story>(*recording);
    story->tell(0, kBroker1, observe::TopicCreated{TopicId{1}, "orders", 1, 2});
    story->decided(0, 1, NodeId{1}, 0, {NodeId{1}});
    story->leads(0, 0, 0);
    story->follows(0, kSecond, 0, kBroker1);
    story->isr(0, {NodeId{1}});
  }
  Summary finish(std::int64_t ms) {
    RunEnd end = settled_end();
    end.end = Instant{from_millis(ms)};
    end.reason = StopReason::time_limit;
    return recording->finish(end);
  }

  TemporaryFolder folder;
  std::unique_ptr<Recording> recording;
  std::unique_ptr<Story> story;
};

void check_first(const Summary& summary, const std::string& word, std::int64_t at_ms,
                 const std::string& cause) {
  CAPTURE(word);
  const OutcomeVerdict* verdict = find(summary, word);
  REQUIRE(verdict != nullptr);
  CHECK(verdict->cases[0].at == at_ms * 1'000'000);
  CHECK(verdict->cases[0].cause == cause);
}

TEST_CASE("what a power loss took is told with the power loss, though nobody leads the partition any more") {
  Play play;
  play.story->published(100, {0}, 0);
  play.story->tell(30'000, kBroker1,
                   observe::LogLost{kOrders0, NodeId{1}, 1, 0, observe::LossOfLog::power_loss});
  play.story->tell(30'000, kBroker1, observe::ProcessStopped{});
  SUBCASE("for less than a minute it is unavailable") {
    const Summary summary = play.finish(80'000);
    check_first(summary, "LOST(acked)", 30'000,
                "power loss of broker-1 at 30 s took what was not flushed, and nobody leads it");
    check_first(summary, "UNAVAIL", 30'000, "nobody leads it, to the end of the run");
    CHECK(find(summary, "UNAVAIL")->cases[0].lasted == 50'000'000'000);
    CHECK(find(summary, "STUCK") == nullptr);
  }
  SUBCASE("from a minute on it is stuck") {
    const Summary summary = play.finish(90'000);
    check_first(summary, "STUCK", 30'000, "nobody leads it, to the end of the run");
    CHECK(find(summary, "UNAVAIL") == nullptr);
  }
}

TEST_CASE("a leader that refuses everything for a minute is stuck; a producer that has gone is not") {
  Play play;
  play.story->published(100, {0}, 0);
  play.story->placed(1'000, 1);
  play.story->accepted(1'000, 1);
  const BatchDataPtr batch = Story::batch_of({1});
  play.story->drained(1'001, batch);
  play.story->refused(1'010, batch, ErrorCode::not_enough_replicas, true);
  SUBCASE("it is tried again and again") {
    play.story->refused(61'010, batch, ErrorCode::not_enough_replicas, true);
    check_first(play.finish(70'000), "STUCK", 1'000,
                "its leader refuses what is sent to it, or does not answer, and takes nothing");
  }
  SUBCASE("the order fails meanwhile") {
    play.story->failed(61'000, 1, ErrorCode::request_timed_out);
    CHECK(find(play.finish(70'000), "STUCK") != nullptr);
  }
  SUBCASE("until it takes one") {
    play.story->refused(61'010, batch, ErrorCode::not_enough_replicas, true);
    play.story->published(61'100, {2}, 1);
    const Summary summary = play.finish(70'000);
    CHECK((find(summary, "STUCK") == nullptr || find(summary, "STUCK")->of_orders()));
  }
  SUBCASE("nobody tries any more") {
    const Summary summary = play.finish(200'000);
    CHECK((find(summary, "STUCK") == nullptr || find(summary, "STUCK")->of_orders()));
  }
}

TEST_CASE("orders of one partition wait in vain, whatever their service does in others") {
  Play play;
  play.story->published(100, {0, 1}, 0);
  handled(*play.story, 5'000, 0, 0, 0);
  handled(*play.story, 5'010, 1, 0, 0);
  handled(*play.story, 5'100, 1, 1, 1);
  const TopicPartition other{TopicId{1}, 1};
  const BatchDataPtr batch = Story::batch_of({2});
  play.story->placed(80'000, 2);
  play.story->tell(80'000, kShop, observe::BatchDrained{other, batch, 0});
  play.story->tell(80'000, kBroker1,
                   observe::ProcessingDone{observe::ServiceId{0}, 0, other, 0, Story::order(2)});
  const Summary summary = play.finish(90'000);
  check_first(summary, "STUCK", 5'005, "its group makes no progress");
  CHECK(find(summary, "STUCK")->cases.size() == 1);
  CHECK(find(summary, "STUCK")->service == "inventory");
}

TEST_CASE("what a replaced leader appended is told with both leaders and the instant of the change") {
  Play play;
  play.story->leads(38'500, 1, 0, kSecond);
  play.story->placed(39'000, 0);
  play.story->accepted(39'000, 0);
  const BatchDataPtr late = Story::batch_of({0});
  play.story->drained(39'001, late);
  play.story->appended_by(39'002, kBroker1, 0, late, 0);
  play.story->acknowledged(39'003, 0, late);
  check_first(play.finish(50'000), "LOST(acked)", 39'002,
              "broker-1 appended it in leader epoch 0; broker-2 had been leader in epoch 1 since 38.5 s");
}

TEST_CASE("duplicates are told at the second time, orders that compaction took when it took them") {
  Play play;
  const BatchDataPtr batch = play.story->published(100, {0}, 0);
  SUBCASE("in the log") {
    play.story->drained(200, batch, 1);
    play.story->appended(250, 1, batch);
    check_first(play.finish(5'000), "DUP(log)", 250, "already in the log at offset 0");
  }
  SUBCASE("of the effect") {
    for (const std::int64_t ms : {1'000, 2'000, 3'000}) handled(*play.story, ms, 1, 0, 0);
    check_first(play.finish(5'000), "DUP(effect)", 2'005, "done 3 times");
  }
  SUBCASE("compacted") {
    play.story->tell(3'000, kBroker1, observe::LogCleaned{kOrders0, NodeId{1}, 1, 100, 50});
    play.story->committed(4'000, 0, 1);
    check_first(play.finish(5'000), "LOST(group)", 3'000, "compacted away before it was read");
  }
  SUBCASE("committed past before compaction") {
    play.story->committed(2'000, 0, 1);
    play.story->tell(3'000, kBroker1, observe::LogCleaned{kOrders0, NodeId{1}, 1, 100, 50});
    check_first(play.finish(5'000), "LOST(group)", 2'000, "its group had committed past it");
  }
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
  const Summary summary = (*recording)->finish(settled_end());
  CHECK(summary.outcomes.empty());
  CHECK(to_text(summary, TextOptions{}).find("verdicts") == std::string::npos);
}

TEST_CASE("a run that lost orders and expected nothing is no plain PASS") {
  const TemporaryFolder folder;
  Summary summary = record_loss(folder.path() / "out");
  CHECK_FALSE(lost_and_expected_nothing(summary));
  summary.expectations.clear();
  CHECK(lost_and_expected_nothing(summary));
  CHECK(verdict_line(summary, TextOptions{}).find(", lost orders and NO EXPECTATIONS\n") !=
        std::string::npos);
  summary.outcomes.clear();
  summary.orders.lost = 0;
  CHECK_FALSE(lost_and_expected_nothing(summary));
}

TEST_CASE("an invariant that is switched off is told, with the reason") {
  const TemporaryFolder folder;
  scenario::Scenario scenario = shop();
  scenario.invariants_off.push_back({"acked-never-lost", "it is about losing"});
  RecordingOptions options;
  options.folder = folder.path() / "out";
  auto recording = Recording::open(scenario, shop_names(), options);
  REQUIRE(recording.ok());
  const Summary summary = (*recording)->finish(settled_end());
  CHECK(to_text(summary, TextOptions{}).find("off      invariant acked-never-lost: it is about losing\n") !=
        std::string::npos);
}

TEST_CASE("partitions of Kafka's own topics are counted where a user's are named") {
  Play play;
  const TopicPartition offsets{TopicId{2}, 0};
  play.story->tell(0, kBroker1, observe::TopicCreated{TopicId{2}, "__consumer_offsets", 1, 1});
  play.story->tell(0, kBroker1, observe::BecameLeader{offsets, NodeId{1}, LeaderEpoch{0}, 0});
  play.story->tell(30'000, kBroker1, observe::ProcessStopped{});
  const Summary summary = play.finish(80'000);
  const OutcomeVerdict* gap = find(summary, "UNAVAIL");
  REQUIRE(gap != nullptr);
  CHECK(gap->cases.size() == 2);
  CHECK(gap->first == std::vector<std::string>{"orders-0"});
  CHECK(to_text(summary, TextOptions{}).find("up to 50 s: orders-0 and 1 of Kafka's own\n") !=
        std::string::npos);
}

}  // namespace
}  // namespace sim::test
