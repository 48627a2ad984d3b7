#pragma once

#include <string_view>
#include <vector>

#include "scenario/java_properties.h"

namespace sim::scenario {

// The properties of a text, as Kafka reads it: taken apart and put into a plain form as java.util.Properties
// does (java_properties.h), then read by Boost.Program_options' parser of configuration files.
std::vector<JavaProperty> read_properties(std::string_view text, Encoding encoding);

}  // namespace sim::scenario
