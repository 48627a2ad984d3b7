// A row per second, idle ones too, and lag as an operator would read it.
#include "metrics/series.h"

#include <doctest/doctest.h>

#include "observe/story.h"
#include "observe/teller.h"

namespace sim::metrics {
namespace series_test {

using test::Story;

struct Fixture {
  OrderLedger ledger{LedgerSpec{1, {1}}};
  Series series{1};
  test::Teller tell;
  Story story{[this](const observe::Observation& observation) {
    series.advance(observation.at, ledger);
    tell(observation, series, ledger);
  }};
};

TEST_CASE("seconds in which nothing happens have rows too") {
  Fixture f;
  f.story.published(500, {0}, 0);
  f.story.published(4'500, {1, 2}, 1);
  f.series.finish(Instant{5'250ms}, f.ledger);
  REQUIRE(f.series.rows().size() == 6);
  CHECK(f.series.rows()[0].placed == 1);
  CHECK(f.series.rows()[2].placed == 0);
  CHECK(f.series.rows()[4].placed == 2);
  CHECK(f.series.rows()[4].messages_in == 2);
  CHECK(f.series.rows()[4].bytes_in == 200);
  CHECK(f.series.rows()[5].in_flight == 3);
  CHECK(f.series.end_of(4) == 5'000'000'000);
  CHECK(f.series.end_of(5) == 5'250'000'000);
}

TEST_CASE("a second ends with what happens at its last instant") {
  Fixture f;
  f.story.placed(1'000, 0);
  f.story.placed(1'001, 1);
  f.series.finish(Instant{2s}, f.ledger);
  REQUIRE(f.series.rows().size() == 2);
  CHECK(f.series.rows()[0].placed == 1);
  CHECK(f.series.rows()[1].placed == 1);
  CHECK(Series::row_of(1'000'000'000) == 0);
  CHECK(Series::row_of(1'000'000'001) == 1);
}

TEST_CASE(
    "lag is what lies between the committed offset and the high watermark, and the age of its oldest "
    "record") {
  Fixture f;
  f.story.published(100, {0, 1}, 0);  // appended at 112 ms
  f.story.published(1'200, {2}, 2);   // appended at 1212 ms
  f.story.committed(1'500, 0, 2);
  f.story.committed(2'500, 0, 3);
  f.series.finish(Instant{3s}, f.ledger);
  REQUIRE(f.series.rows().size() == 3);
  CHECK(f.series.rows()[0].lag[0].offsets == 2);
  CHECK(f.series.rows()[0].lag[0].ns == 888'000'000);
  CHECK(f.series.rows()[1].lag[0].offsets == 1);
  CHECK(f.series.rows()[1].lag[0].ns == 788'000'000);
  CHECK(f.series.rows()[2].lag[0].offsets == 0);
  CHECK(f.series.rows()[2].lag[0].ns == 0);
}

TEST_CASE("an ISR that shrinks and grows again is counted, and the partition is under-replicated between") {
  Fixture f;
  f.story.tell(0, test::kBroker1, observe::TopicCreated{TopicId{1}, "orders", 1, 3});
  f.story.isr(500, {NodeId{1}, NodeId{2}});
  f.story.isr(1'500, {NodeId{1}, NodeId{2}, NodeId{3}});
  f.series.finish(Instant{2s}, f.ledger);
  CHECK(f.series.rows()[0].isr_shrinks == 1);
  CHECK(f.series.rows()[0].under_replicated == 1);
  CHECK(f.series.rows()[1].isr_expands == 1);
  CHECK(f.series.rows()[1].under_replicated == 0);
}

}  // namespace series_test
}  // namespace sim::metrics
