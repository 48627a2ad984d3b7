#include "client/fetcher_session.h"

#include <algorithm>
#include <limits>

namespace sim::client {

namespace {

const auto kBefore = [](const FetchSession::Partition& partition, TopicPartition tp) {
  return partition.tp < tp;
};

FetchRequest::Partition named(const FetchSession::Partition& partition, std::int32_t max_bytes) {
  FetchRequest::Partition out;
  out.tp = partition.tp;
  out.current_leader_epoch = partition.current_leader_epoch;
  out.fetch_offset = partition.fetch_offset;
  out.max_bytes = max_bytes;
  return out;
}

}  // namespace

const FetchSession::Partition* FetchSession::find(TopicPartition tp) const {
  const auto found = std::lower_bound(partitions_.begin(), partitions_.end(), tp, kBefore);
  return found == partitions_.end() || found->tp != tp ? nullptr : &*found;
}

void FetchSession::add(TopicPartition tp, Offset fetch_offset, LeaderEpoch current_leader_epoch) {
  building_ = true;
  const auto place = std::lower_bound(partitions_.begin(), partitions_.end(), tp, kBefore);
  if (place == partitions_.end() || place->tp != tp) {
    partitions_.insert(place, Partition{tp, fetch_offset, current_leader_epoch, true, false});
    new_in_order_.push_back(tp);
    return;
  }
  place->wanted = true;
  place->changed = place->fetch_offset != fetch_offset || place->current_leader_epoch != current_leader_epoch;
  place->fetch_offset = fetch_offset;
  place->current_leader_epoch = current_leader_epoch;
}

void FetchSession::build(FetchRequest& request, std::int32_t partition_max_bytes) {
  request.session_id = id_;
  request.session_epoch = epoch_;
  if (is_full()) {
    for (const Partition& partition : partitions_) {
      if (partition.wanted) request.partitions.push_back(named(partition, partition_max_bytes));
    }
  } else {
    for (const TopicPartition tp : new_in_order_)
      request.partitions.push_back(named(*find(tp), partition_max_bytes));
    for (const Partition& partition : partitions_) {
      if (!partition.wanted) request.forgotten.push_back(partition.tp);
      if (partition.changed) request.partitions.push_back(named(partition, partition_max_bytes));
    }
  }
  partitions_.erase(std::remove_if(partitions_.begin(), partitions_.end(),
                                   [](const Partition& partition) { return !partition.wanted; }),
                    partitions_.end());
  for (Partition& partition : partitions_) partition.wanted = partition.changed = false;
  new_in_order_.clear();
  building_ = false;
}

bool FetchSession::handle_response(const FetchResponse& response) {
  if (response.error == ErrorCode::fetch_session_id_not_found) {
    id_ = 0;
    epoch_ = 0;
    return false;
  }
  if (response.error != ErrorCode::none) {
    handle_error();
    return false;
  }
  if (response.session_id == 0) {
    id_ = 0;
    epoch_ = 0;
  } else if (is_full()) {
    id_ = response.session_id;
    epoch_ = 1;
  } else {
    epoch_ = epoch_ == std::numeric_limits<std::int32_t>::max() ? 1 : epoch_ + 1;
  }
  return true;
}

void FetchSession::handle_error() {
  epoch_ = 0;
}

bool FetchSession::build_close(FetchRequest& request) {
  if (id_ == 0) return false;
  request.session_id = id_;
  request.session_epoch = -1;
  id_ = 0;
  epoch_ = 0;
  return true;
}

}  // namespace sim::client
