#pragma once

#include <string>
#include <string_view>

// One line of a properties file, as Kafka's server.properties or a block pasted from one.
namespace sim::scenario {

struct PropertyLine {
  std::string name{};  // empty: a comment or an empty line
  std::string value{};
  std::string problem{};
  std::string hint{};
};

PropertyLine read_property_line(std::string_view line);

}  // namespace sim::scenario
