#include "client/partitioner.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace sim::client {

std::int32_t StickyPartitioner::current(const Choices& choices, Rng& rng) {
  if (current_ < 0) current_ = draw(choices, rng);
  return current_;
}

bool StickyPartitioner::appended(std::int32_t bytes, bool batch_complete, const Choices& choices, Rng& rng) {
  if (linger_) return false;
  produced_bytes_ += bytes;
  const bool enough = produced_bytes_ >= batch_bytes_ && batch_complete;
  if (!enough && produced_bytes_ < 2 * std::int64_t{batch_bytes_}) return false;
  current_ = draw(choices, rng);
  produced_bytes_ = 0;
  return true;
}

std::int32_t StickyPartitioner::draw(const Choices& choices, Rng& rng) const {
  SIM_CHECK(choices.partitions > 0, "a topic has partitions");
  if (!cumulative_.empty()) {
    const auto point = static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(cumulative_.back())));
    return partition_at(point);
  }
  if (choices.with_leader.empty()) {
    return static_cast<std::int32_t>(rng.below(static_cast<std::uint64_t>(choices.partitions)));
  }
  return choices.with_leader[rng.below(choices.with_leader.size())];
}

std::int32_t StickyPartitioner::partition_at(std::int32_t point) const {
  const auto slot = std::upper_bound(cumulative_.begin(), cumulative_.end(), point) - cumulative_.begin();
  return partitions_[static_cast<std::size_t>(slot)];
}

// BuiltInPartitioner.updatePartitionLoadStats
void StickyPartitioner::update_load(const std::vector<Load>& loads, std::int32_t partitions) {
  cumulative_.clear();
  partitions_.clear();
  if (loads.empty() || partitions < 2) return;
  const auto by_queue = [](const Load& a, const Load& b) { return a.queued_batches < b.queued_batches; };
  const auto [shortest, longest] = std::minmax_element(loads.begin(), loads.end(), by_queue);
  if (shortest->queued_batches == longest->queued_batches && std::cmp_equal(loads.size(), partitions)) return;
  std::int32_t sum = 0;
  for (const Load& load : loads) {
    sum += longest->queued_batches + 1 - load.queued_batches;
    cumulative_.push_back(sum);
    partitions_.push_back(load.partition);
  }
}

}  // namespace sim::client
