#include "replica/purgatory.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace sim::replica {

std::uint32_t ProducePurgatory::park(Operation operation, const PartitionTable& table) {
  std::uint32_t key = static_cast<std::uint32_t>(slots_.size());
  if (free_.empty()) {
    slots_.emplace_back();
  } else {
    key = free_.back();
    free_.pop_back();
  }
  Slot& slot = slots_[key];
  slot.operation = std::move(operation);
  slot.locals.assign(slot.operation.required.size(), kNotLocal);
  slot.left = 0;
  for (std::uint32_t i = 0; i < slot.operation.required.size(); ++i) {
    const Offset required = slot.operation.required[i];
    if (required == kNoOffset) continue;
    const LocalIndex local = table.find(slot.operation.outcome.partitions[i].tp);
    SIM_CHECK(local != kNotLocal, "what was appended to is here");
    slot.locals[i] = local;
    ++slot.left;
    if (static_cast<std::size_t>(local) >= waiting_.size())
      waiting_.resize(static_cast<std::size_t>(local) + 1);
    std::vector<Waiting>& list = waiting_[static_cast<std::size_t>(local)];
    const auto after =
        std::upper_bound(list.begin(), list.end(), required,
                         [](Offset offset, const Waiting& one) { return offset < one.required; });
    list.insert(after, Waiting{required, key, i});
  }
  SIM_CHECK(slot.left > 0, "something is waited for");
  return key;
}

void ProducePurgatory::check(LocalIndex local, const Partition& partition, DeadlineQueue& deadlines,
                             std::vector<AppendOutcome>& done) {
  if (!is_waiting(local)) return;
  std::vector<Waiting>& list = waiting_[static_cast<std::size_t>(local)];
  std::size_t satisfied = 0;
  while (satisfied < list.size() && partition.replicated(list[satisfied].required)) ++satisfied;
  if (satisfied == 0) return;
  for (std::size_t i = 0; i < satisfied; ++i) {
    resolve(list[i], *partition.replicated(list[i].required), deadlines, done);
  }
  list.erase(list.begin(), list.begin() + static_cast<std::ptrdiff_t>(satisfied));
}

void ProducePurgatory::fail_all(LocalIndex local, ErrorCode error, DeadlineQueue& deadlines,
                                std::vector<AppendOutcome>& done) {
  if (!is_waiting(local)) return;
  for (const Waiting& waiting : waiting_[static_cast<std::size_t>(local)])
    resolve(waiting, error, deadlines, done);
  waiting_[static_cast<std::size_t>(local)].clear();
}

void ProducePurgatory::resolve(const Waiting& waiting, ErrorCode error, DeadlineQueue& deadlines,
                               std::vector<AppendOutcome>& done) {
  Slot& slot = slots_[waiting.key];
  slot.operation.outcome.partitions[waiting.partition].error = error;
  slot.operation.required[waiting.partition] = kNoOffset;
  if (--slot.left > 0) return;
  deadlines.remove(deadline_of_produce(waiting.key));
  done.push_back(release(waiting.key));
}

AppendOutcome ProducePurgatory::expire(std::uint32_t key) {
  Slot& slot = slots_[key];
  for (std::size_t i = 0; i < slot.operation.required.size(); ++i) {
    if (slot.operation.required[i] == kNoOffset) continue;
    slot.operation.outcome.partitions[i].error = ErrorCode::request_timed_out;
    std::erase_if(waiting_[static_cast<std::size_t>(slot.locals[i])],
                  [key](const Waiting& waiting) { return waiting.key == key; });
  }
  return release(key);
}

AppendOutcome ProducePurgatory::release(std::uint32_t key) {
  free_.push_back(key);
  return std::move(slots_[key].operation.outcome);
}

}  // namespace sim::replica
