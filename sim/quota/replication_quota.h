#pragma once

#include <cstdint>

#include "quota/quota_rate.h"
#include "server/config.h"
#include "server/context.h"

// The throttles of replication (ReplicationQuotaManager, KIP-73): of all that a broker sends to followers, or
// fetches as one, the bytes of throttled replicas are counted, and while they exceed the rate, those of them
// that are not in sync get nothing. Replicas that are in sync are counted and never held back.
namespace sim::quota {

using server::BrokerConfig;
using server::ClientQuota;
using server::Context;

class ReplicationQuota {
 public:
  enum class Side : std::uint8_t { leader, follower };

  ReplicationQuota(Side side, const BrokerConfig& config)
      : side_(side),
        rate_(QuotaRate::Span::elapsed, config.replication_quota_window_num,
              config.replication_quota_window_size_seconds) {}

  // This broker's replica is among leader/follower.replication.throttled.replicas of its topic.
  bool is_throttled(TopicPartition tp, const TopicConfig& topic, const Context& context) const {
    const ThrottledReplicas& replicas =
        side_ == Side::leader ? topic.leader_throttled : topic.follower_throttled;
    return !replicas.empty() && replicas.contains(tp.partition, context.self.value());
  }
  bool is_exceeded(const Context& context) {
    const std::int64_t limit = this->limit(context);
    return limit != ClientQuota::kNoLimit && rate_.exceeds(limit, context.now_ms());
  }
  void record(std::int64_t bytes, const Context& context) {
    if (limit(context) != ClientQuota::kNoLimit) rate_.record(bytes, context.now_ms());
  }

 private:
  std::int64_t limit(const Context& context) const {
    return side_ == Side::leader ? context.config.leader_replication_throttled_rate
                                 : context.config.follower_replication_throttled_rate;
  }

  Side side_;
  QuotaRate rate_;
};

}  // namespace sim::quota
