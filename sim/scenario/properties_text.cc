#include "scenario/properties_text.h"

#include <boost/program_options/options_description.hpp>
#include <boost/program_options/parsers.hpp>
#include <cstdio>
#include <sstream>
#include <string>

#include "base/check.h"

// The only file that knows Boost.Program_options. Its parser of configuration files has another idea of
// comments, blanks and separators than Java, and no escapes. So it is given what Java has made of a text, a
// line of name=value per property, in which every character that could mean something to it is written by its
// number.
namespace sim::scenario {

namespace {

bool may_stand_plain(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
         static_cast<unsigned char>(c) >= 0x80 ||
         std::string_view("._-/:;,*+()@$").find(c) != std::string_view::npos;
}

std::string in_plain_form(std::string_view text) {
  std::string plain;
  for (const char c : text) {
    char code[8];
    std::snprintf(code, sizeof code, "\\%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    plain += may_stand_plain(c) ? std::string(1, c) : std::string(code);
  }
  return plain;
}

std::string from_plain_form(std::string_view plain) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  std::string text;
  for (std::size_t at = 0; at < plain.size(); ++at) {
    if (plain[at] != '\\') {
      text += plain[at];
      continue;
    }
    SIM_CHECK(at + 2 < plain.size(), "a number follows each backslash of the plain form");
    text += static_cast<char>(digit(plain[at + 1]) * 16 + digit(plain[at + 2]));
    at += 2;
  }
  return text;
}

}  // namespace

std::vector<JavaProperty> read_properties(std::string_view text, Encoding encoding) {
  namespace options = boost::program_options;
  std::vector<JavaProperty> properties = read_java_properties(text, encoding);
  std::string plain;
  for (const JavaProperty& property : properties) {
    if (!property.name.empty())
      plain += in_plain_form(property.name) + "=" + in_plain_form(property.value) + "\n";
  }
  std::istringstream in(plain);
  const options::parsed_options parsed = options::parse_config_file(in, options::options_description(), true);
  std::size_t next = 0;
  for (JavaProperty& property : properties) {
    if (property.name.empty()) {
      if (property.problem.empty()) property.problem = "a property without a name";
      continue;
    }
    SIM_CHECK(next < parsed.options.size(), "each line of the plain form is an option");
    const options::option& option = parsed.options[next++];
    property.name = from_plain_form(option.string_key);
    property.value = option.value.empty() ? std::string{} : from_plain_form(option.value.front());
  }
  return properties;
}

}  // namespace sim::scenario
