#include "scenario/secrets.h"

#include <algorithm>
#include <cstddef>
#include <iterator>

namespace sim::scenario {

namespace {

// Misspelled ones as well: their values are no less secret.
constexpr std::string_view kPartsOfSecretNames[] = {
    "passw",    "pasw",       "passphrase", "pwd",       "secret",   "jaas",    "credential", "token",
    "keystore", "truststore", "private",    "user.info", "userinfo", "api.key", "apikey",     "access.key"};

bool is_name_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
         c == '-';
}

}  // namespace

bool is_secret(std::string_view property) {
  std::string name(property);
  std::transform(name.begin(), name.end(), name.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  if (name.starts_with("sasl.mechanism") || name == "ssl.endpoint.identification.algorithm") return false;
  return name.starts_with("ssl.") || name.starts_with("sasl.") ||
         std::any_of(std::begin(kPartsOfSecretNames), std::end(kPartsOfSecretNames),
                     [&name](std::string_view part) { return name.find(part) != std::string::npos; });
}

std::string without_secrets(std::string_view line) {
  for (std::size_t at = 0; at < line.size();) {
    if (!is_name_char(line[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < line.size() && is_name_char(line[end])) ++end;
    const std::string_view name = line.substr(at, end - at);
    at = end;
    if (end < line.size() && (line[end] == '"' || line[end] == '\'')) ++end;  // a quoted name
    std::size_t value = end;
    while (value < line.size() && (line[value] == ' ' || line[value] == '\t')) ++value;
    const bool separated = value < line.size() && (line[value] == '=' || line[value] == ':');
    // A YAML key without a dot is no property: it may be a topic's name.
    const bool property = separated && (line[value] == '=' || name.find('.') != std::string_view::npos);
    if (!property || !is_secret(name)) continue;
    ++value;
    while (value < line.size() && (line[value] == ' ' || line[value] == '\t')) ++value;
    if (value == line.size()) break;
    return std::string(line.substr(0, value)) + std::string(kHidden);
  }
  return std::string(line);
}

}  // namespace sim::scenario
