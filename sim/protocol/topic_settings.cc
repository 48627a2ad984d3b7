#include "protocol/topic_settings.h"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/check.h"
#include "base/hash.h"

namespace sim {
namespace {

// ---- Values as text

std::string_view without_blanks(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n\f");
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r\n\f") - begin + 1);
}

// Everything up to the end is the number.
template <class Number>
bool read_whole(std::string_view text, Number& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc{} && end == text.data() + text.size();
}

// f(item) for each item of a list divided by `divider`, as long as it says true.
template <class F>
bool for_each_item(std::string_view list, char divider, F f) {
  while (!list.empty()) {
    const std::size_t end = list.find(divider);
    if (!f(without_blanks(list.substr(0, end)))) return false;
    list = end == std::string_view::npos ? std::string_view{} : list.substr(end + 1);
  }
  return true;
}

bool is_one_of(std::string_view words, std::string_view text) {
  return !for_each_item(words, '|', [text](std::string_view word) { return word != text; });
}

// Pairs such as 0:1 (ThrottledReplicaListValidator takes digits only).
bool is_replica(std::string_view item) {
  const std::size_t colon = item.find(':');
  if (colon == std::string_view::npos) return false;
  const auto is_number = [](std::string_view text) {
    std::int32_t number = 0;
    return !text.starts_with('-') && read_whole(text, number);
  };
  return is_number(item.substr(0, colon)) && is_number(item.substr(colon + 1));
}

std::optional<std::string> canonical_list(const TopicSetting& setting, std::string_view text) {
  if (setting.words.empty() && text == "*") return "*";
  std::string list;
  const bool is_valid_list = for_each_item(text, ',', [&](std::string_view item) {
    list += (list.empty() ? "" : ",") + std::string(item);
    return setting.words.empty() ? is_replica(item) : is_one_of(setting.words, item);
  });
  const bool may_be_empty = setting.fallback.empty();
  if (!is_valid_list || (list.empty() && !may_be_empty)) return std::nullopt;
  return list;
}

std::optional<std::string> canonical_number(const TopicSetting& setting, std::string_view text) {
  const bool is_int32 = setting.type == SettingType::int32;
  const std::int64_t least = is_int32 ? std::max<std::int64_t>(setting.least, INT32_MIN) : setting.least;
  const std::int64_t most = is_int32 ? std::min<std::int64_t>(setting.most, INT32_MAX) : setting.most;
  if (text.starts_with('+') && !text.starts_with("+-")) text.remove_prefix(1);
  std::int64_t number = 0;
  if (!read_whole(text, number) || number < least || number > most) return std::nullopt;
  return std::to_string(number);
}

// "0.5", ".5" and "5e-1" are 500 000; what is finer is rounded. Numbers of up to 18 digits before the point.
std::optional<std::int64_t> read_millionths(std::string_view text) {
  std::int64_t exponent = 0;
  if (const std::size_t e = text.find_first_of("eE"); e != std::string_view::npos) {
    std::string_view digits = text.substr(e + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    if (!read_whole(digits, exponent) || exponent < -40 || exponent > 18) return std::nullopt;
    text = text.substr(0, e);
  }
  const std::size_t point = std::min(text.find('.'), text.size());
  const std::string whole(text.substr(0, point));
  const std::string fraction(point < text.size() ? text.substr(point + 1) : std::string_view{});
  const std::string digits = whole + fraction;
  const bool are_digits =
      std::all_of(digits.begin(), digits.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (digits.empty() || digits.size() > 40 || !are_digits) return std::nullopt;
  // Where the digits of millionths end; those behind are rounded away.
  const std::int64_t end = static_cast<std::int64_t>(whole.size()) + exponent + 6;
  if (end < 0) return 0;
  std::int64_t millionths = 0;
  for (std::int64_t i = 0; i < end; ++i) {
    const std::int64_t digit = i < std::ssize(digits) ? digits[static_cast<std::size_t>(i)] - '0' : 0;
    if (millionths > (std::numeric_limits<std::int64_t>::max() - digit) / 10) return std::nullopt;
    millionths = millionths * 10 + digit;
  }
  const bool rounds_up = end < std::ssize(digits) && digits[static_cast<std::size_t>(end)] >= '5';
  return millionths + (rounds_up ? 1 : 0);
}

// ---- How a field stands for a setting

template <auto field>
using FieldOf = std::remove_reference_t<decltype(std::declval<TopicConfig>().*field)>;

// A field that no other shares its setting with.
template <auto field>
constexpr TopicSetting of_field(std::string_view name, SettingType type, std::string_view fallback) {
  TopicSetting setting{.name = name, .type = type, .fallback = fallback};
  setting.copy = [](TopicConfig& to, const TopicConfig& from) { to.*field = from.*field; };
  setting.same = [](const TopicConfig& a, const TopicConfig& b) { return a.*field == b.*field; };
  return setting;
}

template <auto field>
constexpr TopicSetting number_setting(std::string_view name, SettingType type, std::string_view fallback,
                                      std::int64_t least) {
  TopicSetting setting = of_field<field>(name, type, fallback);
  setting.least = least;
  setting.write = [](TopicConfig& config, std::string_view canonical) {
    FieldOf<field> number{};
    SIM_CHECK(read_whole(canonical, number), "a setting is checked before it is written");
    config.*field = number;
  };
  setting.print = [](const TopicConfig& config) { return std::to_string(config.*field); };
  return setting;
}
template <auto field>
constexpr TopicSetting int32_setting(std::string_view name, std::string_view fallback, std::int64_t least) {
  return number_setting<field>(name, SettingType::int32, fallback, least);
}
constexpr std::int64_t kNoBound = std::numeric_limits<std::int64_t>::min();
template <auto field>
constexpr TopicSetting int64_setting(std::string_view name, std::string_view fallback,
                                     std::int64_t least = kNoBound) {
  return number_setting<field>(name, SettingType::int64, fallback, least);
}

template <auto field>
constexpr TopicSetting boolean_setting(std::string_view name, std::string_view fallback) {
  TopicSetting setting = of_field<field>(name, SettingType::boolean, fallback);
  setting.write = [](TopicConfig& config, std::string_view canonical) {
    config.*field = canonical == "true";
  };
  setting.print = [](const TopicConfig& config) { return std::string(config.*field ? "true" : "false"); };
  return setting;
}

template <auto field>
constexpr TopicSetting replicas_setting(std::string_view name) {
  TopicSetting setting = of_field<field>(name, SettingType::list, "");
  setting.write = [](TopicConfig& config, std::string_view canonical) {
    ThrottledReplicas throttled;
    throttled.all = canonical == "*";
    if (throttled.all) canonical = {};
    for_each_item(canonical, ',', [&throttled](std::string_view item) {
      const std::size_t colon = item.find(':');
      std::pair<std::int32_t, std::int32_t> replica;
      return read_whole(item.substr(0, colon), replica.first) &&
             read_whole(item.substr(colon + 1), replica.second) &&
             (throttled.replicas.push_back(replica), true);
    });
    config.*field = std::move(throttled);
  };
  setting.print = [](const TopicConfig& config) {
    std::string text = (config.*field).all ? "*" : "";
    for (const auto& [partition, broker] : (config.*field).replicas)
      text += (text.empty() ? "" : ",") + std::to_string(partition) + ":" + std::to_string(broker);
    return text;
  };
  return setting;
}

constexpr TopicSetting cleanup_policy() {
  TopicSetting setting{.name = "cleanup.policy", .type = SettingType::list, .fallback = "delete"};
  setting.words = "compact|delete";
  setting.write = [](TopicConfig& config, std::string_view canonical) {
    config.cleanup_compact = canonical.find("compact") != std::string_view::npos;
    config.cleanup_delete = canonical.find("delete") != std::string_view::npos;
  };
  setting.print = [](const TopicConfig& config) {
    const bool both = config.cleanup_compact && config.cleanup_delete;
    return std::string(config.cleanup_compact ? "compact" : "") + (both ? "," : "") +
           (config.cleanup_delete ? "delete" : "");
  };
  setting.copy = [](TopicConfig& to, const TopicConfig& from) {
    to.cleanup_compact = from.cleanup_compact;
    to.cleanup_delete = from.cleanup_delete;
  };
  setting.same = [](const TopicConfig& a, const TopicConfig& b) {
    return a.cleanup_compact == b.cleanup_compact && a.cleanup_delete == b.cleanup_delete;
  };
  return setting;
}

constexpr TopicSetting timestamp_type() {
  TopicSetting setting =
      of_field<&TopicConfig::log_append_time>("message.timestamp.type", SettingType::text, "CreateTime");
  setting.words = "CreateTime|LogAppendTime";
  setting.write = [](TopicConfig& config, std::string_view canonical) {
    config.log_append_time = canonical == "LogAppendTime";
  };
  setting.print = [](const TopicConfig& config) {
    return std::string(config.log_append_time ? "LogAppendTime" : "CreateTime");
  };
  return setting;
}

std::string decimal_of(std::int64_t millionths) {
  std::string fraction = std::to_string(1'000'000 + millionths % 1'000'000).substr(1);
  fraction.resize(fraction.find_last_not_of('0') + 1);
  return std::to_string(millionths / 1'000'000) + (fraction.empty() ? "" : "." + fraction);
}

constexpr TopicSetting dirty_ratio() {
  TopicSetting setting = of_field<&TopicConfig::min_cleanable_dirty_per_million>("min.cleanable.dirty.ratio",
                                                                                 SettingType::decimal, "0.5");
  setting.least = 0;
  setting.most = 1;
  setting.write = [](TopicConfig& config, std::string_view canonical) {
    const std::optional<std::int64_t> millionths = read_millionths(canonical);
    SIM_CHECK(millionths.has_value(), "a setting is checked before it is written");
    config.min_cleanable_dirty_per_million = static_cast<std::int32_t>(*millionths);
  };
  setting.print = [](const TopicConfig& config) {
    return decimal_of(config.min_cleanable_dirty_per_million);
  };
  return setting;
}

// Known to Kafka, without effect here.
constexpr TopicSetting without_effect(std::string_view name, SettingType type, std::string_view fallback,
                                      std::int64_t least = kNoBound,
                                      std::int64_t most = std::numeric_limits<std::int64_t>::max(),
                                      std::string_view words = {}) {
  return TopicSetting{
      .name = name, .type = type, .fallback = fallback, .least = least, .most = most, .words = words};
}

constexpr TopicSetting row(TopicSetting setting, std::span<const BrokerSynonym> synonyms,
                           std::string_view meaning) {
  setting.synonyms = synonyms;
  setting.meaning = meaning;
  return setting;
}

// ---- The table

constexpr std::string_view kForEver = "9223372036854775807";
constexpr std::int64_t kMinute = 60'000;
constexpr std::int64_t kHour = 3'600'000;

constexpr BrokerSynonym kCleanupPolicy[] = {{"log.cleanup.policy"}};
constexpr BrokerSynonym kRetentionMs[] = {
    {"log.retention.ms", 1, "null"},
    {"log.retention.minutes", kMinute, "null",
     "Minutes a log segment is kept; log.retention.ms comes first."},
    {"log.retention.hours", kHour, "168",
     "Hours a log segment is kept; log.retention.minutes and log.retention.ms come first."}};
constexpr BrokerSynonym kRetentionBytes[] = {{"log.retention.bytes"}};
constexpr BrokerSynonym kSegmentBytes[] = {{"log.segment.bytes"}};
constexpr BrokerSynonym kSegmentMs[] = {
    {"log.roll.ms", 1, "null"},
    {"log.roll.hours", kHour, "168",
     "Age in hours at which a log segment is closed; log.roll.ms comes first."}};
constexpr BrokerSynonym kSegmentJitter[] = {
    {"log.roll.jitter.ms", 1, "null"},
    {"log.roll.jitter.hours", kHour, "0",
     "The most by which closing a segment is advanced at random, in hours; log.roll.jitter.ms comes first."}};
constexpr BrokerSynonym kMaxMessageBytes[] = {{"message.max.bytes"}};
constexpr BrokerSynonym kMinIsr[] = {{"min.insync.replicas"}};
constexpr BrokerSynonym kUnclean[] = {{"unclean.leader.election.enable"}};
constexpr BrokerSynonym kFlushMessages[] = {{"log.flush.interval.messages"}};
constexpr BrokerSynonym kFlushMs[] = {
    {"log.flush.interval.ms", 1, "null",
     "Time after which a log is flushed to disk; null: log.flush.scheduler.interval.ms."},
    {.name = "log.flush.scheduler.interval.ms", .only_stands_in = true}};
constexpr BrokerSynonym kDirtyRatio[] = {{"log.cleaner.min.cleanable.ratio"}};
constexpr BrokerSynonym kMinCompactionLag[] = {{"log.cleaner.min.compaction.lag.ms"}};
constexpr BrokerSynonym kMaxCompactionLag[] = {{"log.cleaner.max.compaction.lag.ms"}};
constexpr BrokerSynonym kDeleteRetention[] = {{"log.cleaner.delete.retention.ms"}};
constexpr BrokerSynonym kTimestampType[] = {{"log.message.timestamp.type"}};
constexpr BrokerSynonym kTimestampBefore[] = {{"log.message.timestamp.before.max.ms"}};
constexpr BrokerSynonym kTimestampAfter[] = {{"log.message.timestamp.after.max.ms"}};
constexpr BrokerSynonym kIndexBytes[] = {{"log.index.size.max.bytes"}};
constexpr BrokerSynonym kIndexInterval[] = {{"log.index.interval.bytes"}};
constexpr BrokerSynonym kDeleteDelay[] = {{"log.segment.delete.delay.ms"}};
constexpr BrokerSynonym kCompressionType[] = {{"compression.type"}};
constexpr BrokerSynonym kGzipLevel[] = {{"compression.gzip.level"}};
constexpr BrokerSynonym kLz4Level[] = {{"compression.lz4.level"}};
constexpr BrokerSynonym kZstdLevel[] = {{"compression.zstd.level"}};
constexpr BrokerSynonym kPreallocate[] = {{"log.preallocate"}};
constexpr BrokerSynonym kLocalRetentionMs[] = {{"log.local.retention.ms"}};
constexpr BrokerSynonym kLocalRetentionBytes[] = {{"log.local.retention.bytes"}};
constexpr std::span<const BrokerSynonym> kNone{};

constexpr TopicSetting kSettings[] = {
    row(cleanup_policy(), kCleanupPolicy, "What happens to old segments: delete, compact, or both."),
    row(int64_setting<&TopicConfig::retention_ms>("retention.ms", "604800000", -1), kRetentionMs,
        "How long a log segment is kept; -1 keeps it for ever."),
    row(int64_setting<&TopicConfig::retention_bytes>("retention.bytes", "-1"), kRetentionBytes,
        "Size of a partition beyond which its oldest segments are deleted; -1 sets no limit."),
    row(int32_setting<&TopicConfig::segment_bytes>("segment.bytes", "1073741824", 1'048'576), kSegmentBytes,
        "Size at which a log segment is closed and the next one begun."),
    row(int64_setting<&TopicConfig::segment_ms>("segment.ms", "604800000", 1), kSegmentMs,
        "Age at which a log segment is closed."),
    row(int32_setting<&TopicConfig::max_message_bytes>("max.message.bytes", "1048588", 0), kMaxMessageBytes,
        "The largest record batch that is taken."),
    row(int32_setting<&TopicConfig::min_insync_replicas>("min.insync.replicas", "1", 1), kMinIsr,
        "Replicas that must be in sync for a write with acks=all to be taken."),
    row(boolean_setting<&TopicConfig::unclean_leader_election_enable>("unclean.leader.election.enable",
                                                                      "false"),
        kUnclean, "Whether a replica outside the ISR may become leader, at the price of lost records."),
    row(int64_setting<&TopicConfig::flush_messages>("flush.messages", kForEver, 1), kFlushMessages,
        "Records after which a log is flushed to disk; by default Kafka leaves it to the operating system."),
    row(int64_setting<&TopicConfig::flush_ms>("flush.ms", kForEver, 0), kFlushMs,
        "Time after which a log is flushed to disk."),
    row(without_effect("segment.jitter.ms", SettingType::int64, "0", 0), kSegmentJitter,
        "The most by which closing a segment is advanced at random."),
    row(without_effect("segment.index.bytes", SettingType::int32, "10485760", 4), kIndexBytes,
        "Size of an offset index."),
    row(without_effect("index.interval.bytes", SettingType::int32, "4096", 0), kIndexInterval,
        "Bytes of log between two index entries."),
    row(without_effect("file.delete.delay.ms", SettingType::int64, "60000", 0), kDeleteDelay,
        "How long a deleted segment stays on disk."),
    row(dirty_ratio(), kDirtyRatio, "Share of a log that must be uncompacted before it is compacted."),
    row(int64_setting<&TopicConfig::min_compaction_lag_ms>("min.compaction.lag.ms", "0", 0),
        kMinCompactionLag, "How long a record stays uncompacted at least."),
    row(int64_setting<&TopicConfig::max_compaction_lag_ms>("max.compaction.lag.ms", kForEver, 1),
        kMaxCompactionLag, "How long a record stays uncompacted at most."),
    row(int64_setting<&TopicConfig::delete_retention_ms>("delete.retention.ms", "86400000", 0),
        kDeleteRetention, "How long a compacted topic keeps tombstones."),
    row(timestamp_type(), kTimestampType, "Whose time a record bears: its producer's or that of its leader."),
    row(int64_setting<&TopicConfig::message_timestamp_before_max_ms>("message.timestamp.before.max.ms",
                                                                     kForEver, 0),
        kTimestampBefore, "How far in the past a record's time may lie."),
    row(int64_setting<&TopicConfig::message_timestamp_after_max_ms>("message.timestamp.after.max.ms",
                                                                    "3600000", 0),
        kTimestampAfter, "How far in the future a record's time may lie."),
    row(without_effect("compression.type", SettingType::text, "producer", kNoBound, 0,
                       "uncompressed|zstd|lz4|snappy|gzip|producer"),
        kCompressionType,
        "Codec of the log; a topic's compression ratio is set by topics.<name>.compression here."),
    row(without_effect("compression.gzip.level", SettingType::int32, "-1", -1, 9), kGzipLevel,
        "Level of gzip compression."),
    row(without_effect("compression.lz4.level", SettingType::int32, "9", 1, 17), kLz4Level,
        "Level of lz4 compression."),
    row(without_effect("compression.zstd.level", SettingType::int32, "3", -131'072, 22), kZstdLevel,
        "Level of zstd compression."),
    row(without_effect("preallocate", SettingType::boolean, "false"), kPreallocate,
        "Whether segment files are allocated in advance."),
    row(replicas_setting<&TopicConfig::leader_throttled>("leader.replication.throttled.replicas"), kNone,
        "Leaders that send no more than leader.replication.throttled.rate: * or partition:broker pairs."),
    row(replicas_setting<&TopicConfig::follower_throttled>("follower.replication.throttled.replicas"), kNone,
        "Followers that fetch no more than follower.replication.throttled.rate: * or partition:broker "
        "pairs."),
    row(without_effect("remote.storage.enable", SettingType::boolean, "false"), kNone, "Tiered storage."),
    row(without_effect("local.retention.ms", SettingType::int64, "-2", -2), kLocalRetentionMs,
        "Tiered storage: how long a segment is kept locally."),
    row(without_effect("local.retention.bytes", SettingType::int64, "-2", -2), kLocalRetentionBytes,
        "Tiered storage: bytes kept locally."),
    row(without_effect("remote.log.copy.disable", SettingType::boolean, "false"), kNone,
        "Tiered storage: whether copying is off."),
    row(without_effect("remote.log.delete.on.disable", SettingType::boolean, "false"), kNone,
        "Tiered storage: whether turning it off deletes what was copied."),
};

// A new field does not compile until it has been counted here: give it a row above, too.
[[maybe_unused]] void every_field_has_a_row(const TopicConfig& config) {
  [[maybe_unused]] const auto& [compact, deletes, retention_ms, retention_bytes, segment_bytes, segment_ms,
                                max_message_bytes, min_isr, unclean, flush_messages, flush_ms, dirty_ratio,
                                min_lag, max_lag, delete_retention, append_time, before_max, after_max,
                                compression, leader_throttled, follower_throttled] = config;
}

}  // namespace

std::span<const TopicSetting> topic_settings() {
  return kSettings;
}

const TopicSetting* find_topic_setting(std::string_view name) {
  const auto found = std::find_if(std::begin(kSettings), std::end(kSettings),
                                  [name](const TopicSetting& setting) { return setting.name == name; });
  return found == std::end(kSettings) ? nullptr : found;
}

std::optional<std::string> canonical_setting(const TopicSetting& setting, std::string_view text) {
  text = without_blanks(text);
  switch (setting.type) {
    case SettingType::boolean: {
      std::string lower(text);
      for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      if (lower != "true" && lower != "false") return std::nullopt;
      return lower;
    }
    case SettingType::int32:
    case SettingType::int64: return canonical_number(setting, text);
    case SettingType::decimal: {
      const std::optional<std::int64_t> millionths = read_millionths(text);
      if (!millionths || *millionths < setting.least * 1'000'000 || *millionths > setting.most * 1'000'000)
        return std::nullopt;
      return decimal_of(*millionths);
    }
    case SettingType::text:
      if (!setting.words.empty() && !is_one_of(setting.words, text)) return std::nullopt;
      return std::string(text);
    case SettingType::list: return canonical_list(setting, text);
  }
  return std::nullopt;
}

bool set_topic_config(TopicConfig& config, std::string_view name, std::string_view value) {
  const TopicSetting* setting = find_topic_setting(name);
  if (setting == nullptr) return false;
  const std::optional<std::string> canonical = canonical_setting(*setting, value);
  if (canonical && setting->is_modelled()) setting->write(config, *canonical);
  return canonical.has_value();
}

bool reset_topic_config(TopicConfig& config, std::string_view name, const TopicConfig& defaults) {
  const TopicSetting* setting = find_topic_setting(name);
  if (setting == nullptr) return false;
  if (setting->is_modelled()) setting->copy(config, defaults);
  return true;
}

bool lags_agree(const TopicConfig& config) {
  return config.min_compaction_lag_ms <= config.max_compaction_lag_ms;
}

bool is_valid(const TopicConfig& config) {
  return lags_agree(config) &&
         std::all_of(std::begin(kSettings), std::end(kSettings), [&](const TopicSetting& one) {
           return !one.is_modelled() || canonical_setting(one, one.print(config)).has_value();
         });
}

std::uint64_t digest(const TopicConfig& config) {
  Fingerprint all;
  all.add(static_cast<std::uint64_t>(config.compression_percent));
  for_each_override(config, [&all](std::string_view name, const std::string& value) {
    all.add_bytes(name);
    all.add_bytes(value);
  });
  return all.value();
}

}  // namespace sim
