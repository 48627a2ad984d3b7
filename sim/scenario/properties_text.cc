#include "scenario/properties_text.h"

#include <boost/program_options/errors.hpp>
#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <sstream>

// The only file that knows Boost.Program_options. Its config-file parser gets one line at a time: that is how
// every problem keeps its line, and one bad line hides no other. Unlike Java's Properties it knows no
// continuation lines, no ':' as separator and no '!' comments; Kafka's own files use none of these.
namespace sim::scenario {

PropertyLine read_property_line(std::string_view line) {
  namespace options = boost::program_options;
  PropertyLine result;
  const std::size_t first = line.find_first_not_of(" \t");
  if (first != std::string_view::npos && line[first] == '[' && line.find('=') == std::string_view::npos) {
    result.problem = "sections are not part of Kafka's properties";
    return result;
  }
  if (line.ends_with('\\')) {
    result.problem = "a property cannot go on in the next line here";
    result.hint = "write it in one line";
    return result;
  }
  try {
    std::istringstream in{std::string(line)};
    const options::parsed_options parsed =
        options::parse_config_file(in, options::options_description(), true);
    if (parsed.options.empty()) return result;
    result.name = parsed.options.front().string_key;
    if (!parsed.options.front().value.empty()) result.value = parsed.options.front().value.front();
    if (result.name.empty()) result.problem = "a property without a name";
  } catch (const options::error&) {
    result.problem = "not a property: name=value expected";
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && first != std::string_view::npos) {
      const std::size_t value = line.find_first_not_of(" \t", colon + 1);
      result.hint = "write " + std::string(line.substr(first, colon - first)) + "=" +
                    (value == std::string_view::npos ? "" : std::string(line.substr(value)));
    }
  }
  return result;
}

}  // namespace sim::scenario
