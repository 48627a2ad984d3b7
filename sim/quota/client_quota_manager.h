#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "quota/quota_rate.h"
#include "server/config.h"
#include "server/context.h"

// What clients may use of this broker, and how long they must be silent after more (ClientQuotaManager,
// ClientRequestQuotaManager; KIP-13, KIP-124, KIP-219): bytes produced, bytes fetched, time of request
// handler threads. A client over a quota is answered at once, with a throttle time; the host reads its
// connection no further for so long, and the client sends nothing there.
//
// Left out: quotas of users, and their change at run time. Of a request's time on threads, that of network
// threads is not counted.
namespace sim::quota {

using server::BrokerConfig;
using server::ClientQuota;
using server::ClientQuotas;
using server::Context;

class ClientQuotaManager {
 public:
  explicit ClientQuotaManager(const BrokerConfig& config);

  bool is_enabled() const { return quotas_ != nullptr; }

  // Each records what was used and returns the throttle time in milliseconds.
  // Time on threads counts for no more than a window's throttling, and not for acks=0, which waits for no
  // answer.
  std::int32_t produced(ProcessId client, std::int64_t bytes, std::int64_t thread_nanos, bool is_answered,
                        const Context& context);
  // A throttled fetch is answered without data, so its bytes do not count.
  std::int32_t fetched(ProcessId client, std::int64_t bytes, std::int64_t thread_nanos,
                       const Context& context);
  std::int32_t handled(ProcessId client, std::int64_t thread_nanos, const Context& context);

  // The most that could be fetched in all windows but one without being throttled (getMaxValueInQuotaWindow).
  std::int64_t most_fetched_in_window(ProcessId client) const;

 private:
  struct Client {  // of one client id
    QuotaRate produce;
    QuotaRate fetch;
    QuotaRate request;
  };
  std::int32_t index_of(ProcessId client) const;
  std::int32_t request_throttle_ms(Client& client, const ClientQuota& quota, std::int64_t thread_nanos,
                                   std::int64_t now_ms) const;
  std::int32_t throttled(ProcessId client, observe::QuotaKind kind, std::int64_t data_ms,
                         std::int64_t request_ms, const Context& context) const;

  std::shared_ptr<const ClientQuotas> quotas_;
  std::int32_t windows_;
  std::int32_t window_seconds_;
  std::vector<Client> clients_;  // by quota
};

}  // namespace sim::quota
