#pragma once

#include <charconv>
#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/check.h"
#include "scenario/properties.h"

// How the rows of the property table are written. Only the files that hold rows need this.
namespace sim::scenario::rows {

inline constexpr std::int64_t kMaxInt = std::numeric_limits<std::int32_t>::max();
inline constexpr std::string_view kMaxLongText = "9223372036854775807";
inline constexpr std::string_view kMaxIntText = "2147483647";
inline constexpr Components kServer = kBroker | kController;
inline constexpr Components kClient = kProducer | kConsumer;

using enum PropertyType;

constexpr Range any() {
  return {};
}
constexpr Range from(std::int64_t least) {
  return Range{least, std::numeric_limits<std::int64_t>::max()};
}
constexpr Range within(std::int64_t least, std::int64_t most) {
  return Range{least, most};
}

using Apply = void (*)(const Targets&, const std::string&);

// Writes a canonical value into one field.
template <class Field>
void assign(Field& field, const std::string& value) {
  if constexpr (std::is_same_v<Field, bool>) {
    field = value == "true";
  } else if constexpr (std::is_same_v<Field, std::string>) {
    field = value;
  } else {
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), field);
    SIM_CHECK(error == std::errc{} && end == value.data() + value.size(),
              "a value is checked before it is applied");
  }
}

template <class Struct>
struct TargetOf;
template <>
struct TargetOf<server::BrokerConfig> {
  static server::BrokerConfig* of(const Targets& targets) { return targets.broker; }
};
template <>
struct TargetOf<controller::ControllerConfig> {
  static controller::ControllerConfig* of(const Targets& targets) { return targets.controller; }
};
template <>
struct TargetOf<raft::RaftConfig> {
  static raft::RaftConfig* of(const Targets& targets) { return targets.quorum; }
};
template <>
struct TargetOf<metadata::SnapshotConfig> {
  static metadata::SnapshotConfig* of(const Targets& targets) { return targets.snapshots; }
};
template <>
struct TargetOf<client::ProducerConfig> {
  static client::ProducerConfig* of(const Targets& targets) { return targets.producer; }
};
template <>
struct TargetOf<client::ConsumerConfig> {
  static client::ConsumerConfig* of(const Targets& targets) { return targets.consumer; }
};
template <>
struct TargetOf<client::CommonClientConfig> {
  static client::CommonClientConfig* of(const Targets& targets) {
    if (targets.producer != nullptr) return targets.producer;
    return targets.consumer;
  }
};

template <class Struct, class Field>
void assign_member(const Targets& targets, Field Struct::*member, const std::string& value) {
  if (Struct* target = TargetOf<Struct>::of(targets)) assign(target->*member, value);
}

// field<&BrokerConfig::x, &ControllerConfig::x>: into whichever of these structs is being filled.
template <auto... members>
void field(const Targets& targets, const std::string& value) {
  (assign_member(targets, members, value), ...);
}

constexpr Property modelled(std::string_view name, Components components, PropertyType type,
                            std::string_view fallback, Range range, Apply apply, std::string_view meaning,
                            std::string_view words = {}, std::string_view not_modelled = {}) {
  return Property{name,  components, type,  fallback,    meaning, Status::modelled,
                  range, words,      apply, not_modelled};
}
constexpr Property accepted(std::string_view name, Components components, PropertyType type,
                            std::string_view fallback, std::string_view meaning, Range range = {},
                            std::string_view words = {}, std::string_view not_modelled = {}) {
  return Property{name,  components, type,    fallback,    meaning, Status::accepted,
                  range, words,      nullptr, not_modelled};
}
constexpr Property removed(std::string_view name, Components components, std::string_view meaning) {
  return Property{name, components, text, "null", meaning, Status::removed, {}, {}, nullptr, {}};
}

std::span<const Property> server_rows();
// Made of the table of topic settings: the brokers' synonyms, and the topics' own.
std::span<const Property> synonym_rows();
std::span<const Property> topic_rows();
std::span<const Property> client_rows();

}  // namespace sim::scenario::rows
