#pragma once

#include <cstdint>
#include <vector>

#include "protocol/messages.h"

// A consumer's side of an incremental fetch session with one broker (KIP-227; FetchSessionHandler in Kafka).
//
// A full request (session epoch 0) names all partitions and opens a session, if the broker grants one; after
// that only what was added, changed or dropped is named. An error of the session, or a lost answer, leads to
// a full request that also closes the old session.
namespace sim::client {

class FetchSession {
 public:
  struct Partition {
    TopicPartition tp;
    Offset fetch_offset = 0;
    LeaderEpoch current_leader_epoch = kNoLeaderEpoch;
    bool wanted = false;   // in the request being built
    bool changed = false;  // since it was last named
  };

  // A request is built by adding all partitions that it shall ask for.
  void add(TopicPartition tp, Offset fetch_offset, LeaderEpoch current_leader_epoch);
  bool building() const { return building_; }
  // Names what must be named in `request`; the session's other partitions are implied.
  void build(FetchRequest& request, std::int32_t partition_max_bytes);

  const Partition* find(TopicPartition tp) const;  // of the session
  const std::vector<Partition>& partitions() const { return partitions_; }

  // False: the answer is an error of the session and holds nothing.
  bool handle_response(const FetchResponse& response);
  void handle_error();
  // The last request of this session (FINAL_EPOCH); false: there is none to close.
  bool build_close(FetchRequest& request);

 private:
  bool is_full() const { return epoch_ == 0; }

  std::vector<Partition> partitions_;  // sorted
  std::vector<TopicPartition> new_in_order_;
  bool building_ = false;
  std::int32_t id_ = 0;
  std::int32_t epoch_ = 0;  // of the next request
};

}  // namespace sim::client
