#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "protocol/topic_config.h"

// The table of a topic's settings (Kafka 4.1: TopicConfig and LogConfig, ServerTopicConfigSynonyms):
// everything that knows settings by their names goes by it. That is reading a scenario, what a topic has
// without a setting of its own, changes by an administrator, which values are valid, the size of the records
// that carry settings, the digest of the metadata, and `explain`. A new setting is a field of TopicConfig and
// a row here.
namespace sim {

// A property of brokers that stands for a topic's setting; the first of several that is given decides.
struct BrokerSynonym {
  std::string_view name;
  std::int64_t factor = 1;          // how many of the setting's units one of its own is: 3'600'000 for hours
  std::string_view fallback = "=";  // as Kafka prints it; "=" is the setting's; "null": the next one decides
  std::string_view meaning = {};    // empty: the setting's
  bool only_stands_in = false;      // it has a row and a meaning of its own, beside this
};

enum class SettingType : std::uint8_t { boolean, int32, int64, decimal, text, list };

struct TopicSetting {
  std::string_view name;
  SettingType type = SettingType::text;
  std::string_view fallback = {};                                 // Kafka's default as Kafka prints it
  std::int64_t least = std::numeric_limits<std::int64_t>::min();  // of a number; ends are included
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
  std::string_view words = {};  // the values a text may take, or the items of a list, divided by |
  std::span<const BrokerSynonym> synonyms = {};
  std::string_view meaning = {};
  // How it stands in a TopicConfig. Null for those that Kafka knows and that change nothing here.
  void (*write)(TopicConfig& config, std::string_view canonical) = nullptr;
  std::string (*print)(const TopicConfig& config) = nullptr;  // as canonical_setting has it
  void (*copy)(TopicConfig& to, const TopicConfig& from) = nullptr;
  bool (*same)(const TopicConfig& a, const TopicConfig& b) = nullptr;

  bool is_modelled() const { return write != nullptr; }
};

std::span<const TopicSetting> topic_settings();
const TopicSetting* find_topic_setting(std::string_view name);  // null: Kafka has none of that name

// A value as Kafka reads it (ConfigDef.parseType, then the setting's validator), written the one way that
// equal values share ("TRUE" is "true"); nothing if Kafka refuses it.
std::optional<std::string> canonical_setting(const TopicSetting& setting, std::string_view text);

// False, and nothing is changed: no such setting, or no such value of it.
[[nodiscard]] bool set_topic_config(TopicConfig& config, std::string_view name, std::string_view value);
// Back to what `defaults` has. False: no such setting.
[[nodiscard]] bool reset_topic_config(TopicConfig& config, std::string_view name,
                                      const TopicConfig& defaults);

// Whether every setting has a value that Kafka takes, and they agree with each other (LogConfig.validate).
bool is_valid(const TopicConfig& config);
// min.compaction.lag.ms is at most max.compaction.lag.ms (LogConfig.validateValues).
bool lags_agree(const TopicConfig& config);

// f(name, value) for each setting that is not at Kafka's default: those a ConfigRecord is written for.
template <class F>
void for_each_override(const TopicConfig& config, F f) {
  const TopicConfig standard;
  if (config == standard) return;
  for (const TopicSetting& setting : topic_settings()) {
    if (setting.is_modelled() && !setting.same(config, standard)) f(setting.name, setting.print(config));
  }
  // The codec is not told apart here: what compression does is in compression_percent.
  if (config.compression_percent != standard.compression_percent) f("compression.type", std::string("zstd"));
}

// Differs for configs that differ, but for chance.
std::uint64_t digest(const TopicConfig& config);

}  // namespace sim
