#include "controller/metadata_log.h"

#include <limits>
#include <utility>

#include "base/check.h"
#include "protocol/batch_builder.h"

namespace sim::controller {
namespace {

// LeaderChangeMessage: version, leader, voters, granting voters; a control record's key is version and type.
constexpr std::int32_t kControlKeyBytes = 4;
constexpr std::int32_t kLeaderChangeBytes = 40;

BatchDataPtr leader_change(std::int64_t timestamp_ms) {
  BatchData data = *make_data_batch({Record{kNoRecord, timestamp_ms, kControlKeyBytes, kLeaderChangeBytes}});
  data.control = true;
  return std::make_shared<const BatchData>(std::move(data));
}

std::int64_t now_ms(node::Env env) { return millis(env.now.time_since_epoch()); }

}  // namespace

MetadataLog::MetadataLog(const log::LogImage* image)
    : log_(image != nullptr ? log::PartitionLog(*image) : log::PartitionLog()), leader_epoch_(log_.latest_epoch()) {
  if (leader_epoch_ == kNoLeaderEpoch) leader_epoch_ = LeaderEpoch{0};
}

std::vector<Batch> MetadataLog::recovered() const {
  return log_.read(log_.log_start_offset(), log_.log_end_offset(), std::numeric_limits<std::int64_t>::max(), true);
}

Batch MetadataLog::begin_epoch(node::Env env, node::Effects& out) {
  leader_epoch_ = leader_epoch_.next();
  log_.begin_epoch(leader_epoch_, log_.log_end_offset());
  return write(leader_change(now_ms(env)), out);
}

Batch MetadataLog::append(std::vector<MetadataRecord> records, node::Env env, node::Effects& out) {
  return write(make_batch(std::move(records), now_ms(env)), out);
}

Batch MetadataLog::write(BatchDataPtr data, node::Effects& out) {
  Batch batch = log_.assign(std::move(data), leader_epoch_);
  const node::PersistId id = next_write_;
  next_write_ = next_write_.next();
  out.push_back(node::Persist{id, {log::AppendBatch{kClusterMetadata, batch}}, node::Safety::flushed});
  writes_.push_back(Write{id, batch});
  return batch;
}

void MetadataLog::persisted(const node::Persisted& done) {
  SIM_CHECK(!writes_.empty() && writes_.front().id == done.id, "writes to one log are done in their order");
  log_.append(std::move(writes_.front().batch));
  writes_.pop_front();
  high_watermark_ = log_.log_end_offset();
}

std::vector<Batch> MetadataLog::read(Offset from, std::int64_t max_bytes) const {
  return log_.read(from, high_watermark_, max_bytes, true);
}

}  // namespace sim::controller
