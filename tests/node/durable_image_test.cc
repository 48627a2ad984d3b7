#include "node/durable_image.h"

#include <doctest/doctest.h>

#include <vector>

#include "log/test_batches.h"

namespace sim::node {
namespace {

constexpr TopicPartition kCut{TopicId{1}, 0};
constexpr TopicPartition kSafe{TopicId{1}, 1};

// Five records each; of kSafe all are flushed, of the others two.
DurableImage image_of_three_logs() {
  DurableImage image;
  for (const TopicPartition tp : {kCut, kSafe, kClusterMetadata}) {
    image.perform(log::AppendBatch{tp, log::test::batch_of(0, LeaderEpoch{0}, 2, 100)}, Instant{});
    image.flushed(tp, 2);
    image.perform(log::AppendBatch{tp, log::test::batch_of(2, LeaderEpoch{0}, 3, 100)}, Instant{});
  }
  image.flushed(kSafe, 5);
  return image;
}

TEST_CASE("a power loss tells what was not flushed, but for the metadata log's") {
  DurableImage image = image_of_three_logs();
  const std::vector<LostEnd> lost = image.lose_power(Instant{});
  REQUIRE(lost.size() == 1);
  CHECK(lost[0].tp == kCut);
  CHECK(lost[0].from == 5);
  CHECK(lost[0].to == 2);
  CHECK(image.logs.at(kClusterMetadata).end_offset() == 2);
  CHECK(image.lose_power(Instant{}).empty());
}

TEST_CASE("a wipe tells all that there was, and the metadata log even if it was empty") {
  DurableImage image = image_of_three_logs();
  image.logs[TopicPartition{TopicId{2}, 0}];
  CHECK(image.wipe().size() == 3);
  CHECK(image.logs.empty());
  CHECK(image.replaced == 1);
  image.logs[kClusterMetadata];
  CHECK(image.wipe().size() == 1);
}

}  // namespace
}  // namespace sim::node
