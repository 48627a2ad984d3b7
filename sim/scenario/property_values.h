#pragma once

#include <cstdint>
#include <string_view>

#include "scenario/properties.h"
#include "scenario/tree.h"

// A map of checked properties, as the rules about them see it.
namespace sim::scenario {

// The value given, else Kafka's default. REQUIRES: it has one or the other
std::int64_t property_number(const Value& map, std::string_view name, Components components);
std::string_view property_text(const Value& map, std::string_view name, Components components);

// How many directories the value of log.dirs lists; without one (log.dir) it is one.
std::int64_t log_directories(std::string_view list);
std::int64_t log_directories(const Value& map);

// Where the value given stands; without one, where the whole map does.
Place property_place(const Value& map, std::string_view name);

// Adds the default of every modelled property that is not given; modelled ones come first, in the table's
// order.
void fill_in_defaults(Value& map, Components components);

void remove_property(Value& map, std::string_view name);

// Writes every property of a completed map into its field.
void apply_properties(const Value& map, Components components, const Targets& targets);

}  // namespace sim::scenario
