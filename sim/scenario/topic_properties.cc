#include "protocol/topic_config_entries.h"
#include "scenario/property_table.h"

// Topic properties; without one of its own, a topic has the broker's synonym.
namespace sim::scenario::rows {

namespace {

void cleanup_policy(const Targets& targets, const std::string& value) {
  if (targets.topic != nullptr) set_cleanup_policy(*targets.topic, value);
}

void timestamp_type(const Targets& targets, const std::string& value) {
  if (targets.topic != nullptr) targets.topic->log_append_time = value == "LogAppendTime";
}

void dirty_ratio(const Targets& targets, const std::string& value) {
  if (targets.topic != nullptr) targets.topic->min_cleanable_dirty_per_million = per_million(value);
}

constexpr char kLeaderThrottled[] = "leader.replication.throttled.replicas";
constexpr char kFollowerThrottled[] = "follower.replication.throttled.replicas";

// What it cannot read was refused before (validate_cluster.cc).
template <const char* name>
void throttled(const Targets& targets, const std::string& value) {
  if (targets.topic != nullptr) static_cast<void>(set_topic_config(*targets.topic, name, value));
}

constexpr Property kTopicRows[] = {
    modelled("cleanup.policy", kTopic, list, "delete", any(), cleanup_policy,
             "What happens to old segments: delete, compact, or both.", "compact|delete"),
    modelled("retention.ms", kTopic, int64, "604800000", from(-1), field<&TopicConfig::retention_ms>,
             "How long a log segment is kept; -1 keeps it for ever."),
    modelled("retention.bytes", kTopic, int64, "-1", any(), field<&TopicConfig::retention_bytes>,
             "Size of a partition beyond which its oldest segments are deleted; -1 sets no limit."),
    modelled("segment.bytes", kTopic, int32, "1073741824", from(1'048'576),
             field<&TopicConfig::segment_bytes>,
             "Size at which a log segment is closed and the next one begun."),
    modelled("segment.ms", kTopic, int64, "604800000", from(1), field<&TopicConfig::segment_ms>,
             "Age at which a log segment is closed."),
    modelled("max.message.bytes", kTopic, int32, "1048588", from(0), field<&TopicConfig::max_message_bytes>,
             "The largest record batch the topic takes."),
    modelled("min.insync.replicas", kTopic, int32, "1", from(1), field<&TopicConfig::min_insync_replicas>,
             "Replicas that must be in sync for a write with acks=all to be taken."),
    modelled("unclean.leader.election.enable", kTopic, boolean, "false", any(),
             field<&TopicConfig::unclean_leader_election_enable>,
             "Whether a replica outside the ISR may become leader, at the price of lost records."),
    modelled("flush.messages", kTopic, int64, kMaxLongText, from(1), field<&TopicConfig::flush_messages>,
             "Records after which the log is flushed to disk; by default Kafka leaves it to the operating "
             "system."),
    modelled("flush.ms", kTopic, int64, kMaxLongText, from(0), field<&TopicConfig::flush_ms>,
             "Time after which the log is flushed to disk."),
    accepted("segment.jitter.ms", kTopic, int64, "0",
             "The most by which closing a segment is advanced at random.", from(0)),
    accepted("segment.index.bytes", kTopic, int32, "10485760", "Size of an offset index.", from(4)),
    accepted("index.interval.bytes", kTopic, int32, "4096", "Bytes of log between two index entries.",
             from(0)),
    accepted("file.delete.delay.ms", kTopic, int64, "60000", "How long a deleted segment stays on disk.",
             from(0)),
    modelled("min.cleanable.dirty.ratio", kTopic, decimal, "0.5", within(0, 1), dirty_ratio,
             "Share of a log that must be uncompacted before it is compacted."),
    modelled("min.compaction.lag.ms", kTopic, int64, "0", from(0), field<&TopicConfig::min_compaction_lag_ms>,
             "How long a record stays uncompacted at least."),
    modelled("max.compaction.lag.ms", kTopic, int64, kMaxLongText, from(1),
             field<&TopicConfig::max_compaction_lag_ms>, "How long a record stays uncompacted at most."),
    modelled("delete.retention.ms", kTopic, int64, "86400000", from(0),
             field<&TopicConfig::delete_retention_ms>, "How long a compacted topic keeps tombstones."),
    modelled("message.timestamp.type", kTopic, text, "CreateTime", any(), timestamp_type,
             "Whose time a record bears: its producer's or that of its leader.", "CreateTime|LogAppendTime"),
    modelled("message.timestamp.before.max.ms", kTopic, int64, kMaxLongText, from(0),
             field<&TopicConfig::message_timestamp_before_max_ms>,
             "How far in the past a record's time may lie."),
    modelled("message.timestamp.after.max.ms", kTopic, int64, "3600000", from(0),
             field<&TopicConfig::message_timestamp_after_max_ms>,
             "How far in the future a record's time may lie."),
    accepted("compression.type", kTopic, text, "producer",
             "Codec of the log; a topic's compression ratio is set by topics.<name>.compression here.", {},
             "uncompressed|zstd|lz4|snappy|gzip|producer"),
    accepted("preallocate", kTopic, boolean, "false", "Whether segment files are allocated in advance."),
    modelled(
        "leader.replication.throttled.replicas", kTopic, list, "", any(), throttled<kLeaderThrottled>,
        "Leaders that send no more than leader.replication.throttled.rate: * or partition:broker pairs."),
    modelled("follower.replication.throttled.replicas", kTopic, list, "", any(),
             throttled<kFollowerThrottled>,
             "Followers that fetch no more than follower.replication.throttled.rate: * or partition:broker "
             "pairs."),
    accepted("remote.storage.enable", kTopic, boolean, "false", "Tiered storage."),
    accepted("local.retention.ms", kTopic, int64, "-2", "Tiered storage: how long a segment is kept locally.",
             from(-2)),
    accepted("local.retention.bytes", kTopic, int64, "-2", "Tiered storage: bytes kept locally.", from(-2)),
    accepted("remote.log.copy.disable", kTopic, boolean, "false", "Tiered storage: whether copying is off."),
    accepted("remote.log.delete.on.disable", kTopic, boolean, "false",
             "Tiered storage: whether turning it off deletes what was copied."),
    removed("message.format.version", kTopic, "record batches have format v2 only"),
    removed("message.timestamp.difference.max.ms", kTopic,
            "see message.timestamp.before.max.ms and message.timestamp.after.max.ms"),
    removed("message.downconversion.enable", kTopic, "records are no longer converted to old formats"),
};

}  // namespace

std::int32_t per_million(const std::string& value) {
  double number = 0;
  std::from_chars(value.data(), value.data() + value.size(), number);
  return static_cast<std::int32_t>(number * 1'000'000 + 0.5);
}

std::span<const Property> topic_rows() {
  return kTopicRows;
}

}  // namespace sim::scenario::rows
