#include "history/table.h"

#include <doctest/doctest.h>

#include <set>
#include <string>

namespace sim::history {
namespace {

TEST_CASE("the newest release has today's mechanisms, older ones those of their time") {
  CHECK(history_of(kNewestKafka) == History{});
  CHECK(history_of({4, 3}) == History{});
  History kafka_4_2;
  kafka_4_2.cordoned_log_directories = false;
  CHECK(history_of({4, 2}) == kafka_4_2);
  const History kafka_3_6 = history_of({3, 6});
  CHECK(kafka_3_6.isr_broker_epoch);    // 3.5
  CHECK_FALSE(kafka_3_6.check_quorum);  // 3.7
  CHECK_FALSE(kafka_3_6.failed_log_directories);
  CHECK_FALSE(kafka_3_6.high_watermark_min_isr);
  CHECK_FALSE(kafka_3_6.directory_ids);  // 3.9
  CHECK_FALSE(kafka_3_6.pre_vote);       // 4.0
  CHECK_FALSE(kafka_3_6.eligible_leader_replicas);
  CHECK(kafka_3_6.truncation == Truncation::fetch);
  const History kafka_2_6 = history_of({2, 6});
  CHECK(kafka_2_6.truncation == Truncation::epoch_search);
  CHECK_FALSE(kafka_2_6.isr_maximal);
  CHECK(kafka_2_6.fetch_leader_epoch);
  CHECK_FALSE(history_of(kOldestKafka).fetch_leader_epoch);
}

TEST_CASE("releases as people write them") {
  CHECK(read_kafka_version("3.6") == KafkaVersion{3, 6});
  CHECK(read_kafka_version("3.6.1") == KafkaVersion{3, 6});
  CHECK(read_kafka_version("4.4") == kNewestKafka);
  CHECK(read_kafka_version("2.0") == kOldestKafka);
  for (const char* text :
       {"", "3", "3.", "3.6.", "3.6.x", "v3.6", "2.9", "3.10", "1.1", "5.0", "0.11", "3.6 "}) {
    CAPTURE(text);
    CHECK_FALSE(read_kafka_version(text).has_value());
  }
}

TEST_CASE("every row is whole: a switch stands in exactly one of its ways, the newest first") {
  std::set<std::string_view> names;
  for (const Switch& one : switches()) {
    CAPTURE(one.name);
    CHECK(names.insert(one.name).second);
    CHECK(find_switch(one.name) == &one);
    CHECK(one.meaning.back() == '.');
    REQUIRE(one.behaviours.size() >= 2);
    CHECK(one.behaviours.front().is_at(History{}));
    CHECK(one.behaviours.back().since == KafkaVersion{});
    for (std::size_t i = 0; i < one.behaviours.size(); ++i) {
      const Behaviour& behaviour = one.behaviours[i];
      CAPTURE(behaviour.word);
      CHECK(behaviour.meaning.back() == '.');
      const bool is_oldest = i + 1 == one.behaviours.size();
      CHECK(behaviour.source.empty() == is_oldest);
      if (!is_oldest) CHECK(behaviour.since > one.behaviours[i + 1].since);
      CHECK(&behaviour_called(one, behaviour.word) == &behaviour);
      History history;
      behaviour.apply(history);
      for (const Switch& other : switches()) {  // it changes itself, and no other
        for (const Behaviour& way : other.behaviours) {
          const bool is_here = &other == &one ? &way == &behaviour : &way == &other.behaviours.front();
          CHECK(way.is_at(history) == is_here);
        }
      }
    }
  }
  CHECK(find_switch("pre-votes") == nullptr);
}

}  // namespace
}  // namespace sim::history
