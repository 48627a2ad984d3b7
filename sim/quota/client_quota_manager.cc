#include "quota/client_quota_manager.h"

#include <algorithm>
#include <limits>

namespace sim::quota {
namespace {

std::int32_t as_int(std::int64_t ms) {
  return static_cast<std::int32_t>(std::min<std::int64_t>(ms, std::numeric_limits<std::int32_t>::max()));
}

// Over a limit: for how long. Nothing is kept of what has none.
std::int64_t record(QuotaRate& rate, std::int64_t value, std::int64_t limit, std::int64_t now_ms) {
  if (limit == ClientQuota::kNoLimit) return 0;
  rate.record(value, now_ms);
  return rate.throttle_ms(limit, now_ms);
}

}  // namespace

ClientQuotaManager::ClientQuotaManager(const BrokerConfig& config)
    : quotas_(config.client_quotas),
      windows_(config.quota_window_num),
      window_seconds_(config.quota_window_size_seconds) {
  if (quotas_ == nullptr) return;
  const QuotaRate fresh(QuotaRate::Span::all_windows, windows_, window_seconds_);
  clients_.assign(quotas_->quotas.size(), Client{fresh, fresh, fresh});
}

std::int32_t ClientQuotaManager::index_of(ProcessId client) const {
  const auto process = static_cast<std::size_t>(client.value());
  return quotas_ == nullptr || process >= quotas_->of_process.size() ? -1 : quotas_->of_process[process];
}

std::int32_t ClientQuotaManager::produced(ProcessId client, std::int64_t bytes, std::int64_t thread_nanos,
                                          bool is_answered, const Context& context) {
  const std::int32_t index = index_of(client);
  if (index < 0) return 0;
  Client& of = clients_[static_cast<std::size_t>(index)];
  const ClientQuota& quota = quotas_->quotas[static_cast<std::size_t>(index)];
  const std::int64_t data_ms = record(of.produce, bytes, quota.producer_byte_rate, context.now_ms());
  const std::int64_t request_ms =
      is_answered ? request_throttle_ms(of, quota, thread_nanos, context.now_ms()) : 0;
  return throttled(client, observe::QuotaKind::produce, data_ms, request_ms, context);
}

std::int32_t ClientQuotaManager::fetched(ProcessId client, std::int64_t bytes, std::int64_t thread_nanos,
                                         const Context& context) {
  const std::int32_t index = index_of(client);
  if (index < 0) return 0;
  Client& of = clients_[static_cast<std::size_t>(index)];
  const ClientQuota& quota = quotas_->quotas[static_cast<std::size_t>(index)];
  const std::int64_t request_ms = request_throttle_ms(of, quota, thread_nanos, context.now_ms());
  const std::int64_t data_ms = record(of.fetch, bytes, quota.consumer_byte_rate, context.now_ms());
  if (data_ms > 0 || request_ms > 0) record(of.fetch, -bytes, quota.consumer_byte_rate, context.now_ms());
  return throttled(client, observe::QuotaKind::fetch, data_ms, request_ms, context);
}

std::int32_t ClientQuotaManager::handled(ProcessId client, std::int64_t thread_nanos,
                                         const Context& context) {
  const std::int32_t index = index_of(client);
  if (index < 0) return 0;
  const std::int64_t request_ms =
      request_throttle_ms(clients_[static_cast<std::size_t>(index)],
                          quotas_->quotas[static_cast<std::size_t>(index)], thread_nanos, context.now_ms());
  return throttled(client, observe::QuotaKind::request, 0, request_ms, context);
}

std::int32_t ClientQuotaManager::request_throttle_ms(Client& client, const ClientQuota& quota,
                                                     std::int64_t thread_nanos, std::int64_t now_ms) const {
  const std::int64_t ms = record(client.request, thread_nanos, quota.request_nanos_per_second, now_ms);
  return as_int(std::min<std::int64_t>(ms, std::int64_t{window_seconds_} * 1'000));
}

std::int32_t ClientQuotaManager::throttled(ProcessId client, observe::QuotaKind kind, std::int64_t data_ms,
                                           std::int64_t request_ms, const Context& context) const {
  const std::int32_t ms = as_int(std::max(data_ms, request_ms));
  if (ms == 0) return 0;
  const bool is_for_time = data_ms <= request_ms;
  node::report(context.out,
               observe::ClientThrottled{client, is_for_time ? observe::QuotaKind::request : kind, ms});
  return ms;
}

std::int64_t ClientQuotaManager::most_fetched_in_window(ProcessId client) const {
  const std::int32_t index = index_of(client);
  const std::int64_t rate =
      index < 0 ? ClientQuota::kNoLimit : quotas_->quotas[static_cast<std::size_t>(index)].consumer_byte_rate;
  const std::int64_t seconds = std::int64_t{windows_ - 1} * window_seconds_;
  constexpr std::int64_t kMost = std::numeric_limits<std::int32_t>::max();
  if (seconds == 0) return 0;
  return rate > kMost / seconds ? kMost : rate * seconds;
}

}  // namespace sim::quota
