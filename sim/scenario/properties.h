#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "client/config.h"
#include "controller/config.h"
#include "metadata/snapshot_generator.h"
#include "protocol/topic_settings.h"
#include "raft/config.h"
#include "server/config.h"

// The table of Kafka's properties (4.1: KafkaConfig and the config classes it is made of, ProducerConfig,
// ConsumerConfig, TopicConfig): name, type, default, range, one sentence, and what we do with it.
namespace sim::scenario {

using Components = std::uint8_t;  // who reads a property: a set
inline constexpr Components kBroker = 1, kController = 2, kTopic = 4, kProducer = 8, kConsumer = 16;

enum class Status : std::uint8_t {
  modelled,  // it sets a field of a config struct
  accepted,  // no effect here: TLS, SASL, paths, buffers of the operating system
  removed,   // gone since Kafka 4.0
};

enum class PropertyType : std::uint8_t { boolean, int16, int32, int64, decimal, text, list };

struct Range {
  std::int64_t least = std::numeric_limits<std::int64_t>::min();
  std::int64_t most = std::numeric_limits<std::int64_t>::max();
};

// The structs that properties are written to; those not concerned are null.
struct Targets {
  server::BrokerConfig* broker = nullptr;
  controller::ControllerConfig* controller = nullptr;
  raft::RaftConfig* quorum = nullptr;
  metadata::SnapshotConfig* snapshots = nullptr;
  TopicConfig* topic = nullptr;
  client::ProducerConfig* producer = nullptr;
  client::ConsumerConfig* consumer = nullptr;
};

struct Property {
  std::string_view name;  // a trailing * stands for any rest
  Components components = 0;
  PropertyType type = PropertyType::text;
  std::string_view fallback;  // the default as Kafka prints it; "null" = none
  std::string_view meaning;
  Status status = Status::accepted;
  Range range{};
  std::string_view words = {};  // the values it may take, divided by |
  void (*apply)(const Targets&,
                const std::string& value) = nullptr;  // of a canonical value; modelled ones without a setting
  std::string_view not_modelled = {};                 // those of `words` that Kafka knows and we do not play
  // The topic's setting that it is, or that it stands for as a property of brokers; null: none.
  const TopicSetting* setting = nullptr;
  std::int64_t setting_factor = 1;  // how many of the setting's units one of its own is

  bool has_default() const { return fallback != "null"; }
};

std::span<const Property> properties();

// The property of that name that one of `components` reads, or null.
const Property* find_property(std::string_view name, Components components);

// Writes a canonical value where it belongs; nothing if the property has no effect here.
void apply_property(const Property& property, const Targets& targets, const std::string& value);

// Kafka's reading of a value, made canonical ("TRUE" -> "true", "all" -> "-1" for acks); or what is wrong
// with it.
struct PropertyValue {
  std::optional<std::string> value;
  std::string problem;
  std::string hint;
};
PropertyValue read_property(const Property& property, std::string_view text);

// As java.time.Duration.parse reads "PT1H30M", in milliseconds, at most a century of them; nullopt: it does not, or it is
// negative.
std::optional<std::int64_t> read_iso_duration_ms(std::string_view text);

// "int, [1,...]" as Kafka's documentation puts it.
std::string describe_range(const Property& property);
std::string_view describe(PropertyType type);
std::string describe_components(Components components);  // "broker, controller"

}  // namespace sim::scenario
