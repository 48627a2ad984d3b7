#include "protocol/topic_config_entries.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <iterator>
#include <limits>
#include <type_traits>
#include <utility>

namespace sim {
namespace {

struct Row {
  std::string_view name;
  bool (*set)(TopicConfig& config, std::string_view value);
  void (*copy)(TopicConfig& to, const TopicConfig& from);
};

template <class Number>
bool read(std::string_view text, Number& into) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), into);
  return error == std::errc{} && end == text.data() + text.size();
}

template <auto field, std::int64_t least = std::numeric_limits<std::int64_t>::min()>
constexpr Row number(std::string_view name) {
  return {name,
          [](TopicConfig& config, std::string_view value) {
            std::remove_reference_t<decltype(config.*field)> read_value{};
            if (!read(value, read_value) || read_value < least) return false;
            config.*field = read_value;
            return true;
          },
          [](TopicConfig& to, const TopicConfig& from) { to.*field = from.*field; }};
}

template <auto field>
constexpr Row boolean(std::string_view name) {
  return {name,
          [](TopicConfig& config, std::string_view value) {
            if (value != "true" && value != "false") return false;
            config.*field = value == "true";
            return true;
          },
          [](TopicConfig& to, const TopicConfig& from) { to.*field = from.*field; }};
}

// f(item) for each item of a comma-separated list, as long as it says true.
template <class F>
bool for_each_item(std::string_view list, F f) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (!f(list.substr(0, comma))) return false;
    list = comma == std::string_view::npos ? std::string_view{} : list.substr(comma + 1);
  }
  return true;
}

bool set_cleanup_policy(TopicConfig& config, std::string_view value) {
  bool compacts = false;
  bool deletes = false;
  const bool valid = for_each_item(value, [&](std::string_view item) {
    compacts |= item == "compact";
    deletes |= item == "delete";
    return item == "compact" || item == "delete";
  });
  if (!valid || (!compacts && !deletes)) return false;
  config.cleanup_compact = compacts;
  config.cleanup_delete = deletes;
  return true;
}

// "*", or "0:1,0:2": partition and broker.
template <auto field>
constexpr Row throttled_replicas(std::string_view name) {
  return {name,
          [](TopicConfig& config, std::string_view value) {
            ThrottledReplicas throttled;
            throttled.all = value == "*";
            const bool valid =
                throttled.all || for_each_item(value, [&](std::string_view item) {
                  const std::size_t colon = item.find(':');
                  std::pair<std::int32_t, std::int32_t> replica;
                  if (colon == std::string_view::npos || !read(item.substr(0, colon), replica.first) ||
                      !read(item.substr(colon + 1), replica.second))
                    return false;
                  throttled.replicas.push_back(replica);
                  return true;
                });
            if (valid) config.*field = std::move(throttled);
            return valid;
          },
          [](TopicConfig& to, const TopicConfig& from) { to.*field = from.*field; }};
}

constexpr Row kRows[] = {
    {"cleanup.policy", set_cleanup_policy,
     [](TopicConfig& to, const TopicConfig& from) {
       to.cleanup_compact = from.cleanup_compact;
       to.cleanup_delete = from.cleanup_delete;
     }},
    number<&TopicConfig::delete_retention_ms, 0>("delete.retention.ms"),
    number<&TopicConfig::flush_messages, 1>("flush.messages"),
    number<&TopicConfig::flush_ms, 0>("flush.ms"),
    throttled_replicas<&TopicConfig::follower_throttled>("follower.replication.throttled.replicas"),
    throttled_replicas<&TopicConfig::leader_throttled>("leader.replication.throttled.replicas"),
    number<&TopicConfig::max_compaction_lag_ms, 1>("max.compaction.lag.ms"),
    number<&TopicConfig::max_message_bytes, 0>("max.message.bytes"),
    number<&TopicConfig::min_compaction_lag_ms, 0>("min.compaction.lag.ms"),
    number<&TopicConfig::min_insync_replicas, 1>("min.insync.replicas"),
    number<&TopicConfig::retention_bytes>("retention.bytes"),
    number<&TopicConfig::retention_ms, -1>("retention.ms"),
    number<&TopicConfig::segment_bytes, 1'048'576>("segment.bytes"),
    number<&TopicConfig::segment_ms, 1>("segment.ms"),
    boolean<&TopicConfig::unclean_leader_election_enable>("unclean.leader.election.enable"),
};

const Row* find(std::string_view name) {
  const auto row =
      std::find_if(std::begin(kRows), std::end(kRows), [name](const Row& one) { return one.name == name; });
  return row == std::end(kRows) ? nullptr : row;
}

}  // namespace

bool set_topic_config(TopicConfig& config, std::string_view name, std::string_view value) {
  const Row* row = find(name);
  return row != nullptr && row->set(config, value);
}

bool reset_topic_config(TopicConfig& config, std::string_view name, const TopicConfig& defaults) {
  const Row* row = find(name);
  if (row == nullptr) return false;
  row->copy(config, defaults);
  return true;
}

std::vector<std::string_view> alterable_topic_configs() {
  std::vector<std::string_view> names;
  for (const Row& row : kRows) names.push_back(row.name);
  return names;
}

}  // namespace sim
