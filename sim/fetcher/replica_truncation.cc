#include <algorithm>

#include "base/check.h"
#include "fetcher/replica_fetcher.h"

// How a follower cut its log before a fetch told it where it diverges (AbstractFetcherThread.maybeTruncate,
// truncateToEpochEndOffsets, getOffsetTruncationState): it asks the leader where its last epoch ended, and
// fetches nothing until it has cut what lies behind.
//
// With Truncation::epoch the answer is an offset alone. A leader that never had the asked-for epoch answers
// where the next one starts, which may lie behind all that the follower has of its own: then nothing is cut,
// and the logs differ for ever (KIP-279). With Truncation::epoch_search the answer says of which epoch it is,
// and the follower asks on until that is one which both have had.
namespace sim::fetcher {

bool ReplicaFetcher::may_truncate() const {
  return std::any_of(truncating_.begin(), truncating_.end(), [this](std::int32_t index) {
    return !partitions_[static_cast<std::size_t>(index)].delayed;
  });
}

void ReplicaFetcher::ask_epoch_ends(const Context& context) {
  OffsetForLeaderEpochRequest request;
  request.replica = context.self;
  const bool names_epoch = context.config.history.fetch_leader_epoch;
  for (const std::int32_t index : truncating_) {
    const Position& position = partitions_[static_cast<std::size_t>(index)];
    if (position.delayed) continue;
    request.partitions.push_back(
        {position.tp, names_epoch ? position.leader_epoch : kNoLeaderEpoch, position.last_fetched_epoch});
    asked_epochs_.push_back(AskedEpoch{position.local, position.tp, position.leader_epoch});
  }
  client_.send(endpoint_, std::move(request), context.env, context.out);
  stage_ = Stage::truncating;
}

void ReplicaFetcher::on_epoch_ends(const OffsetForLeaderEpochResponse& response, PartitionTable& table,
                                   const Context& context, Work& work) {
  SIM_CHECK(stage_ == Stage::truncating && response.partitions.size() == asked_epochs_.size(),
            "each question has its answer");
  const std::vector<AskedEpoch> asked = std::exchange(asked_epochs_, {});
  for (std::size_t i = 0; i < asked.size(); ++i) {
    const OffsetForLeaderEpochResponse::Partition& answer = response.partitions[i];
    Position* position = find(asked[i].local, asked[i].tp);
    // It may have left, or follow in another epoch by now.
    if (position == nullptr || !position->truncating || position->leader_epoch != asked[i].leader_epoch)
      continue;
    if (answer.error == ErrorCode::fenced_leader_epoch) {
      remove(asked[i].local, asked[i].tp);  // failed, until the metadata names a newer epoch
      continue;
    }
    if (answer.error != ErrorCode::none) {
      delay(*position, context);
      continue;
    }
    Partition& partition = table.at(asked[i].local);
    if (answer.end_offset == kNoOffset) {
      truncate(position->offset, *position, partition, context, work);
    } else if (answer.leader_epoch == kNoLeaderEpoch) {
      truncate(std::min(answer.end_offset, partition.log_end_offset()), *position, partition, context, work);
    } else {
      const FetchResponse::EpochEnd end{answer.leader_epoch, answer.end_offset};
      const auto ours = partition.log().end_offset_for(end.leader_epoch);
      const bool goes_on = ours && ours->leader_epoch != end.leader_epoch;
      truncate(partition.truncation_point(end), *position, partition, context, work);
      if (goes_on && position->last_fetched_epoch != kNoLeaderEpoch) continue;  // asks on, from what is left
    }
    truncated(*position);
  }
  proceed(table, context, work);
}

void ReplicaFetcher::truncated(Position& position) {
  position.truncating = false;
  std::erase(truncating_, static_cast<std::int32_t>(&position - partitions_.data()));
  if (is_ready(position)) ++ready_;
  touch(position);
}

}  // namespace sim::fetcher
