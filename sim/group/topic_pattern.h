#pragma once

#include <regex>
#include <string>

// A regular expression that members subscribe by, matched against whole topic names (KIP-848; RE2/J in
// Kafka).
//
// Differs from Kafka: the expressions are ECMAScript's, of which RE2's common part is used. What RE2 has not,
// looking ahead and back references, is refused as Kafka refuses it; what ECMAScript has not, such as (?i)
// and \pN, is refused though Kafka knows it.
namespace sim::group {

// False: INVALID_REGULAR_EXPRESSION.
bool is_valid_topic_pattern(const std::string& pattern);

class TopicPattern {
 public:
  // REQUIRES: is_valid_topic_pattern(pattern)
  explicit TopicPattern(const std::string& pattern) : compiled_(pattern) {}
  bool matches(const std::string& topic) const { return std::regex_match(topic, compiled_); }

 private:
  std::regex compiled_;
};

}  // namespace sim::group
