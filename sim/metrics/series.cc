#include "metrics/series.h"

#include <algorithm>

namespace sim::metrics {

void Series::on(const observe::BatchAppended& fact) {
  now_.messages_in += fact.batch.record_count;
  now_.bytes_in += fact.batch.size_bytes();
}

void Series::on(const observe::TopicCreated& fact) {
  const auto topic = static_cast<std::size_t>(fact.id.value());
  if (topic >= replication_factor_.size()) replication_factor_.resize(topic + 1, 0);
  replication_factor_[topic] = fact.replication_factor;
}

std::int32_t Series::replicas_of(TopicId topic) const {
  const auto index = static_cast<std::size_t>(topic.value());
  return index < replication_factor_.size() ? replication_factor_[index] : 0;
}

void Series::on(const observe::IsrChanged& changed) {
  Replicas& replicas = replicas_[changed.tp];
  const auto now = static_cast<std::int32_t>(changed.isr.size());
  const std::int32_t before = replicas.isr < 0 ? replicas_of(changed.tp.topic) : replicas.isr;
  if (now < before) ++now_.isr_shrinks;
  if (now > before && replicas.isr >= 0) ++now_.isr_expands;
  replicas.isr = now;
}

void Series::on(const observe::ClientThrottled& throttled) {
  std::int64_t& longest = throttled.quota == observe::QuotaKind::produce ? now_.produce_throttle_ms
                          : throttled.quota == observe::QuotaKind::fetch ? now_.fetch_throttle_ms
                                                                         : now_.request_throttle_ms;
  longest = std::max<std::int64_t>(longest, throttled.throttle_ms);
}

void Series::close_row(std::int64_t at, const OrderLedger& ledger) {
  const OrderLedger::Totals& totals = ledger.totals();
  now_.placed = static_cast<std::int64_t>(totals.placed - before_.placed);
  now_.acknowledged = static_cast<std::int64_t>(totals.acknowledged - before_.acknowledged);
  now_.failed = static_cast<std::int64_t>(totals.failed - before_.failed);
  now_.fulfilled = static_cast<std::int64_t>(totals.fulfilled - before_.fulfilled);
  now_.in_flight = static_cast<std::int64_t>(totals.placed - totals.ended);
  replicas_.for_each([&](TopicPartition tp, const Replicas& replicas) {
    if (replicas.isr >= 0 && replicas.isr < replicas_of(tp.topic)) ++now_.under_replicated;
  });
  for (std::size_t s = 0; s < services_; ++s) now_.lag.push_back(lag_of(s, at, ledger));
  before_ = totals;
  rows_.push_back(std::move(now_));
  now_ = Row{};
  last_end_ = at;
}

Series::Lag Series::lag_of(std::size_t service, std::int64_t at, const OrderLedger& ledger) const {
  Lag lag;
  ledger.for_each_partition([&](TopicPartition tp) {
    const Offset committed = ledger.committed(tp, service);
    const Offset high_watermark = ledger.high_watermark(tp);
    if (committed >= high_watermark || !ledger.reads(tp, service)) return;
    lag.offsets += high_watermark - committed;
    const std::int64_t oldest = ledger.appended_at(tp, committed);
    if (oldest != kNever) lag.ns = std::max(lag.ns, at - oldest);
  });
  return lag;
}

void Series::finish(Instant end, const OrderLedger& ledger) {
  advance(end, ledger);
  if (nanos(end) > last_end_) close_row(nanos(end), ledger);
}

std::int64_t Series::end_of(std::size_t row) const {
  return row + 1 == rows_.size() ? last_end_ : static_cast<std::int64_t>(row + 1) * kSecond;
}

}  // namespace sim::metrics
